import { chmodSync, closeSync, fchmodSync, lstatSync, mkdirSync, openSync } from "node:fs";
import type { Stats } from "node:fs";
import { dirname } from "node:path";
import { VaultError } from "../core/errors.ts";
import { codeOf } from "./faults.ts";
import type { Contents, StateFile } from "./file.ts";

// Beware: POSIX locks belong to the process, and closing *any* descriptor of a file drops them all. Whoever opens the
// database or a lock file with node:fs while SQLite has it open frees SQLite's locks. Here such files are only stat'ed.

/** Which file it is, whatever its name. */
export interface Identity {
  readonly dev: number;
  readonly ino: number;
}

/**
 * Makes sure that the file and its folder exist, are ours alone and no detour: folders it makes are 0700, the file and
 * its companions 0600, whatever the umask. Throws for a link, and for what belongs to somebody else, with the code of the
 * file.
 */
export function preparePlace(file: StateFile): Identity {
  const { path } = file;
  prepareFolder(dirname(path), file);
  for (const each of [path, `${path}-wal`, `${path}-shm`]) {
    const stats = lstat(each);
    if (stats) vetFile(each, stats, file);
  }
  createFile(path);
  const identity = identify(path);
  if (!identity) throw refused(path, "vanished while it was being opened", file);
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

/** Makes a folder that only we can look into, or vets the one that is there. `contents` is what it is for. */
export function prepareFolder(folder: string, contents: Contents): void {
  const stats = lstat(folder);
  if (!stats) {
    if (dirname(folder) !== folder && !exists(dirname(folder))) prepareFolder(dirname(folder), contents);
    try {
      mkdirSync(folder, { mode: 0o700 });
      chmodSync(folder, 0o700);
    } catch (error) {
      if (codeOf(error) !== "EEXIST") throw error;
      prepareFolder(folder, contents);
    }
    return;
  }
  if (stats.isSymbolicLink()) throw refused(folder, "is a symbolic link", contents);
  if (!stats.isDirectory()) throw refused(folder, "is not a folder", contents);
  if (isForeign(stats)) throw refused(folder, "belongs to another user", contents);
  if (process.platform !== "win32" && (stats.mode & 0o022) !== 0) {
    throw refused(folder, "can be changed by other users", contents, `chmod go-w ${folder}`);
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

function vetFile(path: string, stats: Stats, file: StateFile): void {
  if (stats.isSymbolicLink()) throw refused(path, "is a symbolic link", file);
  if (!stats.isFile()) throw refused(path, "is not a file", file);
  if (isForeign(stats)) throw refused(path, "belongs to another user", file);
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

function refused(path: string, why: string, { code, name, elsewhere }: Contents, remedy = "remove it"): VaultError {
  return new VaultError(code, `${name} is not opened: ${path} ${why}`, { hint: `${remedy}, or ${elsewhere}` });
}
