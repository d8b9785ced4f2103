import { createHash } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname, uptime } from "node:os";
import { codeOf } from "./file.ts";

/** A process in a form that fits into a file name and is never mistaken for another one, also not after a restart. */
export interface ProcessId {
  readonly host: string;
  readonly boot: string;
  /** Its namespace of process numbers: two containers can both have a process 7. */
  readonly space: string;
  readonly pid: number;
  /** When it started, in the kernel's ticks; "0" where the system does not tell. */
  readonly start: string;
}

/** A process in another container or on another machine cannot be looked at; after this long it counts as gone. */
const FOREIGN_MS = 10 * 60_000;
const UNTOLD = "0";

/** Who we are. */
export function ownProcess(): ProcessId {
  const short = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 8);
  return {
    host: short(hostname()),
    boot: short(told(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8"))),
    space: short(told(() => readlinkSync("/proc/self/ns/pid"))),
    pid: process.pid,
    start: startOf(process.pid) ?? UNTOLD,
  };
}

/** Whether a process that was alive `ageMs` ago is provably no more. Any doubt means that it lives. */
export function isDead(other: ProcessId, self: ProcessId, ageMs: number): boolean {
  if (other.host !== self.host) return ageMs > FOREIGN_MS;
  if (other.boot !== self.boot) return true;
  if (other.space !== self.space) return ageMs > FOREIGN_MS;
  const start = startOf(other.pid);
  if (start === undefined) return true;
  if (start !== UNTOLD && other.start !== UNTOLD) return start !== other.start;
  // Without start times, a process number from before the last boot may belong to somebody else by now.
  return ageMs > uptime() * 1000 + 60_000;
}

/** Undefined when there is no such process any more. */
function startOf(pid: number): string | undefined {
  // The command stands in parentheses and may contain anything; the state comes right after it and the start is the
  // twentieth field from there (proc(5)). A zombie has ended, only nobody has asked for its exit status yet.
  const stat = told(() => readFileSync(`/proc/${pid}/stat`, "latin1"));
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  if (fields[0] === "Z" || fields[0] === "X") return undefined;
  if (fields[19] !== undefined) return fields[19];
  try {
    process.kill(pid, 0);
    return UNTOLD;
  } catch (error) {
    return codeOf(error) === "ESRCH" ? undefined : UNTOLD;
  }
}

function told(read: () => string): string {
  try {
    return read();
  } catch {
    // Only Linux has these, and not everywhere; without them the process number alone has to do.
    return "";
  }
}
