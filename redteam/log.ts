import { cpSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type BetterSqlite3 from "better-sqlite3";

/** A line of the audit log, as far as a judge needs it. */
export interface LogEvent {
  readonly kind: string;
  readonly proof: string | null;
  readonly names: string | null;
  readonly reason: string | null;
  readonly approver: string | null;
  readonly [column: string]: unknown;
}

/** What stands in lines that an attack wrote itself: they are no approvals of anybody. */
export const FORGED = "forged by an attack";

/** The log as it stands, read from a copy: looking at it must not leave anything behind beside it. */
export function eventsIn(file: string): readonly LogEvent[] {
  if (!existsSync(file)) return [];
  const folder = mkdtempSync(join(tmpdir(), "agent-vault-redteam-log-"));
  try {
    const copy = join(folder, "audit.db");
    cpSync(file, copy);
    if (existsSync(`${file}-wal`)) cpSync(`${file}-wal`, `${copy}-wal`);
    const Database = createRequire(import.meta.url)("better-sqlite3") as typeof BetterSqlite3;
    const db = new Database(copy);
    try {
      return db.prepare("SELECT * FROM event ORDER BY seq").all() as LogEvent[];
    } finally {
      db.close();
    }
  } catch {
    // Not a log any more: whoever destroyed it leaves no line in it.
    return [];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
