import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { VaultError } from "../core/errors.ts";

const ASK_MS = 5_000;

/** A group of this computer, and everybody it lets in. */
export interface Group {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

/**
 * A group by name or number, with those who have it as their first group too. Throws `usage` when there is none. Of users
 * in a directory on the network that cannot be listed, only those count that the group itself names.
 */
export async function findGroup(which: string): Promise<Group> {
  const [found] = await ask("group", which);
  const [name, , number, named = ""] = found ?? [];
  const gid = Number(number);
  if (name === undefined || number === undefined || !Number.isSafeInteger(gid)) {
    throw new VaultError("usage", `there is no group ${JSON.stringify(which)}`, { hint: "see docs/other-user.md" });
  }
  const first = (await ask("passwd")).filter(([, , , own]) => Number(own) === gid).map(([user = ""]) => user);
  return { name, gid, members: [...new Set([...named.split(","), ...first])].filter((user) => user !== "") };
}

/** Rows of one of the system's tables: users may come from a directory on the network, so the system is asked and not a file. */
async function ask(table: "group" | "passwd", key?: string): Promise<readonly (readonly string[])[]> {
  try {
    const { stdout } = await promisify(execFile)("getent", [table, ...(key === undefined ? [] : ["--", key])], {
      env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" },
      timeout: ASK_MS,
    });
    return stdout.split("\n").flatMap((line) => (line === "" ? [] : [line.split(":")]));
  } catch (error) {
    // What getent says when there is no such row.
    if (error instanceof Error && "code" in error && error.code === 2) return [];
    throw new VaultError("usage", `the ${table} table of this computer cannot be read`, { cause: error });
  }
}
