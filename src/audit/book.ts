import type { Connection, Driver } from "./driver.ts";
import { gone } from "./faults.ts";
import { holdInstance, instancesFolder, takeDead } from "./instance.ts";
import type { InstanceLock } from "./instance.ts";
import { identify, isSame, preparePlace } from "./place.ts";
import type { Identity } from "./place.ts";
import type { Row } from "./rows.ts";
import { APPLICATION_ID, CLOSE_RELEASES, INSERT_EVENT, MIGRATIONS } from "./schema.ts";
import { VaultError } from "../core/errors.ts";

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
  const { driver, file, now } = options;
  const identity = preparePlace(file);
  const folder = instancesFolder(file);
  const lock = holdInstance(driver, folder, options.instance);
  let dead: readonly InstanceLock[] = [];
  let db: Connection | undefined;
  try {
    dead = takeDead(driver, folder, lock.id);
    db = connect(options);
    begin(db, options, dead);
    for (const other of dead) other.remove();
    return bookOf(db, { file, identity, lock, now });
  } catch (error) {
    db?.close();
    for (const other of dead) other.leave();
    lock.remove();
    throw error;
  }
}

function connect({ driver, file, busyMs, maxPages }: BookOptions): Connection {
  const db = new driver(file, { timeout: busyMs, fileMustExist: true });
  try {
    refuseStrangers(db, file);
    const mode = db.pragma("journal_mode = WAL", { simple: true });
    if (mode !== "wal") {
      throw new VaultError(
        "audit_unavailable",
        `the audit log ${file} lies where SQLite cannot keep a write-ahead log`,
        {
          hint: "set audit.database to a local disk",
        },
      );
    }
    // better-sqlite3 is built so that WAL means NORMAL, which forgets the last commits in a power cut.
    db.pragma("synchronous = FULL");
    db.pragma("fullfsync = ON");
    db.pragma("checkpoint_fullfsync = ON");
    db.pragma("recursive_triggers = ON");
    db.pragma("trusted_schema = OFF");
    // 2 MB instead of 16: rows are added at the end, so more would only be memory.
    db.pragma("cache_size = -2000");
    if (maxPages !== undefined) db.pragma(`max_page_count = ${maxPages}`);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Some other program's database, or one from a newer release, is left exactly as it is. */
function refuseStrangers(db: Connection, file: string): void {
  const id = db.pragma("application_id", { simple: true });
  const isEmpty = db.prepare("SELECT count(*) FROM sqlite_schema").pluck().get() === 0;
  if (id !== APPLICATION_ID && !isEmpty) {
    throw new VaultError("audit_unavailable", `${file} is a database of something else, not an audit log`, {
      hint: "move it aside, or set audit.database to another file",
    });
  }
  if (Number(db.pragma("user_version", { simple: true })) > MIGRATIONS.length) {
    throw new VaultError("audit_unavailable", `the audit log ${file} was written by a newer agent-vault`, {
      hint: "update agent-vault",
    });
  }
}

/** The first commit: it writes even when there is nothing new, so that what was asked of SQLite can be checked after. */
function begin(db: Connection, { file, now }: BookOptions, dead: readonly InstanceLock[]): void {
  db.exec("BEGIN IMMEDIATE");
  // Another process may have come first while we waited for the lock.
  refuseStrangers(db, file);
  for (const sql of MIGRATIONS.slice(Number(db.pragma("user_version", { simple: true })))) db.exec(sql);
  db.pragma(`application_id = ${APPLICATION_ID}`);
  db.pragma(`user_version = ${MIGRATIONS.length}`);
  const close = db.prepare(CLOSE_RELEASES);
  for (const { id } of dead) {
    close.run({ at: now(), instance: id, detail: "the process ended without saying what became of it" });
  }
  db.exec("COMMIT");
  const synchronous = db.pragma("synchronous", { simple: true });
  if (synchronous === 2) return;
  throw new VaultError(
    "audit_unavailable",
    `SQLite will not write ${file} durably (synchronous is ${String(synchronous)})`,
  );
}

interface Open {
  readonly file: string;
  readonly identity: Identity;
  readonly lock: InstanceLock;
  readonly now: () => number;
}

function bookOf(db: Connection, { file, identity, lock, now }: Open): Book {
  const beginNow = db.prepare("BEGIN IMMEDIATE");
  const commit = db.prepare("COMMIT");
  const insert = db.prepare(INSERT_EVENT);
  const close = db.prepare(CLOSE_RELEASES);
  const companions = [`${file}-wal`, `${file}-shm`].map((path) => ({ path, identity: identify(path) }));
  let busy = -1;

  // What is committed to a file that has lost its name is lost with the process, so it is looked at before each commit.
  const assertInPlace = (): void => {
    if (!isSame(identity, identify(file))) throw gone(file);
    for (const companion of companions) {
      if (!isSame(companion.identity, identify(companion.path))) throw gone(companion.path);
    }
  };

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
