// Reads and writes a database of the state folder as any program of its owner can: FILE PROGRAM VERB ...
import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";

const [file, program, verb, ...args] = process.argv.slice(2);
process.umask(0o077);
mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
const Database = createRequire(program)("better-sqlite3");
const db = new Database(file, { timeout: 2_000 });

const verbs = {
  /** SCOPE KEY RECORD: a note, in a notes file that is made where there is none. */
  put: (scope, key, record) => {
    db.pragma("journal_mode = WAL");
    db.exec(
      "CREATE TABLE IF NOT EXISTS note (scope TEXT NOT NULL, key TEXT NOT NULL, record TEXT NOT NULL, PRIMARY KEY (scope, key)) STRICT, WITHOUT ROWID",
    );
    // What marks a notes file: "AgVn".
    db.pragma("application_id = 1097291374");
    db.pragma("user_version = 1");
    db.prepare("INSERT OR REPLACE INTO note VALUES (?, ?, ?)").run(scope, key, record);
  },
  /** SCOPE KEY: takes a note out. */
  delete: (scope, key) => void db.prepare("DELETE FROM note WHERE scope = ? AND key = ?").run(scope, key),
  /** SQL: runs it and prints what comes. */
  sql: (text) => {
    const statement = db.prepare(text);
    process.stdout.write(JSON.stringify(statement.reader ? statement.all() : statement.run()));
  },
};
verbs[verb](...args);
db.close();
