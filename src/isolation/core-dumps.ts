import { execFile } from "node:child_process";
import { access, constants } from "node:fs/promises";
import { promisify } from "node:util";

const PRLIMIT = "/usr/bin/prlimit";
const PRLIMIT_MS = 2_000;
/**
 * Bytes, of which not even the limit may be lifted again: the same user could, and then end the process with a dump. Linux
 * takes 0 for a limit on files alone and hands the dump to a program all the same; 1 stops both.
 */
const NO_DUMP = 1;

/**
 * Keeps the system from writing this process's memory to disk when it crashes. Node has no call for that, so it takes a
 * program of Linux, where there is one; elsewhere nothing happens. Never rejects: `coreFacts` tells what holds.
 */
export async function forbidCoreDumps(): Promise<void> {
  if (process.platform !== "linux") return;
  try {
    await access(PRLIMIT, constants.X_OK);
    await promisify(execFile)(PRLIMIT, ["--pid", String(process.pid), `--core=${NO_DUMP}:${NO_DUMP}`], {
      env: {},
      timeout: PRLIMIT_MS,
    });
  } catch {
    // Not there or not permitted: doctor says so.
  }
}
