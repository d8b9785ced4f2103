import { VaultError } from "../core/errors.ts";
import type { Connection, Driver } from "./driver.ts";
import { codeOf, gone } from "./faults.ts";
import type { StateFile } from "./file.ts";
import { identify, isSame } from "./place.ts";
import type { Identity } from "./place.ts";

/** An open database of ours. */
export interface OpenDatabase {
  readonly db: Connection;
  /**
   * Throws when the file or a companion is no longer the one that is open: what is committed to a file that has lost its
   * name is lost with the process, so it is called before each commit. About 6 µs.
   */
  readonly assertInPlace: () => void;
}

export interface DatabaseOptions {
  readonly driver: Driver;
  readonly file: StateFile;
  /** What `preparePlace` found there. */
  readonly identity: Identity;
  /** Marks the database as ours, so that no other file is ever taken for it. */
  readonly applicationId: number;
  /** Numbered, forward only: a database at version n has run the first n. One that has run more is refused. */
  readonly migrations: readonly string[];
  /** Settings of the connection beyond those that make it durable: "recursive_triggers = ON". */
  readonly settings: readonly string[];
  readonly busyMs: number;
  /** Stops the database from growing, as a full disk would. */
  readonly maxPages?: number | undefined;
  /** What belongs into the first commit besides the migrations. */
  readonly begin?: (db: Connection) => void;
}

const PAUSE_MS = 5;

/**
 * Opens a database of ours so that a commit survives a power cut, and makes or upgrades it where needed. Throws what
 * SQLite throws, and the code of the file where the database is another program's, too new, or not to be had durably.
 */
export function openDatabase(options: DatabaseOptions): OpenDatabase {
  const { driver, file, identity, busyMs } = options;
  const db = new driver(file.path, { timeout: busyMs, fileMustExist: true });
  try {
    // One transaction, or a database that another process is just making would look half like a stranger's.
    db.exec("BEGIN");
    refuseStrangers(db, options);
    db.exec("COMMIT");
    set(db, options);
    begin(db, options);
    const parts = [{ path: file.path, identity }, ...companions(file.path)];
    const assertInPlace = (): void => {
      for (const part of parts) if (!isSame(part.identity, identify(part.path))) throw gone(file, part.path);
    };
    return { db, assertInPlace };
  } catch (error) {
    db.close();
    throw error;
  }
}

function companions(path: string): { path: string; identity: Identity | undefined }[] {
  return [`${path}-wal`, `${path}-shm`].map((each) => ({ path: each, identity: identify(each) }));
}

/** Some other program's database, or one from a newer release, is left exactly as it is. */
function refuseStrangers(db: Connection, { file, applicationId, migrations }: DatabaseOptions): void {
  const id = db.pragma("application_id", { simple: true });
  const isEmpty = db.prepare("SELECT count(*) FROM sqlite_schema").pluck().get() === 0;
  if (id !== applicationId && !isEmpty) {
    throw new VaultError(file.code, `${file.path} is a database of something else, not ${file.name}`, {
      hint: `move it aside, or ${file.elsewhere}`,
    });
  }
  if (Number(db.pragma("user_version", { simple: true })) > migrations.length) {
    throw new VaultError(file.code, `${file.name} ${file.path} was written by a newer agent-vault`, {
      hint: "update agent-vault",
    });
  }
}

function set(db: Connection, { file, settings, busyMs, maxPages }: DatabaseOptions): void {
  if (switchToWal(db, busyMs) !== "wal") {
    throw new VaultError(file.code, `${file.name} ${file.path} lies where SQLite cannot keep a write-ahead log`, {
      hint: `it needs a local disk: ${file.elsewhere}`,
    });
  }
  // better-sqlite3 is built so that WAL means NORMAL, which forgets the last commits in a power cut.
  db.pragma("synchronous = FULL");
  db.pragma("fullfsync = ON");
  db.pragma("checkpoint_fullfsync = ON");
  db.pragma("trusted_schema = OFF");
  for (const setting of settings) db.pragma(setting);
  if (maxPages !== undefined) db.pragma(`max_page_count = ${maxPages}`);
}

/** Of several processes that switch a new database at once SQLite sends all but one away instead of having them wait. */
function switchToWal(db: Connection, busyMs: number): unknown {
  const until = performance.now() + busyMs;
  for (;;) {
    try {
      return db.pragma("journal_mode = WAL", { simple: true });
    } catch (error) {
      if (codeOf(error) !== "SQLITE_BUSY" || performance.now() >= until) throw error;
    }
    standStill(PAUSE_MS);
  }
}

function standStill(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** The first commit: it writes even when there is nothing new, so that what was asked of SQLite can be checked after. */
function begin(db: Connection, options: DatabaseOptions): void {
  const { file, applicationId, migrations } = options;
  db.exec("BEGIN IMMEDIATE");
  // Another process may have come first while we waited for the lock.
  refuseStrangers(db, options);
  for (const sql of migrations.slice(Number(db.pragma("user_version", { simple: true })))) db.exec(sql);
  db.pragma(`application_id = ${applicationId}`);
  db.pragma(`user_version = ${migrations.length}`);
  options.begin?.(db);
  db.exec("COMMIT");
  const synchronous = db.pragma("synchronous", { simple: true });
  if (synchronous === 2) return;
  throw new VaultError(file.code, `SQLite will not write ${file.path} durably (synchronous is ${String(synchronous)})`);
}
