import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { onTestFinished } from "vitest";
import type { Event } from "../../src/core/event.ts";
import { openLog } from "../../src/audit/sqlite.ts";
import type { Log, LogOptions } from "../../src/audit/sqlite.ts";

/** A folder that is gone after the test. */
export function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), "agent-vault-audit-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A path for a log whose folder does not exist yet. */
export function logPath(): string {
  return join(scratch(), "state", "audit.db");
}

/** An open log that is closed after the test. */
export function logAt(file: string, options: Partial<LogOptions> = {}): Log {
  const log = openLog({ file, ...options });
  onTestFinished(() => void log.close());
  return log;
}

/** What the log holds, seen through a connection of its own. Never read the file itself: that would free its locks. */
export function query<T = Record<string, unknown>>(file: string, sql: string, ...values: unknown[]): T[] {
  const db = new Database(file, { readonly: true });
  try {
    return db.prepare<unknown[], T>(sql).all(...values);
  } finally {
    db.close();
  }
}

export const AT = Date.UTC(2026, 10, 20, 14, 32, 7, 45);

/** An event with everything in it, before the parts that matter to the test. */
export function event(parts: Partial<Event> = {}): Event {
  return {
    kind: "releasing",
    at: AT,
    session: "session-1",
    request: "request-1",
    vault: "dev",
    provider: "env",
    action: "read",
    names: ["DATABASE_URL"],
    refs: ["/home/ann/shop/.env.secrets#DATABASE_URL"],
    reason: "to run the migration of the orders table",
    requester: {
      claims: { client: "claude-code 2.1.0", roots: ["/home/ann/shop"] },
      facts: { user: "ann", host: "anvil", folder: "/home/ann/shop", process: "claude" },
    },
    approval: "approval-1",
    ...parts,
  };
}
