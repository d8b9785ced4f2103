import { chmodSync, closeSync, fchmodSync, lstatSync, mkdirSync, openSync } from "node:fs";
import type { Stats } from "node:fs";
import { dirname } from "node:path";
import { VaultError } from "../core/errors.ts";
import { codeOf } from "./faults.ts";

// Beware: POSIX locks belong to the process, and closing *any* descriptor of a file drops them all. Whoever opens the
// database or a lock file with node:fs while SQLite has it open frees SQLite's locks. Here such files are only stat'ed.

/** Which file it is, whatever its name. */
export interface Identity {
  readonly dev: number;
  readonly ino: number;
}

/**
 * Makes sure that the file and its folder exist, are ours alone and no detour: folders it makes are 0700, the file and
 * its companions 0600, whatever the umask. Throws `audit_unavailable` for a link, and for what belongs to somebody else.
 */
export function preparePlace(file: string): Identity {
  prepareFolder(dirname(file));
  for (const path of [file, `${file}-wal`, `${file}-shm`]) {
    const stats = lstat(path);
    if (stats) vetFile(path, stats);
  }
  createFile(file);
  const identity = identify(file);
  if (!identity) throw refused(file, "vanished while it was being opened");
  return identity;
}

/** The file at a path just now; undefined when there is none. About 2 µs. */
export function identify(path: string): Identity | undefined {
  const stats = lstat(path);
  return stats && { dev: stats.dev, ino: stats.ino };
}

export function isSame(a: Identity | undefined, b: Identity | undefined): boolean {
  return a !== undefined && b !== undefined && a.ino === b.ino && a.dev === b.dev;
}

/** Makes a folder that only we can look into, or vets the one that is there. */
export function prepareFolder(folder: string): void {
  const stats = lstat(folder);
  if (!stats) {
    if (dirname(folder) !== folder && !exists(dirname(folder))) prepareFolder(dirname(folder));
    try {
      mkdirSync(folder, { mode: 0o700 });
      chmodSync(folder, 0o700);
    } catch (error) {
      if (codeOf(error) !== "EEXIST") throw error;
      prepareFolder(folder);
    }
    return;
  }
  if (stats.isSymbolicLink()) throw refused(folder, "is a symbolic link");
  if (!stats.isDirectory()) throw refused(folder, "is not a folder");
  if (isForeign(stats)) throw refused(folder, "belongs to another user");
  if (process.platform !== "win32" && (stats.mode & 0o022) !== 0) {
    throw refused(
      folder,
      "can be changed by other users",
      `chmod go-w ${folder}, or set audit.database to another place`,
    );
  }
}

/** Makes an empty file of mode 0600; false when there already is one. */
export function createFile(path: string): boolean {
  let fd: number;
  try {
    fd = openSync(path, "wx", 0o600);
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  }
  fchmodSync(fd, 0o600);
  closeSync(fd);
  return true;
}

/** Whether a path may be opened as one of our files: a plain file of ours. */
export function isPlain(path: string): boolean {
  const stats = lstat(path);
  return stats !== undefined && stats.isFile() && !isForeign(stats);
}

function vetFile(path: string, stats: Stats): void {
  if (stats.isSymbolicLink()) throw refused(path, "is a symbolic link");
  if (!stats.isFile()) throw refused(path, "is not a file");
  if (isForeign(stats)) throw refused(path, "belongs to another user");
  if (process.platform !== "win32" && (stats.mode & 0o777) !== 0o600) chmodSync(path, 0o600);
}

function isForeign(stats: Stats): boolean {
  return process.getuid !== undefined && stats.uid !== process.getuid();
}

function exists(path: string): boolean {
  return lstat(path) !== undefined;
}

function lstat(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

function refused(path: string, why: string, hint = "remove it, or set audit.database to another place"): VaultError {
  return new VaultError("audit_unavailable", `the audit log is not opened: ${path} ${why}`, { hint });
}
