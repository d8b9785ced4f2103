import { join } from "node:path";
import { loadDriver, type Connection } from "../audit/driver.ts";
import { preparePlace } from "../audit/place.ts";
import { asVaultError, VaultError } from "../core/errors.ts";
import type { Notes } from "../core/ports.ts";

const TABLE = `CREATE TABLE IF NOT EXISTS note (
  scope TEXT NOT NULL, key TEXT NOT NULL, record TEXT NOT NULL, PRIMARY KEY (scope, key)
) STRICT, WITHOUT ROWID`;
const BUSY_MS = 2_000;

/** The notes of a user in `notes.db` of the state folder. Nothing is opened before the first note is read or written. */
export function openNotes(folder: string): { readonly of: (scope: string) => Notes; readonly close: () => void } {
  const file = join(folder, "notes.db");
  let connection: Connection | undefined;
  const open = (): Connection => {
    if (connection) return connection;
    preparePlace(file);
    const opened = new (loadDriver())(file, { timeout: BUSY_MS });
    opened.pragma("journal_mode = WAL");
    opened.pragma("synchronous = FULL");
    opened.exec(TABLE);
    connection = opened;
    return opened;
  };
  const attempt = <T>(run: (db: Connection) => T): T => {
    try {
      return run(open());
    } catch (error) {
      throw new VaultError("provider_unavailable", `${file} cannot be used: what was asked for upstream must be kept`, {
        hint: asVaultError(error).hint ?? "check the folder, its owner and the space on its disk",
        cause: error,
      });
    }
  };
  return {
    of: (scope) => ({
      get: (key) =>
        attempt((db) => {
          const text = db.prepare("SELECT record FROM note WHERE scope = ? AND key = ?").pluck().get(scope, key);
          return typeof text === "string" ? JSON.parse(text) : undefined;
        }),
      all: () =>
        attempt((db) => {
          const rows = db.prepare<[string], { key: string; record: string }>(
            "SELECT key, record FROM note WHERE scope = ?",
          );
          return new Map<string, unknown>(rows.all(scope).map(({ key, record }) => [key, JSON.parse(record)]));
        }),
      put: (key, record) =>
        attempt((db) => {
          db.prepare("INSERT OR REPLACE INTO note VALUES (?, ?, ?)").run(scope, key, JSON.stringify(record));
        }),
      add: (key, record) =>
        attempt(
          (db) =>
            db.prepare("INSERT OR IGNORE INTO note VALUES (?, ?, ?)").run(scope, key, JSON.stringify(record)).changes >
            0,
        ),
      delete: (key) =>
        attempt((db) => {
          db.prepare("DELETE FROM note WHERE scope = ? AND key = ?").run(scope, key);
        }),
    }),
    close: () => connection?.close(),
  };
}
