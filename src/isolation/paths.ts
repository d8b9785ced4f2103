import type { Stats } from "node:fs";
import { lstat, readlink } from "node:fs/promises";
import { dirname, isAbsolute, join, parse, sep } from "node:path";
import type { AgentUser } from "../core/isolation.ts";

/** As many links as the kernel follows. */
const MOST_LINKS = 40;
const STICKY = 0o1000;

/** What was looked at already, for those who look at many paths at a time. */
export type Seen = Map<string, Promise<Step>>;

/**
 * What a user could change to make a path lead to something else, or to change what lies there: the thing itself, or a
 * folder or link on the way. Undefined when there is none. What cannot be looked at counts. Goes by owner, groups and
 * modes; access lists beyond them are not looked into.
 */
export async function changeableBy(user: AgentUser, path: string, seen: Seen = new Map()): Promise<string | undefined> {
  const steps = await walk(path, seen);
  for (const [i, { path: at, stats }] of steps.entries()) {
    if (stats === undefined) return at;
    if (stats === "absent") return undefined; // The folder above has been looked at: nobody else can make it.
    // An owner can change the mode, whatever it is now.
    if (stats.uid === user.uid) return at;
    if (stats.isSymbolicLink() || !may(user, stats, 0o2)) continue;
    const next = steps[i + 1];
    // In a folder like /tmp nobody can move or replace what belongs to another.
    const keepsOthers = stats.isDirectory() && (stats.mode & STICKY) !== 0;
    if (!(keepsOthers && next !== undefined && next.stats !== "absent")) return at;
  }
  return undefined;
}

/** Whether a user can open what lies at a path, for reading or, as one does with a socket, for writing. */
export async function canOpen(
  user: AgentUser,
  path: string,
  how: "read" | "write",
  seen: Seen = new Map(),
): Promise<boolean> {
  const steps = await walk(path, seen);
  for (const [i, { stats }] of steps.entries()) {
    if (stats === undefined) return true; // What cannot be seen is no proof.
    if (stats === "absent") return false;
    if (stats.isSymbolicLink()) continue;
    if (i === steps.length - 1) return may(user, stats, how === "read" ? 0o4 : 0o2);
    if (!may(user, stats, 0o1)) return false;
  }
  return true;
}

interface Step {
  readonly path: string;
  /** Undefined: it is there and cannot be looked at. */
  readonly stats: Stats | "absent" | undefined;
}

/** Everything on the way to a path, links included and followed, ending early where it cannot go on. */
async function walk(path: string, seen: Seen): Promise<Step[]> {
  const look = (at: string): Promise<Step> => {
    const step = seen.get(at) ?? lookAt(at);
    seen.set(at, step);
    return step;
  };
  const { root } = parse(path);
  const ahead = namesIn(path.slice(root.length));
  const steps: Step[] = [await look(root)];
  let at = root;
  for (let links = 0; ahead.length > 0;) {
    const name = ahead.shift() ?? "";
    if (name === "..") {
      at = dirname(at);
      continue;
    }
    const step = await look(join(at, name));
    steps.push(step);
    const { stats } = step;
    if (stats === undefined || stats === "absent") return steps;
    if (!stats.isSymbolicLink()) {
      at = step.path;
      continue;
    }
    const target = links++ < MOST_LINKS ? await readlink(step.path).catch(() => undefined) : undefined;
    if (target === undefined) return [...steps, { path: step.path, stats: undefined }];
    if (isAbsolute(target)) at = root;
    ahead.unshift(...namesIn(target));
  }
  return steps;
}

function namesIn(path: string): string[] {
  return path.split(sep).filter((name) => name !== "" && name !== ".");
}

async function lookAt(path: string): Promise<Step> {
  try {
    return { path, stats: await lstat(path) };
  } catch (error) {
    const absent = error instanceof Error && "code" in error && error.code === "ENOENT";
    return { path, stats: absent ? "absent" : undefined };
  }
}

/** What the mode grants a user: only the first of owner, group and others that fits counts. */
function may({ uid, groups }: AgentUser, stats: Stats, bit: number): boolean {
  if (uid === 0) return true;
  if (stats.uid === uid) return (stats.mode & (bit << 6)) !== 0;
  if (groups.some(({ gid }) => gid === stats.gid)) return (stats.mode & (bit << 3)) !== 0;
  return (stats.mode & bit) !== 0;
}
