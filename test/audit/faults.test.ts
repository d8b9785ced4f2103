import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { Event } from "../../src/core/event.ts";
import { readEvents } from "../../src/audit/read.ts";
import { openLog } from "../../src/audit/sqlite.ts";
import { AT, event, logAt, logPath, query, scratch } from "../support/audit.ts";
import { openWorkshop, plantedLog } from "../support/audit-processes.ts";
import type { Worker, Workshop } from "../support/audit-processes.ts";

let workshop: Workshop;
beforeAll(async () => {
  workshop = await openWorkshop();
});
afterAll(() => workshop.close());

const HASTY = { firstTryMs: 50, patienceMs: 250, restMs: 100, noteMs: 10 };
const isRoot = process.getuid?.() === 0;

const denied = (reason: string): Event => event({ kind: "denied", reason });
const reasons = (file: string): unknown[] =>
  query(file, "SELECT reason FROM event ORDER BY seq").map((row) => row["reason"]);
const unavailable = (message: string): unknown =>
  expect.objectContaining({ code: "audit_unavailable", message: expect.stringContaining(message) });

async function lockedBy(file: string): Promise<Worker> {
  const holder = workshop.start("hold", file);
  await holder.first();
  return holder;
}

/** The longest time the event loop stood still while something ran, ms. */
async function longestStall(run: () => Promise<unknown>): Promise<number> {
  let last = performance.now();
  let longest = 0;
  const tick = (): void => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  };
  const timer = setInterval(tick, 5);
  await run();
  tick();
  clearInterval(timer);
  return longest;
}

describe("a log that another process keeps locked", () => {
  it("costs a record five seconds and the event loop a quarter of one, and is back when it is free", async () => {
    const file = logPath();
    const log = logAt(file);
    await log.record([denied("before")]);
    const holder = await lockedBy(file);
    const begun = performance.now();
    let refused: unknown;
    const stall = await longestStall(async () => {
      refused = await log.record([denied("never")]).catch((error: unknown) => error);
    });
    expect(refused).toEqual(unavailable("is locked by another process"));
    expect(performance.now() - begun).toBeGreaterThan(4_900);
    // One blocking wait of five seconds would be far above this, a slow machine is below it.
    expect(stall).toBeLessThan(2_500);
    await holder.stop();
    await log.record([denied("after")]);
    expect(reasons(file)).toEqual(["before", "after"]);
  });

  const lateWrite = async (open: typeof openLog): Promise<unknown[]> => {
    const file = logPath();
    const log = open({ file, pace: HASTY });
    await log.open();
    const holder = await lockedBy(file);
    await expect(log.record([denied("never")])).rejects.toThrow("locked");
    await holder.stop();
    await log.record([denied("after")]);
    log.close();
    return reasons(file);
  };

  it("never gets to see what was refused", async () => {
    expect(await lateWrite(openLog)).toEqual(["after"]);
  });

  it("would show it if it did (planted bug)", async () => {
    const from = "queue = queue.filter((entry) => !isOver(entry));";
    expect(await lateWrite(await plantedLog([{ file: "src/audit/sqlite.ts", from, to: "" }]))).toEqual([
      "never",
      "after",
    ]);
  });

  it("lets every record wait its own time", async () => {
    const file = logPath();
    const log = logAt(file, { pace: { ...HASTY, patienceMs: 600 } });
    await log.open();
    const holder = await lockedBy(file);
    const first = log.record([denied("first")]).then(String, String);
    await new Promise((resolve) => setTimeout(resolve, 400));
    const second = log.record([denied("second")]).then(() => "written", String);
    expect(await first).toContain("locked");
    await holder.stop();
    expect(await second).toBe("written");
    expect(reasons(file)).toEqual(["second"]);
  });

  it("cannot be opened either, until it is free", async () => {
    const file = logPath();
    const maker = openLog({ file });
    await maker.open();
    maker.close();
    const holder = await lockedBy(file);
    const log = logAt(file, { pace: HASTY });
    await expect(log.record([denied("never")])).rejects.toEqual(unavailable("is locked by another process"));
    await holder.stop();
    await log.record([denied("after")]);
    expect(reasons(file)).toEqual(["after"]);
  });

  const noted = async (open: typeof openLog): Promise<unknown[]> => {
    const file = logPath();
    const log = open({ file, pace: HASTY });
    await log.open();
    const holder = await lockedBy(file);
    log.note(denied("noted"));
    // A refused record proves that the log was tried, and not to be had, after the note came.
    await expect(log.record([denied("never")])).rejects.toThrow("locked");
    await holder.stop();
    await log.record([denied("after")]);
    log.close();
    return reasons(file);
  };

  it("keeps what was noted for later", async () => {
    expect(await noted(openLog)).toEqual(["noted", "after"]);
  });

  it("would show that a note was lost (planted bug)", async () => {
    const from = "const isOver = ({ waiter }: Entry): boolean => waiter !== undefined &&";
    const to = "const isOver = ({ waiter }: Entry): boolean => waiter === undefined ||";
    expect(await noted(await plantedLog([{ file: "src/audit/sqlite.ts", from, to }]))).toEqual(["after"]);
  });

  it("gets the notes by itself when it is free again", async () => {
    const file = logPath();
    const log = logAt(file, { pace: HASTY });
    await log.open();
    const holder = await lockedBy(file);
    log.note(denied("noted"));
    await expect(log.record([denied("never")])).rejects.toThrow("locked");
    await holder.stop();
    await expect.poll(() => reasons(file), { timeout: 10_000 }).toEqual(["noted"]);
  });

  it("says how many notes were too many to keep", async () => {
    const file = logPath();
    const log = logAt(file, { pace: HASTY });
    await log.open();
    const holder = await lockedBy(file);
    for (let n = 1; n <= 10_050; n++) log.note(event({ kind: "listed", at: AT + n }));
    await expect(log.record([denied("never")])).rejects.toThrow("locked");
    await holder.stop();
    await log.record([denied("after")]);
    const [gap] = readEvents({ file, filters: { kind: "log_gap", limit: 5 } });
    expect(gap).toMatchObject({ count: 50, at: AT + 1, seq: 1 });
    const [row] = query(file, "SELECT count(*) AS kept, min(at) AS oldest FROM event WHERE kind = 'listed'");
    expect(row).toEqual({ kept: 10_000, oldest: AT + 51 });
  });

  it("is left by a process that stops, with a word about it and a lock for the next to find", async () => {
    const file = logPath();
    const log = openLog({ file, pace: HASTY });
    await log.record([event({ release: "release-1" })]);
    const holder = await lockedBy(file);
    expect(log.close()).toEqual(unavailable("is locked by another process"));
    await holder.stop();
    await logAt(file).open();
    const [end] = readEvents({ file, filters: { kind: "unknown_outcome", limit: 5 } });
    expect(end).toMatchObject({ release: "release-1", instance: log.instance() });
  });
});

