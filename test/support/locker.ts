import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const ROOT = resolve(import.meta.dirname, "../..");
const HOLD = `
  const db = new (require("better-sqlite3"))(process.argv[1]);
  db.exec("BEGIN EXCLUSIVE");
  process.stdout.write("locked\\n");
  process.stdin.on("end", () => { db.exec("ROLLBACK"); db.close(); }).resume();`;

/** Another process takes the whole database for itself; the returned function makes it let go. */
export async function lockDatabase(file: string): Promise<() => Promise<void>> {
  const child = spawn(process.execPath, ["-e", HOLD, file], { cwd: ROOT, stdio: ["pipe", "pipe", "inherit"] });
  const over = once(child, "close");
  await Promise.race([
    once(child.stdout, "data"),
    over.then(() => Promise.reject(new Error("it could not be locked"))),
  ]);
  return async () => {
    child.stdin.end();
    await over;
  };
}

/** A small disk of its own. */
export interface Disk {
  readonly folder: string;
  /** Only while no file on it is open. */
  readonly makeReadOnly: () => void;
  readonly remove: () => void;
}

/** Undefined where none can be had: it takes root on Linux. */
export function mountDisk(size: string): Disk | undefined {
  const folder = mkdtempSync(join(tmpdir(), "agent-vault-disk-"));
  const gone = (): void => rmSync(folder, { recursive: true, force: true });
  const mount = (options: string): void =>
    void execFileSync("mount", ["-t", "tmpfs", "-o", options, "agent-vault-test", folder], { stdio: "ignore" });
  try {
    mount(`size=${size},mode=0700`);
  } catch {
    gone();
    return undefined;
  }
  return {
    folder,
    makeReadOnly: () => mount("remount,ro"),
    remove: () => {
      execFileSync("umount", ["-l", folder]);
      gone();
    },
  };
}
