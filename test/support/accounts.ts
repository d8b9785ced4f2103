import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

const ROOT = resolve(import.meta.dirname, "../..");

/** Why tests with other users cannot run here; undefined when they can. */
export const noAccounts =
  process.platform !== "linux"
    ? "other users are only tried on Linux"
    : process.getuid?.() !== 0
      ? "making users needs root"
      : ["useradd", "groupadd", "setpriv"].some((tool) => spawnSync("sh", ["-c", `command -v ${tool}`]).status !== 0)
        ? "useradd, groupadd or setpriv is missing"
        : undefined;
if (noAccounts !== undefined) console.warn(`skipped: ${noAccounts}`);

/** A user of this computer for the length of a test. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  /** The command line that runs something as this user alone, with these groups besides its own. */
  readonly as: (command: readonly string[], groups?: readonly number[]) => { command: string; args: string[] };
}

/** Two users who have nothing to do with each other, a group for the one to reach the other by, and a third who is in none. */
export interface Accounts {
  readonly broker: Account;
  readonly agent: Account;
  readonly stranger: Account;
  readonly clients: { readonly name: string; readonly gid: number };
  readonly remove: () => void;
}

export function makeAccounts(): Accounts {
  const suffix = process.pid.toString(36);
  const names = { broker: `avt-b-${suffix}`, agent: `avt-a-${suffix}`, stranger: `avt-s-${suffix}` };
  const clients = `avt-c-${suffix}`;
  const remove = (): void => {
    for (const name of Object.values(names)) retried("userdel", [name], { missing: 6 });
    for (const name of [...Object.values(names), clients]) retried("groupdel", [name], { missing: 6 });
  };
  try {
    retried("groupadd", ["--system", clients]);
    for (const name of Object.values(names)) {
      const shell = ["--home-dir", "/nonexistent", "--no-create-home", "--shell", "/bin/sh"];
      retried("useradd", ["--system", "--user-group", ...shell, name]);
    }
    retried("usermod", ["--append", "--groups", clients, names.agent]);
    const gid = Number(execFileSync("getent", ["group", clients], { encoding: "utf8" }).split(":")[2]);
    return {
      broker: accountOf(names.broker),
      agent: accountOf(names.agent),
      stranger: accountOf(names.stranger),
      clients: { name: clients, gid },
      remove,
    };
  } catch (error) {
    remove();
    throw error;
  }
}

/** A user who is there already. */
export function accountOf(name: string): Account {
  const [uid, gid] = ["-u", "-g"].map((what) => Number(execFileSync("id", [what, name], { encoding: "utf8" })));
  if (uid === undefined || gid === undefined) throw new Error(`no user ${name}`);
  return {
    name,
    uid,
    gid,
    as: (command, groups = []) => {
      const who = [
        `--reuid=${uid}`,
        `--regid=${gid}`,
        groups.length === 0 ? "--clear-groups" : `--groups=${groups.join(",")}`,
      ];
      return {
        command: "setpriv",
        args: [...who, "--inh-caps=-all", "--bounding-set=-all", "--no-new-privs", ...command],
      };
    },
  };
}

/** The tables of users have one lock for everybody, and other tests may hold it. */
function retried(tool: string, args: readonly string[], { missing }: { missing?: number } = {}): void {
  for (let left = 50; ; left--) {
    const { status, stderr } = spawnSync(tool, args, { encoding: "utf8" });
    if (status === 0 || status === missing) return;
    // A group may have gone with its user, and one that is locked is not locked for long.
    if (left === 0 || !/lock/.test(stderr)) throw new Error(`${tool} ${args.join(" ")}: ${stderr}`);
    spawnSync("sleep", ["0.1"]);
  }
}

/** The program and what it loads, in a folder that every user can read and only root can change. */
export function installForAll(): { readonly root: string; readonly program: string; readonly remove: () => void } {
  const root = mkdtempSync(join(tmpdir(), "agent-vault-users-"));
  execFileSync("chmod", ["755", root]);
  const modules = join(root, "opt", "node_modules");
  const own = join(modules, "agent-vault");
  mkdirSync(own, { recursive: true });
  execFileSync(process.execPath, ["scripts/build.mjs", "--outdir", join(own, "dist")], { cwd: ROOT });
  cpSync(join(ROOT, "package.json"), join(own, "package.json"));
  const load = createRequire(join(ROOT, "package.json"));
  for (const name of ["better-sqlite3", "bindings", "file-uri-to-path"]) {
    let from: string;
    try {
      from = dirname(load.resolve(`${name}/package.json`));
    } catch {
      continue; // What this version of SQLite does without.
    }
    // Its sources are ten times the rest, and nothing loads them.
    cpSync(from, join(modules, name), {
      recursive: true,
      filter: (path) => !/\/(?:deps|src|obj)(?:\/|$)/.test(path.slice(from.length)),
    });
  }
  execFileSync("chmod", ["-R", "a+rX,go-w", join(root, "opt")]);
  return {
    root,
    program: join(own, "dist", "agent-vault.js"),
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}
