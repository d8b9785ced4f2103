import { openDatabase } from "../state/database.ts";
import type { OpenDatabase } from "../state/database.ts";
import type { Connection, Driver } from "../state/driver.ts";
import { preparePlace } from "../state/place.ts";
import { auditFile } from "./file.ts";
import { holdInstance, instancesFolder, takeDead } from "./instance.ts";
import type { InstanceLock } from "./instance.ts";
import type { Row } from "./rows.ts";
import { APPLICATION_ID, CLOSE_RELEASES, INSERT_EVENT, MIGRATIONS } from "./schema.ts";

/** The open database: rows go in, one durable commit at a time. Everything here throws what SQLite throws. */
export interface Book {
  /** The id under which rows are written, and whose lock this process holds. */
  readonly instance: string;
  /** Resolved durably when it returns; none of the rows is there when it throws. Blocks at most `busyMs` for a lock. */
  readonly write: (rows: readonly Row[], busyMs: number) => void;
  /**
   * Writes the last rows, says of every delivery of this process that has no end yet that its outcome is unknown, and
   * gives up the instance lock. Where that fails the lock file stays, so that the next process to open the log does it.
   */
  readonly end: (rows: readonly Row[], busyMs: number) => void;
}

export interface BookOptions {
  readonly driver: Driver;
  readonly file: string;
  readonly instance: string;
  readonly now: () => number;
  readonly busyMs: number;
  /** Stops the database from growing, as a full disk would. */
  readonly maxPages?: number;
}

/** Opens the log, making or upgrading it where needed, and closes what dead processes left open. */
export function openBook(options: BookOptions): Book {
  const { driver, now, busyMs, maxPages } = options;
  const file = auditFile(options.file);
  const identity = preparePlace(file);
  const folder = instancesFolder(file.path);
  const lock = holdInstance(driver, folder, options.instance);
  let dead: readonly InstanceLock[] = [];
  let open: OpenDatabase | undefined;
  try {
    dead = takeDead(driver, folder, lock.id);
    open = openDatabase({
      driver,
      file,
      identity,
      applicationId: APPLICATION_ID,
      migrations: MIGRATIONS,
      // 2 MB instead of 16: rows are added at the end, so more would only be memory.
      settings: ["recursive_triggers = ON", "cache_size = -2000"],
      busyMs,
      maxPages,
      begin: (db) => closeDead(db, dead, now()),
    });
    for (const other of dead) other.remove();
    return bookOf(open, lock, now);
  } catch (error) {
    open?.db.close();
    for (const other of dead) other.leave();
    lock.remove();
    throw error;
  }
}

function closeDead(db: Connection, dead: readonly InstanceLock[], at: number): void {
  const close = db.prepare(CLOSE_RELEASES);
  for (const { id } of dead) {
    close.run({ at, instance: id, detail: "the process ended without saying what became of it" });
  }
}

function bookOf({ db, assertInPlace }: OpenDatabase, lock: InstanceLock, now: () => number): Book {
  const beginNow = db.prepare("BEGIN IMMEDIATE");
  const commit = db.prepare("COMMIT");
  const insert = db.prepare(INSERT_EVENT);
  const close = db.prepare(CLOSE_RELEASES);
  let busy = -1;

  const commitAll = (rows: readonly Row[], busyMs: number, last?: () => void): void => {
    if (busy !== busyMs) db.pragma(`busy_timeout = ${(busy = busyMs)}`);
    beginNow.run();
    try {
      for (const row of rows) insert.run(...row, lock.id);
      last?.();
      assertInPlace();
      commit.run();
    } catch (error) {
      // SQLite has already rolled back after some errors, a full disk among them.
      if (db.inTransaction) db.exec("ROLLBACK");
      throw error;
    }
  };

  return {
    instance: lock.id,
    write: (rows, busyMs) => commitAll(rows, busyMs),
    end: (rows, busyMs) => {
      const detail = "the process was stopped before it could say what became of it";
      let clean = false;
      try {
        commitAll(rows, busyMs, () => close.run({ at: now(), instance: lock.id, detail }));
        clean = true;
      } finally {
        db.close();
        if (clean) lock.remove();
        else lock.leave();
      }
    },
  };
}
