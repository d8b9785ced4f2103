import { lstatSync, realpathSync, rmSync, type Stats } from "node:fs";
import { connect } from "node:net";
import { basename, dirname, join } from "node:path";
import { VaultError } from "../core/errors.ts";

const OTHERS_WRITE = 0o022;
const STICKY = 0o1000;
/** The kernel's own bound, with the end of the text. */
const LONGEST_PATH = process.platform === "darwin" ? 103 : 107;
const PROBE_MS = 2_000;

/**
 * The real path for a socket, once its folder has been looked at: whoever can write there could put another socket in its
 * place and be taken for the broker. Throws `usage` with what to change. Makes nothing.
 */
export function vetPlace(path: string): string {
  const folder = real(dirname(path));
  const place = join(folder, basename(path));
  if (Buffer.byteLength(place) > LONGEST_PATH) throw unfit(place, "is too long for a socket", "choose a shorter path");
  let at = folder;
  for (let below: Stats | undefined; ;) {
    const stats = lstatSync(at);
    if (!stats.isDirectory()) throw unfit(at, "is not a folder", "choose another one");
    if (!isTrusted(stats)) throw unfit(at, "belongs to another user", FOLDER_OF_ITS_OWN);
    // In a folder like /tmp nobody can move or replace what belongs to another.
    const keepsOthers = (stats.mode & STICKY) !== 0 && below !== undefined;
    if ((stats.mode & OTHERS_WRITE) !== 0 && !keepsOthers)
      throw unfit(at, "can be written to by others", isOurs(stats) ? `chmod go-w ${at}` : FOLDER_OF_ITS_OWN);
    if (dirname(at) === at) return place;
    below = stats;
    at = dirname(at);
  }
}

/** Takes away the socket of a broker that is gone. Throws `usage` when one listens there, or when it is no socket of ours. */
export async function clearPlace(place: string): Promise<void> {
  const stats = lstatSync(place, { throwIfNoEntry: false });
  if (!stats) return;
  if (!stats.isSocket() || !isTrusted(stats))
    throw unfit(place, "is there and no socket of ours", "remove it, or choose another path");
  if (await answers(place)) throw unfit(place, "is the socket of a broker that runs", "stop that one first");
  rmSync(place, { force: true });
}

function answers(place: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(place);
    const settle = (does: boolean): void => {
      socket.destroy();
      resolve(does);
    };
    // A broker that is too busy to answer is one all the same.
    socket.setTimeout(PROBE_MS, () => settle(true));
    socket.once("connect", () => settle(true)).once("error", () => settle(false));
  });
}

/** Whether who runs this may change the mode of a folder without breaking it for others: /tmp is everybody's. */
function isOurs({ uid, mode }: Stats): boolean {
  return uid === process.geteuid?.() && (mode & STICKY) === 0;
}

const FOLDER_OF_ITS_OWN = "choose a folder of its own, like /run/agent-vault";

function isTrusted({ uid }: Stats): boolean {
  return uid === 0 || uid === process.geteuid?.();
}

function real(folder: string): string {
  try {
    return realpathSync(folder);
  } catch {
    throw unfit(folder, "is not there", "make it, writable only by the user that runs the broker");
  }
}

function unfit(path: string, why: string, hint: string): VaultError {
  return new VaultError("usage", `the socket cannot be opened: ${path} ${why}`, { hint });
}
