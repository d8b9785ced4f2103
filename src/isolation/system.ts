import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import type { IsolationFacts } from "../core/isolation.ts";

const SUDO_MS = 3_000;
const MOST_ANCESTORS = 64;

/** Users of the processes above one, real and effective, the nearest first; undefined where that cannot be seen. */
export async function ancestorsOf(pid: number): Promise<number[] | undefined> {
  if (process.platform !== "linux") return undefined;
  const users: number[] = [];
  let at = pid;
  for (let step = 0; step < MOST_ANCESTORS; step++) {
    const seen = await statusOf(at);
    if (seen === undefined) return undefined;
    if (at !== pid) users.push(...seen.users);
    // Nothing is above the first process of the system, or of the container.
    if (seen.parent <= 0) return [...new Set(users)];
    at = seen.parent;
  }
  return undefined;
}

async function statusOf(pid: number): Promise<{ parent: number; users: number[] } | undefined> {
  const text = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  const parent = /^PPid:\s*(\d+)$/m.exec(text)?.[1];
  const users = /^Uid:\s*(\d+)\s+(\d+)/m.exec(text);
  if (parent === undefined || users === null) return undefined;
  return { parent: Number(parent), users: [Number(users[1]), Number(users[2])] };
}

/** The number in a file of the kernel; undefined where there is none. */
export async function numberIn(path: string): Promise<number | undefined> {
  const text = (await readFile(path, "utf8").catch(() => "")).trim();
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

/** What may become of this process's memory when it crashes. */
export async function coreFacts(): Promise<Pick<IsolationFacts, "coreLimit" | "corePiped">> {
  const limits = await readFile("/proc/self/limits", "utf8").catch(() => "");
  const soft = /^Max core file size\s+(\S+)/m.exec(limits)?.[1];
  const pattern = await readFile("/proc/sys/kernel/core_pattern", "utf8").catch(() => undefined);
  return {
    coreLimit: soft === undefined ? undefined : soft === "unlimited" ? Number.POSITIVE_INFINITY : Number(soft),
    corePiped: pattern?.startsWith("|"),
  };
}

/** Whether somebody can look into this process through Node's inspector, or have it opened. */
export async function inspectorState(): Promise<IsolationFacts["inspector"]> {
  // The module is missing where Node was built without it.
  const inspector = await import("node:inspector").catch(() => undefined);
  if (inspector?.url() !== undefined) return "open";
  if (inspector === undefined || process.execArgv.includes("--disable-sigusr1")) return "closed";
  // Windows opens it from another process in a way that no handler sees.
  const handled = process.platform !== "win32" && process.listenerCount("SIGUSR1") > 0;
  return handled ? "closed" : "by signal";
}

/** What sudo says to the user of this process, without asking for a password or using one given before. */
export async function sudoFor(): Promise<"free" | "refused" | "absent"> {
  const env = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" };
  try {
    await promisify(execFile)("sudo", ["-n", "-k", "true"], { env, timeout: SUDO_MS });
    return "free";
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "ENOENT" ? "absent" : "refused";
  }
}
