import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";

/** Whether this machine can watch a process write: Linux with a C compiler. */
export const canWatch = process.platform === "linux" && existsSync("/usr/bin/gcc");

/** Builds the library that writes down what a process does to its database; its path goes into LD_PRELOAD. */
export function buildShim(folder: string): string {
  const shim = join(folder, "power-shim.so");
  execFileSync("gcc", ["-shared", "-fPIC", "-O1", "-o", shim, join(import.meta.dirname, "power-shim.c"), "-ldl"]);
  return shim;
}

/** One step of the process: bytes that reached the kernel, a sync, or a line it said. */
type Step =
  | { readonly what: "write"; readonly file: number; readonly offset: number; readonly bytes: Buffer }
  | { readonly what: "truncate"; readonly file: number; readonly offset: number }
  | { readonly what: "sync"; readonly file: number }
  | { readonly what: "line"; readonly text: string };

interface CutPlan {
  readonly cuts: number;
  readonly folder: string;
  readonly table: string;
  /** Finds every line that the process can have said. */
  readonly query: string;
}

/** What many power cuts at random moments would have left. */
export interface CutReport {
  readonly cuts: number;
  /** Cuts after which something was missing that the process had already said aloud. */
  readonly lossy: number;
  /** Cuts after which the database could not be opened or was damaged. */
  readonly damaged: number;
}

/**
 * Plays a process back up to random moments and cuts the power there: of what was not synced yet, each write is kept,
 * dropped or torn at a sector, each file for itself. What the process said must then be among what `query` finds in the
 * database, once it has the `table`.
 */
export function cutPower(journal: string, { cuts, folder, ...look }: CutPlan): CutReport {
  const steps = stepsIn(readFileSync(journal));
  const moments = Array.from({ length: cuts }, () => Math.floor(Math.random() * steps.length)).sort((a, b) => a - b);
  const synced = new Map<number, Buffer>();
  const pending = new Map<number, Step[]>();
  const said: string[] = [];
  let lossy = 0;
  let damaged = 0;
  let next = 0;
  for (const moment of moments) {
    for (; next <= moment; next++) {
      const step = steps[next];
      if (step === undefined) break;
      if (step.what === "line") said.push(...step.text.split("\n").filter((line) => line !== ""));
      else if (step.what === "sync") {
        synced.set(
          step.file,
          settle(synced.get(step.file), pending.get(step.file), () => "kept"),
        );
        pending.set(step.file, []);
      } else pending.set(step.file, [...(pending.get(step.file) ?? []), step]);
    }
    const image = (file: number): Buffer => settle(synced.get(file), pending.get(file), chance);
    const found = reopen(join(folder, "cut.db"), [image(1), image(2)], look);
    if (found === undefined) damaged += 1;
    else if (said.some((id) => !found.has(id))) lossy += 1;
  }
  return { cuts, lossy, damaged };
}

type Fate = "kept" | "dropped" | "torn";

function chance(): Fate {
  const roll = Math.random();
  return roll < 0.4 ? "kept" : roll < 0.8 ? "dropped" : "torn";
}

function settle(base: Buffer | undefined, steps: readonly Step[] = [], fate: () => Fate): Buffer {
  let image: Buffer = Buffer.from(base ?? Buffer.alloc(0));
  for (const step of steps) {
    const fallen = fate();
    if (fallen === "dropped") continue;
    if (step.what === "truncate") image = resized(image, step.offset);
    if (step.what !== "write") continue;
    const sectors = Math.ceil(step.bytes.length / 512);
    const length = fallen === "torn" ? Math.floor(Math.random() * sectors) * 512 : step.bytes.length;
    if (step.offset + length > image.length) image = resized(image, step.offset + length);
    step.bytes.copy(image, step.offset, 0, length);
  }
  return image;
}

function resized(image: Buffer, length: number): Buffer {
  return length <= image.length
    ? image.subarray(0, length)
    : Buffer.concat([image, Buffer.alloc(length - image.length)]);
}

/** What is there after the cut; undefined when the database is damaged. */
function reopen(
  file: string,
  [database, log]: readonly [Buffer, Buffer],
  { table, query }: Pick<CutPlan, "table" | "query">,
): Set<string> | undefined {
  rmSync(`${file}-shm`, { force: true });
  writeFileSync(file, database);
  writeFileSync(`${file}-wal`, log);
  const db = new Database(file);
  try {
    if (db.pragma("integrity_check", { simple: true }) !== "ok") return undefined;
    const isMade = db.prepare("SELECT count(*) FROM sqlite_schema WHERE name = ?").pluck().get(table) === 1;
    if (!isMade) return new Set();
    return new Set(db.prepare<[], string>(query).pluck().all());
  } catch {
    return undefined; // SQLite would not have it: that is the finding
  } finally {
    db.close();
  }
}

function stepsIn(journal: Buffer): Step[] {
  const steps: Step[] = [];
  for (let at = 0; at + 14 <= journal.length;) {
    const what = String.fromCharCode(journal.readUInt8(at));
    const file = journal.readUInt8(at + 1);
    const offset = Number(journal.readBigUInt64LE(at + 2));
    const length = journal.readUInt32LE(at + 10);
    const bytes = journal.subarray(at + 14, at + 14 + length);
    at += 14 + length;
    if (what === "W") steps.push({ what: "write", file, offset, bytes });
    else if (what === "T") steps.push({ what: "truncate", file, offset });
    else if (what === "S") steps.push({ what: "sync", file });
    else steps.push({ what: "line", text: bytes.toString() });
  }
  return steps;
}
