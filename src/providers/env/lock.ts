import { randomBytes } from "node:crypto";
import { closeSync, openSync, readdirSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { VaultError } from "../../core/errors.ts";
import { visible } from "../../core/text.ts";
import { unusable } from "./file.ts";
import { isDead, ownProcess, type ProcessId } from "./process.ts";

/** How long a writer waits for others before it gives up. A write takes milliseconds. */
const PATIENCE_MS = 5_000;

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
    remove(mine);
  }
}

interface Writer extends ProcessId {
  /** Of no other writer, past or to come. */
  readonly token: string;
  readonly file: string;
}

async function acquire(path: string, signal: AbortSignal): Promise<string> {
  const self = ownProcess();
  const until = performance.now() + PATIENCE_MS;
  let mine: Writer | undefined;
  try {
    for (;;) {
      if (signal.aborted) throw new VaultError("cancelled", "the call was cancelled before anything was saved");
      const others = writers(path).filter((other) => other.token !== mine?.token && !isGone(other, self));
      if (others[0] === undefined) {
        if (mine) return mine.file;
        mine = announce(path, self);
        continue;
      }
      if (performance.now() > until) throw inTheWay(path, others[0], self);
      // Of several that wait, the lowest stays in sight and the others step back, so that one of them gets on.
      if (mine && others.some((other) => other.token < (mine?.token ?? ""))) {
        remove(mine.file);
        mine = undefined;
      }
      await sleep(2 + Math.random() * 15);
    }
  } catch (error) {
    if (mine) remove(mine.file);
    throw unusable(path, error);
  }
}

function announce(path: string, self: ProcessId): Writer {
  const token = randomBytes(8).toString("hex");
  const file = `${path}.lock-${[self.host, self.boot, self.space, self.pid, self.start, token].join("-")}`;
  closeSync(openSync(file, "wx", 0o600));
  return { ...self, token, file };
}

/** Everybody whose file stands beside the env file, the dead included. */
function writers(path: string): Writer[] {
  const prefix = `${basename(path)}.lock-`;
  return readdirSync(dirname(path)).flatMap((name) => {
    if (!name.startsWith(prefix)) return [];
    const [, host, boot, space, pid, start, token] =
      /^([0-9a-f]{8})-([0-9a-f]{8})-([0-9a-f]{8})-(\d+)-(\d+)-([0-9a-f]{16})$/.exec(name.slice(prefix.length)) ?? [];
    if (!host || !boot || !space || !pid || !start || !token) return [];
    return [{ host, boot, space, pid: Number(pid), start, token, file: join(dirname(path), name) }];
  });
}

function isGone(other: Writer, self: ProcessId): boolean {
  const stat = statSync(other.file, { throwIfNoEntry: false });
  if (!stat) return true;
  const dead = isDead(other, self, Date.now() - stat.mtimeMs);
  if (dead) remove(other.file);
  return dead;
}

function remove(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // A dead writer's file is in nobody's way. Our own stays when the folder was closed to us meanwhile: what was saved
    // is saved, and the next writer is told which file it is.
  }
}

function inTheWay(path: string, other: Writer, self: ProcessId): VaultError {
  const near = other.host === self.host && other.space === self.space;
  const who = near ? `process ${other.pid}` : "a process on another machine or in a container";
  return new VaultError(
    "provider_unavailable",
    `${who} has been writing to env file ${visible(path)} for seconds; nothing was saved`,
    {
      hint: `try again; if that process is gone, delete ${visible(other.file)}`,
    },
  );
}
