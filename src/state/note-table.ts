import { openDatabase } from "./database.ts";
import { loadDriver } from "./driver.ts";
import type { StateFile } from "./file.ts";
import { preparePlace } from "./place.ts";

/** The open notes, as the text they are kept as. Durable when a call returns. Everything here throws what SQLite throws. */
export interface NoteTable {
  readonly get: (scope: string, key: string) => string | undefined;
  readonly all: (scope: string) => readonly KeptNote[];
  readonly put: (scope: string, key: string, record: string) => void;
  /** Whether there was none. Of all processes exactly one is told so. */
  readonly add: (scope: string, key: string, record: string) => boolean;
  /** Whether it was still `from`. Of all processes exactly one is told so. */
  readonly swap: (scope: string, key: string, from: string, to: string | undefined) => boolean;
  readonly delete: (scope: string, key: string) => void;
  /** Whether it was deleted: it was there, and all that is kept in the scope at that moment permitted it. */
  readonly deleteIf: (scope: string, key: string, mayGo: (all: readonly KeptNote[]) => boolean) => boolean;
  readonly close: () => void;
}

export interface KeptNote {
  readonly key: string;
  readonly record: string;
}

/** Marks a database as ours ("AgVn"). */
const APPLICATION_ID = 0x4167566e;

const MIGRATIONS: readonly string[] = [
  `CREATE TABLE note (
    scope TEXT NOT NULL, key TEXT NOT NULL, record TEXT NOT NULL, PRIMARY KEY (scope, key)
  ) STRICT, WITHOUT ROWID`,
];

const GET = "SELECT record FROM note WHERE scope = ? AND key = ?";
const ALL = "SELECT key, record FROM note WHERE scope = ? ORDER BY key";
const PUT = "INSERT INTO note VALUES (?, ?, ?) ON CONFLICT (scope, key) DO UPDATE SET record = excluded.record";
const ADD = "INSERT INTO note VALUES (?, ?, ?) ON CONFLICT (scope, key) DO NOTHING";
const REPLACE = "UPDATE note SET record = ? WHERE scope = ? AND key = ? AND record = ?";
const REMOVE = "DELETE FROM note WHERE scope = ? AND key = ? AND record = ?";
const DELETE = "DELETE FROM note WHERE scope = ? AND key = ?";

/** How long a call waits for another process, ms: everything stands still meanwhile, the end of the process too. */
const BUSY_MS = 200;
/** How much longer for tidying up, which can be left to the next call. */
const TIDY_BUSY_MS = 50;

/** Opens the notes, making the file where there is none. */
export function openNoteTable(file: StateFile): NoteTable {
  const driver = loadDriver(file);
  const { db, assertInPlace } = openDatabase({
    driver,
    file,
    identity: preparePlace(file),
    applicationId: APPLICATION_ID,
    migrations: MIGRATIONS,
    // What was deleted is overwritten at once, not when its place is next needed.
    settings: ["secure_delete = ON", "cache_size = -500"],
    busyMs: BUSY_MS,
  });
  const begin = db.prepare("BEGIN IMMEDIATE");
  const commit = db.prepare("COMMIT");
  const get = db.prepare<[string, string], string>(GET).pluck();
  const all = db.prepare<[string], KeptNote>(ALL);
  const put = db.prepare(PUT);
  const add = db.prepare(ADD);
  const replace = db.prepare(REPLACE);
  const removeIf = db.prepare(REMOVE);
  const remove = db.prepare(DELETE);

  const committing = <T>(change: () => T): T => {
    begin.run();
    try {
      const result = change();
      assertInPlace();
      commit.run();
      return result;
    } catch (error) {
      // SQLite has already rolled back after some errors, a full disk among them.
      if (db.inTransaction) db.exec("ROLLBACK");
      throw error;
    }
  };

  // The write-ahead log still holds what a commit has replaced, until it is folded back and cut to nothing.
  // Whoever is in its way is waited for once: until it has worked again, it only tries.
  let patienceMs = TIDY_BUSY_MS;
  const tidy = (): void => {
    db.pragma(`busy_timeout = ${patienceMs}`);
    patienceMs = 0;
    try {
      const isBusy = db.pragma("wal_checkpoint(TRUNCATE)", { simple: true });
      if (isBusy === 0) patienceMs = TIDY_BUSY_MS;
    } catch {
      // The change itself is durable, and the next change or the next to open the file tidies up for this one.
    } finally {
      db.pragma(`busy_timeout = ${BUSY_MS}`);
    }
  };

  // A process may have been killed after its change and before it tidied up.
  tidy();
  return {
    get: (scope, key) => {
      assertInPlace();
      return get.get(scope, key);
    },
    all: (scope) => {
      assertInPlace();
      return all.all(scope);
    },
    put: (scope, key, record) => {
      committing(() => put.run(scope, key, record));
      tidy();
    },
    add: (scope, key, record) => committing(() => add.run(scope, key, record).changes === 1),
    swap: (scope, key, from, to) => {
      const { changes } = committing(() =>
        to === undefined ? removeIf.run(scope, key, from) : replace.run(to, scope, key, from),
      );
      if (changes > 0) tidy();
      return changes === 1;
    },
    delete: (scope, key) => {
      if (committing(() => remove.run(scope, key).changes) > 0) tidy();
    },
    deleteIf: (scope, key, mayGo) => {
      const changes = committing(() => (mayGo(all.all(scope)) ? remove.run(scope, key).changes : 0));
      if (changes > 0) tidy();
      return changes > 0;
    },
    close: () => db.close(),
  };
}
