import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { promisify } from "node:util";
import type { AgentUser } from "../core/isolation.ts";

const ID_MS = 5_000;

/** The user of this process; undefined where the system has no numbers for users. */
export async function ownUser(): Promise<AgentUser | undefined> {
  const uid = process.geteuid?.();
  const gid = process.getegid?.();
  if (uid === undefined || gid === undefined) return undefined;
  return { name: ownName(uid), uid, groups: await named([...new Set([gid, ...(process.getgroups?.() ?? [])])]) };
}

/** A user of this computer by name, with all groups; undefined when there is none of that name, or no way to know. */
export async function findUser(name: string): Promise<AgentUser | undefined> {
  // Users may come from a directory on the network, so the system's own program is asked and not a file.
  const ask = async (what: string): Promise<number[]> => {
    const { stdout } = await promisify(execFile)("id", [what, "--", name], {
      env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" },
      timeout: ID_MS,
    });
    return stdout.trim().split(/\s+/).map(Number);
  };
  try {
    const [[uid], gids] = await Promise.all([ask("-u"), ask("-G")]);
    if (uid === undefined || ![uid, ...gids].every(Number.isSafeInteger)) return undefined;
    return { name, uid, groups: await named(gids) };
  } catch {
    // A number that is not known for certain is none: the level is then the weakest.
    return undefined;
  }
}

function ownName(uid: number): string {
  try {
    return userInfo().username;
  } catch {
    // A user id without an entry in the password file, as containers have it.
    return `uid ${uid}`;
  }
}

/** The names that matter are those of this computer's own groups. */
async function named(gids: readonly number[]): Promise<AgentUser["groups"]> {
  const lines = (await readFile("/etc/group", "utf8").catch(() => "")).split("\n").map((line) => line.split(":"));
  const names = new Map(lines.map(([name = "", , gid = ""]) => [Number(gid === "" ? NaN : gid), name]));
  return gids.map((gid) => ({ gid, name: names.get(gid) ?? `gid ${gid}` }));
}
