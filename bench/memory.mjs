// What another process takes of the machine's memory.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/**
 * Bytes of a process: `rss` counts pages it shares with others in full, `pss` by its part of them. Only Linux tells the
 * latter; elsewhere it is NaN.
 */
export function memoryOf(pid) {
  if (process.platform !== "linux") {
    const kb = Number(execFileSync("ps", ["-o", "rss=", "-p", String(pid)], { encoding: "utf8" }));
    return { rss: kb * 1024, pss: Number.NaN };
  }
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  const bytes = (name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(text)?.[1]) * 1024;
  return { rss: bytes("Rss"), pss: bytes("Pss") };
}
