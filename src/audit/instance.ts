import { readdirSync, unlinkSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { Connection, Driver } from "../state/driver.ts";
import { codeOf } from "../state/faults.ts";
import { createFile, identify, isPlain, isSame, prepareFolder } from "../state/place.ts";
import { AUDIT_LOG } from "./file.ts";

/**
 * The proof of life of one process: an SQLite file on which it holds an exclusive lock. The kernel frees the lock when
 * the process ends, however it ends, so whoever gets the lock has proof that the process is dead.
 */
export interface InstanceLock {
  readonly id: string;
  /** Removes the file while the lock is still held, then frees it. */
  readonly remove: () => void;
  /** Frees the lock and leaves the file: there is still something to close for this instance. */
  readonly leave: () => void;
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

/** Undefined when the locked file is no longer the one at its path; throws SQLite's error when it cannot be locked. */
function lockOf(driver: Driver, folder: string, id: string): InstanceLock | undefined {
  const path = join(folder, id + SUFFIX);
  const before = identify(path);
  const db = new driver(path, { timeout: 0, fileMustExist: true });
  try {
    // Without it the empty database would get a journal file beside it.
    db.pragma("journal_mode = MEMORY");
    db.exec("BEGIN EXCLUSIVE");
    if (isSame(before, identify(path))) return { id, remove: () => remove(path, db), leave: () => db.close() };
  } catch (error) {
    db.close();
    throw error;
  }
  db.close();
  return undefined;
}

function remove(path: string, db: Connection): void {
  const isGone = unlink(path);
  // Windows does not remove a file that is open. Between the two calls nobody finds anything left to close, and a file
  // that stays is one that the next start looks at again.
  db.close();
  if (!isGone) unlink(path);
}

function unlink(path: string): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch {
    return false;
  }
}
