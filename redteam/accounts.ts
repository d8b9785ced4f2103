import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync, statSync } from "node:fs";

/** A user account that something runs under. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** Two throw-away accounts: the person's, and one that is not the person's. */
export interface Accounts {
  readonly person: Account;
  readonly stranger: Account;
  /** Ends what still runs under them, and removes them. */
  readonly remove: () => void;
}

const PREFIX = "av-redteam-";

/** Makes the accounts; undefined where that cannot be done: it takes root, Linux, and the usual commands. */
export function makeAccounts(): Accounts | undefined {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return undefined;
  removeLeftovers();
  const made: Account[] = [];
  const remove = (): void => {
    for (const account of made.splice(0)) {
      endAll(account.uid);
      execFileSync("userdel", [account.name], { stdio: "ignore" });
    }
  };
  try {
    for (const suffix of ["p", "s"]) {
      const name = `${PREFIX}${process.pid}${suffix}`;
      const options = ["--system", "--no-create-home", "--home-dir", "/nonexistent", "--user-group"];
      execFileSync("useradd", [...options, "--shell", "/bin/sh", name], { stdio: "ignore" });
      made.push(accountOf(name));
    }
  } catch {
    remove();
    return undefined;
  }
  const [person, stranger] = made;
  return person && stranger ? { person, stranger, remove } : undefined;
}

/** A command as this account runs it; as ourselves without one. */
export function as(account: Account | undefined, command: readonly string[]): [string, string[]] {
  const [first = "", ...rest] = command;
  if (account === undefined) return [first, rest];
  const who = [`--reuid=${account.uid}`, `--regid=${account.gid}`, "--clear-groups", "--bounding-set=-all"];
  return ["setpriv", [...who, "--", ...command]];
}

/** Processes of an account that nobody but this run has. */
export function processesOf(uid: number): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && statSync(`/proc/${name}`, { throwIfNoEntry: false })?.uid === uid)
    .map(Number);
}

/** Ends every process of an account that was made for this run. */
export function endAll(uid: number): void {
  for (let round = 0; round < 20; round += 1) {
    const left = processesOf(uid);
    if (left.length === 0) return;
    for (const pid of left) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It ended by itself meanwhile.
      }
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 25);
  }
}

function accountOf(name: string): Account {
  const id = (flag: string): number => Number(execFileSync("id", [flag, name], { encoding: "utf8" }));
  return { name, uid: id("-u"), gid: id("-g") };
}

/** Accounts of a run that was killed before it could tidy up. */
function removeLeftovers(): void {
  for (const line of readFileSync("/etc/passwd", "utf8").split("\n")) {
    const found = new RegExp(`^(${PREFIX}(\\d+)[ps]):[^:]*:(\\d+):`).exec(line);
    if (!found || isAlive(Number(found[2]))) continue;
    endAll(Number(found[3]));
    execFileSync("userdel", [found[1] ?? ""], { stdio: "ignore" });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
