import { constants } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { expandPath, type Around } from "./places.ts";
import { CONFIG_FILE, HOME_CONFIG_FILE } from "./words.ts";

/** No configuration a person wrote is larger. */
const MAX_BYTES = 1024 * 1024;

/** A file that was read, or why it was not. `absent` is not a mistake, the rest is. */
export type FileText =
  | { readonly is: "read"; readonly text: string; readonly mode: number }
  | { readonly is: "absent" }
  | { readonly is: "unusable"; readonly why: string; readonly hint: string };

/** Where a configuration may lie, first choice first. `named` means that a person said so: then nothing else is tried. */
export function candidates({ variables, cwd, home }: Around): { paths: readonly string[]; named: boolean } {
  const named = variables["AGENT_VAULT_CONFIG"];
  if (named) return { paths: [expandPath(named, cwd, home)], named: true };
  return { paths: [join(cwd, CONFIG_FILE), join(home, HOME_CONFIG_FILE)], named: false };
}

/** Reads a small text file without ever waiting for one: a pipe or a device is refused, not read. */
export async function readTextFile(path: string): Promise<FileText> {
  let handle: FileHandle;
  try {
    // Without O_NONBLOCK, opening a pipe waits for somebody to write into it. Windows has no such flag and no such pipe.
    handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    return cannotOpen(error);
  }
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) return { is: "unusable", why: "is not a regular file", hint: "put a file there instead" };
    if (stat.size > MAX_BYTES) return tooLarge();
    const bytes = await handle.readFile();
    // Measured again: it may have grown, and some files (/proc) lie about their size.
    return bytes.length > MAX_BYTES ? tooLarge() : decode(bytes, stat.mode);
  } catch (error) {
    return cannotOpen(error);
  } finally {
    await handle.close();
  }
}

function tooLarge(): FileText {
  return { is: "unusable", why: "is larger than 1 MB", hint: "this does not look like the right file" };
}

function decode(bytes: Buffer, mode: number): FileText {
  // PowerShell's ">" writes UTF-16 and says so in the first two bytes.
  const encoding = bytes[0] === 0xff && bytes[1] === 0xfe ? "utf-16le" : "utf-8";
  try {
    return { is: "read", text: new TextDecoder(encoding, { fatal: true }).decode(bytes), mode };
  } catch {
    // The decoder's own message would quote nothing useful; which bytes are wrong is the editor's business.
    return { is: "unusable", why: "is not text in UTF-8", hint: "save it as UTF-8 in your editor" };
  }
}

function cannotOpen(error: unknown): FileText {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  switch (code) {
    case "ENOENT":
    case "ENOTDIR":
      return { is: "absent" };
    case "EACCES":
    case "EPERM":
      return { is: "unusable", why: "may not be read by you", hint: "change its owner or its mode" };
    case "EISDIR":
      return { is: "unusable", why: "is a folder", hint: "put a file there instead" };
    case "ENXIO":
    case "EOPNOTSUPP":
      return { is: "unusable", why: "is not a regular file", hint: "put a file there instead" };
    case "ELOOP":
      return { is: "unusable", why: "is a link that leads in a circle", hint: "put a file there instead" };
    default:
      return { is: "unusable", why: `cannot be read (${code || "unknown reason"})`, hint: "check the disk it lies on" };
  }
}
