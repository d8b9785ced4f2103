import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

const RUN = resolve(import.meta.dirname, "../../bench/run.mjs");
const run = (...args: string[]) => promisify(execFile)(process.execPath, [RUN, ...args], { timeout: 120_000 });

/** What every row of the table begins with. No figure is judged here: a busy machine is no bug. */
const ROWS = [
  "spawn to initialize response",
  "get_secret inside a window, the first 100 calls of a session",
  "get_secret inside a window, after 100 calls",
  "the same with 2,000 events in the log",
  "64 calls at once inside a window",
  "approve tap to tool result",
  "memory at start, RSS",
  "memory at start, PSS",
  "memory after 50 calls, RSS",
  "memory after 50 calls, PSS",
  "stdin end to exit, page and log open",
  "stdin end to exit, never called",
  "50 requests pending, until all are accepted",
  "50 requests pending, memory",
  "list_secrets with 300 names",
  "size of that answer",
];

describe("npm run bench", () => {
  it("measures every figure and prints it as a row", { timeout: 120_000 }, async () => {
    const { stdout } = await run("--quick");
    const rows = stdout.split("\n").filter((line) => line.startsWith("| "));
    expect(rows.slice(2).map((line) => line.split(" | ").length)).toEqual(ROWS.map(() => 6));
    for (const [at, figure] of ROWS.entries()) expect(rows[at + 2]).toContain(`| ${figure}`);
    for (const line of rows.slice(2)) expect(line).toMatch(/\d/);
  });

  it("fails when the program does not do what is measured", async () => {
    const bare = resolve(import.meta.dirname, "../../bench/bare-server.mjs");
    const failed = run("--quick", "--only", "call", "--program", bare).catch((error: unknown) => error);
    expect(await failed).toMatchObject({ code: 1 });
  });

  it("says what it cannot do", async () => {
    const failed = await run("--only", "speed").catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: 2, stderr: expect.stringContaining("there is no figure speed") as unknown });
  });
});
