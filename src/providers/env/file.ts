import { isUtf8 } from "node:buffer";
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readSync,
  realpathSync,
  statSync,
  type Stats,
} from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { VaultError } from "../../core/errors.ts";
import { visible } from "../../core/text.ts";

/** Nobody keeps more than this in an env file; a log or a disk image given by mistake is refused instead of read. */
export const MAX_BYTES = 8 * 1024 * 1024;

// Absent on Windows, where the types say otherwise.
const NONBLOCK = (constants.O_NONBLOCK as number | undefined) ?? 0;
const NOFOLLOW = (constants.O_NOFOLLOW as number | undefined) ?? 0;

/** What stood in the file at one moment. */
export interface EnvFile {
  readonly bytes: Buffer;
  readonly text: string;
  readonly stat: Stats;
}

/** The absolute path an option means: `~/` is the home folder, anything relative starts in `folder`. */
export function absolutePath(file: string, folder: string): string {
  return /^~[/\\]/.test(file) ? join(homedir(), file.slice(2)) : resolve(folder, file);
}

/** The path behind every symbolic link. Throws `provider_unavailable` when there is no file. */
export function realPath(path: string): string {
  try {
    return realpathSync.native(path);
  } catch (error) {
    throw unusable(path, error);
  }
}

/** As `realPath`, but a file that does not exist yet has the real path it would be created under. */
export function realPathToBe(path: string): { readonly real: string; readonly exists: boolean } {
  try {
    return { real: realpathSync.native(path), exists: true };
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw unusable(path, error);
    // A symbolic link to nowhere is not a free place: creating the file would replace the link.
    if (lstatSync(path, { throwIfNoEntry: false }))
      throw unfit(path, "is a symbolic link to nothing", "create its target");
  }
  try {
    return { real: join(realpathSync.native(dirname(path)), basename(path)), exists: false };
  } catch (error) {
    throw unusable(dirname(path), error);
  }
}

/**
 * Reads a regular UTF-8 file of at most `MAX_BYTES` by its real path. Whatever else stands there (a pipe, a device, a
 * folder) is refused without waiting for it. Synchronous on purpose: it takes microseconds, a detour through the
 * thread pool ten times as long.
 */
export function readEnvFile(real: string): EnvFile {
  let bytes: Buffer;
  let stat: Stats;
  try {
    // Opening a pipe or a device can already do something to it, hence the look before and the look after.
    refuseUnfit(real, statSync(real));
    const fd = openSync(real, constants.O_RDONLY | NONBLOCK | NOFOLLOW);
    try {
      stat = fstatSync(fd);
      refuseUnfit(real, stat);
      bytes = readAll(real, fd, stat.size);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw unusable(real, error);
  }
  if (!isUtf8(bytes))
    throw unfit(real, "is not UTF-8 text", "save it as UTF-8; a value that is binary goes in base64-encoded");
  return { bytes, text: bytes.toString("utf8"), stat };
}

/** The file system's refusal in our words; errors that are ours already pass through. */
export function unusable(path: string, error: unknown): VaultError {
  if (error instanceof VaultError) return error;
  const code = codeOf(error) ?? "unknown error";
  const place = `env file ${visible(path)}`;
  const fail = (message: string, hint: string): VaultError =>
    new VaultError("provider_unavailable", `${place} ${message}`, { hint, cause: error });
  switch (code) {
    case "ENOENT":
    case "ENOTDIR":
      return fail(
        "does not exist",
        'create it with lines of NAME=value (agent-vault init makes .env.secrets), or correct "file" in the configuration',
      );
    case "EACCES":
    case "EPERM":
      return fail("is closed to this user", "check who owns the file and its folder");
    case "ENOSPC":
    case "EDQUOT":
      return fail("could not be saved because the disk is full; it is unchanged", "free some space, then try again");
    case "EROFS":
      return fail("lies on a read-only file system; it is unchanged", "move it to a folder that can be written to");
    case "EBUSY":
      return fail(
        "cannot be replaced because it is in use; it is unchanged",
        "mount its folder instead of the file itself",
      );
    case "ELOOP":
      return fail("is a symbolic link that leads nowhere", 'correct the link or "file" in the configuration');
    default:
      return fail(`cannot be used (${code})`, "check the path, the disk and the file's permissions");
  }
}

/** The `code` of a system error. */
export function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : undefined;
}

function refuseUnfit(real: string, stat: Stats): void {
  const correct = 'correct "file" in the configuration';
  if (stat.isDirectory()) throw unfit(real, "is a folder", correct);
  if (!stat.isFile()) throw unfit(real, "is not a regular file", correct);
  if (stat.size > MAX_BYTES) throw unfit(real, "is larger than 8 MiB", correct);
}

function unfit(real: string, what: string, hint: string): VaultError {
  return new VaultError("provider_unavailable", `env file ${visible(real)} ${what}`, { hint });
}

// The size is only a first guess: a file can grow while it is read, and those under /proc say 0.
function readAll(real: string, fd: number, size: number): Buffer {
  let buffer = Buffer.alloc(size + 1);
  let length = 0;
  for (;;) {
    const count = readSync(fd, buffer, length, buffer.length - length, null);
    if (count === 0) return buffer.subarray(0, length);
    length += count;
    if (length > MAX_BYTES) throw unfit(real, "is larger than 8 MiB", 'correct "file" in the configuration');
    if (length === buffer.length) buffer = Buffer.concat([buffer, Buffer.alloc(Math.max(4096, length))]);
  }
}
