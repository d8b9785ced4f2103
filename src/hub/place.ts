import { createHash, randomBytes } from "node:crypto";
import { chmodSync, lstatSync, readFileSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { VaultError } from "../core/errors.ts";
import { loadDriver } from "../state/driver.ts";
import { codeOf } from "../state/faults.ts";
import type { Contents } from "../state/file.ts";
import { type HeldFile, holdFile } from "../state/held-file.ts";
import { createFile, prepareFolder } from "../state/place.ts";

/** Where the sessions of one user meet. */
export interface Place {
  /** Whoever holds this file is the host. */
  readonly lock: string;
  /** What the host listens on: a socket, or a pipe on Windows. */
  readonly socket: string;
}

/** What the address of a socket may have, bytes: 108 on Linux, 104 on macOS, with the zero at the end. */
const MOST_ADDRESS = 100;
/** Not the temporary folder of the environment: each client may have set another. */
const ELSEWHERE = "/tmp";
const PIPE = /^agent-vault-[0-9a-f]{32}$/;

const DESK: Contents = {
  name: "the shared desk",
  code: "page_unavailable",
  elsewhere: `set ${process.platform === "win32" ? "LOCALAPPDATA" : "XDG_STATE_HOME"} to another folder`,
  anew: "start the client again",
};

/**
 * Makes the folder where sessions meet, or vets the one that is there: ours, nobody else's, no detour. `folder` is the
 * state folder. Throws `page_unavailable`.
 */
export function preparePlace(folder: string): Place {
  const desk = join(folder, "desk");
  ourOwn(desk);
  const { socket, extra } = addressIn(desk);
  if (extra !== undefined) ourOwn(extra);
  return { lock: join(desk, "desk.lock"), socket: process.platform === "win32" ? pipeIn(desk) : socket };
}

/** The place, where there is one already. Makes nothing. Throws `page_unavailable` when it is not to be trusted. */
export function findPlace(folder: string): Place | undefined {
  const desk = join(folder, "desk");
  return lstatSync(desk, { throwIfNoEntry: false }) ? preparePlace(folder) : undefined;
}

/** Becomes the host; undefined while another process is. Throws when that cannot be known. */
export function takeLock({ lock }: Place): HeldFile | undefined {
  createFile(lock);
  try {
    return holdFile(loadDriver({ ...DESK, path: lock }), lock);
  } catch (error) {
    if (codeOf(error).startsWith("SQLITE_BUSY")) return undefined;
    throw error;
  }
}

/** Removes what an earlier host has left. Only for who holds the lock: then nobody listens there. */
export function clearAddress({ socket }: Place): void {
  if (process.platform === "win32") return;
  try {
    unlinkSync(socket);
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
  }
}

/** Only its owner may speak to what listens there. */
export function shutOthersOut({ socket }: Place): void {
  if (process.platform !== "win32") chmodSync(socket, 0o600);
}

/** Whether something is there that a host of ours may listen on. Throws `page_unavailable` when it is not ours. */
export function hasAddress({ socket }: Place): boolean {
  if (process.platform === "win32") return true;
  const stats = lstatSync(socket, { throwIfNoEntry: false });
  if (!stats) return false;
  if (stats.isSocket() && stats.uid === process.getuid?.()) return true;
  throw new VaultError("page_unavailable", `${DESK.name} is not used: ${socket} is not a socket of this user`, {
    hint: `remove it, or ${DESK.elsewhere}`,
  });
}

function ourOwn(folder: string): void {
  prepareFolder(folder, DESK);
  // Nobody else has to see who meets there; it is ours, so this is for us to say.
  if (process.platform !== "win32") chmodSync(folder, 0o700);
}

/** In the folder itself, or in another private one of this user where its name is too long for a socket. */
function addressIn(desk: string): { readonly socket: string; readonly extra?: string } {
  const socket = join(desk, "desk.sock");
  if (process.platform === "win32" || Buffer.byteLength(socket) <= MOST_ADDRESS) return { socket };
  const which = createHash("sha256").update(desk).digest("hex").slice(0, 16);
  const extra = join(ELSEWHERE, `agent-vault-${process.getuid?.() ?? 0}-${which}`);
  return { socket: join(extra, "desk.sock"), extra };
}

/** A name that nobody can guess, since anybody may make a pipe of any name. It lies in a file that is ours alone. */
function pipeIn(desk: string): string {
  const file = join(desk, "pipe");
  try {
    writeFileSync(file, `agent-vault-${randomBytes(16).toString("hex")}`, { flag: "wx", mode: 0o600 });
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
  }
  const name = readFileSync(file, "utf8");
  if (PIPE.test(name)) return `\\\\.\\pipe\\${name}`;
  throw new VaultError("page_unavailable", `${DESK.name} is not used: ${file} is damaged`, { hint: "remove it" });
}
