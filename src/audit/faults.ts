import { VaultError } from "../core/errors.ts";

/** Why the log could not be written, and whether waiting a moment can help. */
export interface Fault {
  readonly error: VaultError;
  readonly passing: boolean;
}

interface Meaning {
  readonly what: string;
  readonly hint: string;
  readonly passing?: true;
}

const ELSEWHERE = "or set audit.database to another place";

const LOCKED: Meaning = {
  what: "is locked by another process",
  hint: "close whatever keeps it open (a database browser, a backup) and try again",
  passing: true,
};
const FULL: Meaning = { what: "cannot grow: its disk is full", hint: `free some space ${ELSEWHERE}`, passing: true };
const READ_ONLY: Meaning = { what: "is read-only", hint: `make it writable for your user ${ELSEWHERE}` };
const DAMAGED: Meaning = {
  what: "is damaged",
  hint: "move it aside with its -wal and -shm, keep them for examination, and restart agent-vault for a new log",
};
const CLOSED_DOOR: Meaning = { what: "cannot be opened", hint: `check its folder and who owns it, ${ELSEWHERE}` };
const GONE: Meaning = {
  what: "was moved, deleted or replaced while in use",
  hint: "put it back, or restart agent-vault to begin a new log",
};

/** Codes of SQLite by their first word, extended ones where they differ, and those of Node's file functions. */
const MEANINGS: Readonly<Record<string, Meaning>> = {
  SQLITE_BUSY: LOCKED,
  SQLITE_LOCKED: LOCKED,
  SQLITE_PROTOCOL: LOCKED,
  SQLITE_FULL: FULL,
  ENOSPC: FULL,
  EDQUOT: FULL,
  SQLITE_READONLY: READ_ONLY,
  SQLITE_READONLY_DBMOVED: GONE,
  SQLITE_PERM: READ_ONLY,
  EROFS: READ_ONLY,
  EACCES: READ_ONLY,
  EPERM: READ_ONLY,
  SQLITE_CORRUPT: DAMAGED,
  SQLITE_NOTADB: DAMAGED,
  SQLITE_CANTOPEN: CLOSED_DOOR,
  SQLITE_IOERR: { what: "cannot be written: its disk fails", hint: `check the disk ${ELSEWHERE}`, passing: true },
};

/** Translates whatever went wrong with the log at `file`. The message says what is wrong, the hint what to do. */
export function faultOf(error: unknown, file: string): Fault {
  if (error instanceof VaultError) return { error, passing: false };
  const code = codeOf(error);
  const meaning = MEANINGS[code] ?? MEANINGS[code.split("_", 2).join("_")] ?? CLOSED_DOOR;
  const suffix = code === "" ? "" : ` (${code})`;
  return {
    error: new VaultError("audit_unavailable", `the audit log ${file} ${meaning.what}${suffix}`, {
      hint: meaning.hint,
      cause: error,
    }),
    passing: meaning.passing === true,
  };
}

/** The file a connection has open is no longer the one at its path: what is committed there, nobody will ever read. */
export function gone(path: string): VaultError {
  return new VaultError("audit_unavailable", `the audit log ${path} ${GONE.what}`, { hint: GONE.hint });
}

/** The program is on its way out: what was not durable by now is not released either. */
export function closing(file: string): VaultError {
  return new VaultError("audit_unavailable", `the audit log ${file} is closed: agent-vault is stopping`);
}

/** The code that SQLite and Node put on their errors; empty for anything else. */
export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}
