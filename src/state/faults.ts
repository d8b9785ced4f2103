import { VaultError } from "../core/errors.ts";
import type { Contents, StateFile } from "./file.ts";

/** Why a file of ours could not be read or written, and whether waiting a moment can help. */
export interface Fault {
  readonly error: VaultError;
  readonly passing: boolean;
}

interface Meaning {
  readonly what: string;
  readonly hint: (contents: Contents) => string;
  readonly passing?: true;
}

const LOCKED: Meaning = {
  what: "is locked by another process",
  hint: () => "close whatever keeps it open (a database browser, a backup) and try again",
  passing: true,
};
const FULL: Meaning = {
  what: "cannot grow: its disk is full",
  hint: ({ elsewhere }) => `free some space or ${elsewhere}`,
  passing: true,
};
const READ_ONLY: Meaning = {
  what: "is read-only",
  hint: ({ elsewhere }) => `make it writable for your user or ${elsewhere}`,
};
const DAMAGED: Meaning = {
  what: "is damaged",
  hint: ({ anew }) => `move it aside with its -wal and -shm, keep them for examination, and ${anew}`,
};
const CLOSED_DOOR: Meaning = {
  what: "cannot be opened",
  hint: ({ elsewhere }) => `check its folder and who owns it, or ${elsewhere}`,
};
const GONE: Meaning = {
  what: "was moved, deleted or replaced while in use",
  hint: ({ anew }) => `put it back, or ${anew}`,
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
  SQLITE_IOERR: {
    what: "cannot be read or written: its disk fails",
    hint: ({ elsewhere }) => `check the disk or ${elsewhere}`,
    passing: true,
  },
};

/** Translates whatever went wrong with a file of ours. The message says what is wrong, the hint what to do. */
export function faultOf(error: unknown, file: StateFile): Fault {
  if (error instanceof VaultError) return { error, passing: false };
  const code = codeOf(error);
  const meaning = meaningOf(code);
  const suffix = code === "" ? "" : ` (${code})`;
  return {
    error: new VaultError(file.code, `${file.name} ${file.path} ${meaning.what}${suffix}`, {
      hint: meaning.hint(file),
      cause: error,
    }),
    passing: meaning.passing === true,
  };
}

/** Whether it failed because another process has the file locked, after waiting for that. */
export function isLock(error: unknown): boolean {
  return meaningOf(codeOf(error)) === LOCKED;
}

/** The file a connection has open is no longer the one at its path: what is committed there, nobody will ever read. */
export function gone(file: StateFile, path = file.path): VaultError {
  return new VaultError(file.code, `${file.name} ${path} ${GONE.what}`, { hint: GONE.hint(file) });
}

/** The program is on its way out: what is not durable by now will not be. */
export function closing({ code, name, path }: StateFile): VaultError {
  return new VaultError(code, `${name} ${path} is closed: agent-vault is stopping`);
}

function meaningOf(code: string): Meaning {
  return MEANINGS[code] ?? MEANINGS[code.split("_", 2).join("_")] ?? CLOSED_DOOR;
}

/** The code that SQLite and Node put on their errors; empty for anything else. */
export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}
