import { unlinkSync } from "node:fs";
import type { Connection, Driver } from "./driver.ts";
import { identify, isSame } from "./place.ts";

/**
 * A file that one process has to itself: SQLite's exclusive lock on it. The kernel frees the lock when the process ends,
 * however it ends, so whoever gets it has proof that the one before is gone.
 */
export interface HeldFile {
  /** Removes the file while it is still held, then lets go of it. */
  readonly remove: () => void;
  /** Lets go of it, and leaves it where it is. */
  readonly leave: () => void;
}

/**
 * Takes the lock on an empty file that is there already. Undefined when what was locked is no longer the file at that
 * path; throws SQLite's error when it cannot be locked: `SQLITE_BUSY` while somebody else has it.
 */
export function holdFile(driver: Driver, path: string): HeldFile | undefined {
  const before = identify(path);
  const db = new driver(path, { timeout: 0, fileMustExist: true });
  try {
    // Without it the empty database would get a journal file beside it.
    db.pragma("journal_mode = MEMORY");
    db.exec("BEGIN EXCLUSIVE");
    if (isSame(before, identify(path))) return { remove: () => remove(path, db), leave: () => db.close() };
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
