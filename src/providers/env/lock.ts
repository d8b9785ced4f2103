import { createHash, randomBytes } from "node:crypto";
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from "node:fs";
import { hostname, uptime } from "node:os";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { VaultError } from "../../core/errors.ts";
import { visible } from "../../core/text.ts";
import { codeOf, unusable } from "./file.ts";

/** How long a writer waits for others before it gives up. A write takes milliseconds. */
const PATIENCE_MS = 5_000;
/** A writer in another container or on another machine cannot be looked at; after this long it counts as gone. */
const FOREIGN_MS = 10 * 60_000;
/** The start of a process where the system does not tell. */
const UNTOLD = "0";

/** Being the only writer of a file. */
export interface Lock {
  /** False once somebody took us for dead: then nothing may be written any more. */
  readonly held: () => boolean;
}

/**
 * Runs `work` as the only writer of the file among all processes that use this lock. Each writer puts an empty file of
 * its own beside it, whose name says who it is, and only then looks around: it may go on when it sees no other living
 * writer. Of two that come together at least one sees the other, so never do both go on. What dead ones left behind can
 * be removed by anybody at any moment, because no name is ever used twice. Throws `provider_unavailable` naming who
 * is in the way.
 */
export async function withLock<T>(path: string, signal: AbortSignal, work: (lock: Lock) => Promise<T>): Promise<T> {
  const mine = await acquire(path, signal);
  try {
    return await work({ held: () => statSync(mine, { throwIfNoEntry: false }) !== undefined });
  } finally {
    release(mine);
  }
}

function release(mine: string): void {
  try {
    rmSync(mine, { force: true });
  } catch {
    // What was saved is saved, also when the folder was closed to us in the meantime; the next writer says who is left.
  }
}

async function acquire(path: string, signal: AbortSignal): Promise<string> {
  const folder = dirname(path);
  const prefix = `${basename(path)}.lock-`;
  const self = identity();
  const until = performance.now() + PATIENCE_MS;
  let mine: Name | undefined;
  for (;;) {
    const others = look(folder, prefix).filter((other) => other.token !== mine?.token && !isGone(folder, other, self));
    if (others.length === 0) {
      if (mine) return join(folder, mine.file);
      mine = announce(folder, prefix, self);
      continue;
    }
    // Of several that wait, the lowest stays in sight and the others step back, so that one of them gets on.
    const lowest = mine !== undefined && others.every((other) => other.token > (mine?.token ?? ""));
    const late = signal.aborted || performance.now() > until;
    if (mine && (late || !lowest)) {
      rmSync(join(folder, mine.file), { force: true });
      mine = undefined;
    }
    if (signal.aborted) throw new VaultError("cancelled", "the call was cancelled before anything was saved");
    if (late) throw inTheWay(folder, others[0], self);
    await sleep(2 + Math.random() * 15);
  }
}

/** Who a lock file speaks for: the machine, its boot, its process namespace, the process and when it started. */
interface Identity {
  readonly host: string;
  readonly boot: string;
  readonly space: string;
  readonly pid: number;
  readonly start: string;
}

interface Name extends Identity {
  readonly token: string;
  readonly file: string;
}

function announce(folder: string, prefix: string, self: Identity): Name {
  const token = randomBytes(8).toString("hex");
  const file = `${prefix}${[self.host, self.boot, self.space, self.pid, self.start, token].join("-")}`;
  try {
    closeSync(openSync(join(folder, file), "wx", 0o600));
  } catch (error) {
    throw unusable(join(folder, file), error);
  }
  return { ...self, token, file };
}

function look(folder: string, prefix: string): Name[] {
  let files: string[];
  try {
    files = readdirSync(folder);
  } catch (error) {
    throw unusable(folder, error);
  }
  return files.flatMap((file) => {
    if (!file.startsWith(prefix)) return [];
    const [, host, boot, space, pid, start, token] =
      /^([^-]+)-([^-]+)-([^-]+)-(\d+)-(\d+)-([0-9a-f]{16})$/.exec(file.slice(prefix.length)) ?? [];
    if (!host || !boot || !space || !pid || !start || !token) return [];
    return [{ host, boot, space, pid: Number(pid), start, token, file }];
  });
}

/** Whether that writer is provably no more; then its file is removed. Any doubt means that it lives. */
function isGone(folder: string, other: Name, self: Identity): boolean {
  const file = join(folder, other.file);
  const stat = statSync(file, { throwIfNoEntry: false });
  if (!stat) return true;
  const gone = isDead(other, self, Date.now() - stat.mtimeMs);
  if (gone) rmSync(file, { force: true });
  return gone;
}

function isDead(other: Name, self: Identity, ageMs: number): boolean {
  if (other.host !== self.host) return ageMs > FOREIGN_MS;
  if (other.boot !== self.boot) return true;
  if (other.space !== self.space) return ageMs > FOREIGN_MS;
  const start = startOf(other.pid);
  if (start === undefined) return true;
  if (start !== UNTOLD && other.start !== UNTOLD) return start !== other.start;
  // Without start times a process number from before the last boot may belong to somebody else by now.
  return ageMs > uptime() * 1000 + 60_000;
}

function inTheWay(folder: string, other: Name | undefined, self: Identity): VaultError {
  const near = other?.host === self.host && other.space === self.space;
  const who = near ? `process ${other.pid}` : "a process on another machine or in a container";
  return new VaultError(
    "provider_unavailable",
    `${who} has been writing to this env file for seconds; nothing was saved`,
    {
      hint: `try again; if that process is gone, delete ${visible(join(folder, other?.file ?? ""))}`,
    },
  );
}

function identity(): Identity {
  const short = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 8);
  return {
    host: short(hostname()),
    boot: short(told(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8"))),
    space: short(told(() => readlinkSync("/proc/self/ns/pid"))),
    pid: process.pid,
    start: startOf(process.pid) ?? UNTOLD,
  };
}

/**
 * When a process started, in the kernel's ticks, so that a new process under an old number is not taken for the old
 * one. Undefined when there is no such process any more.
 */
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
    // Only Linux has these; elsewhere the process number alone has to do.
    return "";
  }
}
