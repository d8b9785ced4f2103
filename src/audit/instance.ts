import { readdirSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { Driver } from "../state/driver.ts";
import { codeOf } from "../state/faults.ts";
import { holdFile } from "../state/held-file.ts";
import type { HeldFile } from "../state/held-file.ts";
import { createFile, isPlain, prepareFolder } from "../state/place.ts";
import { AUDIT_LOG } from "./file.ts";

/** The proof of life of one process: a file that it holds. Left behind, there is still something to close for it. */
export interface InstanceLock extends HeldFile {
  readonly id: string;
}

const SUFFIX = ".lock";
const MOST_AT_ONCE = 100;
const ATTEMPTS = 10;
/** Somebody else has the lock, or took the file away. */
const TAKEN: readonly string[] = ["SQLITE_BUSY", "SQLITE_CANTOPEN"];

/** Beside the database, since a lock says something about the rows of this database only. */
export function instancesFolder(file: string): string {
  return `${file}-instances`;
}

export function newInstance(): string {
  return randomBytes(12).toString("hex");
}

/**
 * Takes the lock of a living process. Somebody who looks for dead ones may grab and remove the file in the moment
 * before it is locked; then the id is spent and another one is taken.
 */
export function holdInstance(driver: Driver, folder: string, wanted: string): InstanceLock {
  prepareFolder(folder, AUDIT_LOG);
  for (let attempt = 1, id = wanted; ; attempt++, id = newInstance()) {
    try {
      const lock = createFile(join(folder, id + SUFFIX)) ? lockOf(driver, folder, id) : undefined;
      if (lock) return lock;
    } catch (error) {
      if (attempt >= ATTEMPTS || !TAKEN.includes(codeOf(error))) throw error;
    }
    if (attempt >= ATTEMPTS) throw new Error(`no instance lock could be had in ${folder}`);
  }
}

/** Takes the locks of those that are provably dead, at most 100 at once. Anything in doubt is left alone. */
export function takeDead(driver: Driver, folder: string, own: string): readonly InstanceLock[] {
  const dead: InstanceLock[] = [];
  for (const name of readdirSync(folder)) {
    if (dead.length === MOST_AT_ONCE) break;
    if (!name.endsWith(SUFFIX) || name === own + SUFFIX || !isPlain(join(folder, name))) continue;
    try {
      const lock = lockOf(driver, folder, name.slice(0, -SUFFIX.length));
      if (lock) dead.push(lock);
    } catch (error) {
      // Busy means alive; anything else SQLite says of this file proves nothing about its owner.
      if (!codeOf(error).startsWith("SQLITE_")) throw error;
    }
  }
  return dead;
}

function lockOf(driver: Driver, folder: string, id: string): InstanceLock | undefined {
  const held = holdFile(driver, join(folder, id + SUFFIX));
  return held && { id, ...held };
}