describe("a full disk", () => {
  it("refuses the record whole and keeps what is there", async () => {
    const file = logPath();
    const log = logAt(file, { maxPages: 20, pace: HASTY });
    const bulky = Array.from({ length: 50 }, (_, i) => denied(`${i} ${"x".repeat(3_000)}`));
    await log.record([denied("before")]);
    await expect(log.record(bulky)).rejects.toEqual(unavailable("its disk is full"));
    await log.record([denied("after")]);
    expect(reasons(file)).toEqual(["before", "after"]);
    expect(query(file, "PRAGMA integrity_check")).toEqual([{ integrity_check: "ok" }]);
  });

  it.runIf(isRoot && process.platform === "linux")("refuses on a real one", async (context) => {
    const folder = mounted("size=400k", () => context.skip("no tmpfs can be mounted here"));
    const file = `${folder}/state/audit.db`;
    const log = logAt(file, { pace: HASTY });
    let written = 0;
    const fill = async (): Promise<void> => {
      for (;;) {
        await log.record([denied("x".repeat(4_000))]);
        written += 1;
      }
    };
    await expect(fill()).rejects.toEqual(unavailable("its disk is full"));
    expect(written).toBeGreaterThan(0);
    expect(reasons(file)).toHaveLength(written);
    expect(query(file, "PRAGMA integrity_check")).toEqual([{ integrity_check: "ok" }]);
  });
});

describe("a log that cannot be written", () => {
  it.runIf(isRoot && process.platform === "linux")("is refused at once on a read-only disk", async (context) => {
    const folder = mounted("size=2m", () => context.skip("no tmpfs can be mounted here"));
    const file = `${folder}/state/audit.db`;
    const log = openLog({ file });
    await log.record([denied("before")]);
    log.close();
    execFileSync("mount", ["-o", "remount,ro", folder]);
    await expect(logAt(file).record([denied("never")])).rejects.toEqual(unavailable(file));
  });

  it.skipIf(isRoot || process.platform === "win32")("is refused at once in a folder we may not write to", async () => {
    const file = logPath();
    mkdirSync(dirname(file), { mode: 0o500 });
    onTestFinished(() => chmodSync(dirname(file), 0o700));
    await expect(logAt(file).record([denied("never")])).rejects.toEqual(unavailable("is read-only"));
  });

  it("is refused when the file is no database", async () => {
    const file = logPath();
    mkdirSync(dirname(file), { mode: 0o700 });
    writeFileSync(file, "hunter2-4711 ".repeat(1_000));
    const error: unknown = await logAt(file)
      .record([denied("never")])
      .catch((reason: unknown) => reason);
    expect(error).toEqual(unavailable("is damaged"));
    expect(JSON.stringify(error)).not.toContain("hunter2-4711");
    expect(readFileSync(file, "utf8")).toMatch(/^hunter2-4711/);
  });

  it("is refused when its pages are damaged", async () => {
    const file = logPath();
    const maker = openLog({ file });
    await maker.record(Array.from({ length: 300 }, (_, i) => denied(`reason ${i}`)));
    maker.close();
    const bytes = readFileSync(file);
    writeFileSync(file, bytes.fill(0x5a, 4_096));
    await expect(logAt(file).record([denied("never")])).rejects.toEqual(unavailable("is damaged"));
  });

  it("is refused when the folder is a file", async () => {
    const file = `${scratch()}/plain/audit.db`;
    writeFileSync(dirname(file), "");
    await expect(logAt(file).record([denied("never")])).rejects.toEqual(unavailable("is not a folder"));
  });
});

/** A small file system of its own, gone after the test. */
function mounted(options: string, skip: () => never): string {
  const folder = scratch();
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `${options},mode=0700`, "agent-vault-test", folder], {
      stdio: "ignore",
    });
  } catch {
    skip();
  }
  onTestFinished(() => void execFileSync("umount", ["-l", folder]));
  return folder;
}
