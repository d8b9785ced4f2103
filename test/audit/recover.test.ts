import { existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { holdInstance, instancesFolder, takeDead } from "../../src/audit/instance.ts";
import { readEvents } from "../../src/audit/read.ts";
import { openLog } from "../../src/audit/sqlite.ts";
import { event, logAt, logPath, query, scratch } from "../support/audit.ts";
import { openWorkshop } from "../support/audit-processes.ts";
import type { Workshop } from "../support/audit-processes.ts";

let workshop: Workshop;
beforeAll(async () => {
  workshop = await openWorkshop();
});
afterAll(() => workshop.close());

const unknown = (file: string): unknown[] =>
  query(file, "SELECT release FROM event WHERE kind = 'unknown_outcome' ORDER BY seq").map(({ release }) => release);
const locks = (file: string): string[] => readdirSync(instancesFolder(file));

describe("what a dead process left open", () => {
  it("is closed as unknown by the next to open the log, saying what it was about", async () => {
    const file = logPath();
    const worker = workshop.start("begin", file, "r");
    const instance = await worker.first();
    await worker.kill();
    expect(locks(file)).toEqual([`${instance}.lock`]);
    await logAt(file, { now: () => 2_000 }).open();
    const closed = readEvents({ file, filters: { kind: "unknown_outcome", limit: 10 } });
    const about = { at: 2_000, vault: "dev", action: "write", names: ["A", "B"], session: "s", request: "q", instance };
    expect(closed).toMatchObject([
      { release: "r-3", ...about },
      { release: "r-1", ...about },
    ]);
    expect(locks(file)).not.toContain(`${instance}.lock`);
  });

  it("is closed once, however many open the log", async () => {
    const file = logPath();
    const worker = workshop.start("begin", file, "r");
    await worker.first();
    await worker.kill();
    await Promise.all([1, 2, 3, 4].map(() => logAt(file).open()));
    expect(unknown(file)).toEqual(["r-1", "r-3"]);
  });

  it("is left alone while the process lives", async () => {
    const file = logPath();
    const worker = workshop.start("begin", file, "r");
    const instance = await worker.first();
    await logAt(file).open();
    expect(unknown(file)).toEqual([]);
    expect(locks(file)).toContain(`${instance}.lock`);
    await worker.stop();
    expect(unknown(file)).toEqual(["r-1", "r-3"]);
  });

  it("is left alone when nothing proves that it is dead", async () => {
    const file = logPath();
    const worker = workshop.start("begin", file, "r");
    const instance = await worker.first();
    await worker.kill();
    rmSync(join(instancesFolder(file), `${instance}.lock`));
    await logAt(file).open();
    expect(unknown(file)).toEqual([]);
  });

  it("stays to be closed when the log cannot be written just then", async () => {
    const file = logPath();
    const worker = workshop.start("begin", file, "r");
    const instance = await worker.first();
    await worker.kill();
    const holder = workshop.start("hold", file);
    await holder.first();
    const log = logAt(file, { pace: { firstTryMs: 20, patienceMs: 100 } });
    await expect(log.open()).rejects.toThrow("locked");
    expect(locks(file)).toEqual([`${instance}.lock`]);
    await holder.stop();
    await log.open();
    expect(unknown(file)).toEqual(["r-1", "r-3"]);
  });

  it("is found as fast in a long log as in a short one: nothing but what is open is looked at", async () => {
    const file = logPath();
    const log = openLog({ file });
    await log.record([event({ release: "open" }), event({ release: "done" })]);
    await log.record([event({ kind: "failed", release: "done" })]);
    expect(query(file, "SELECT release FROM unended")).toEqual([{ release: "open" }]);
    log.close();
    expect(query(file, "SELECT release FROM unended")).toEqual([]);
  });
});

describe("the instance lock", () => {
  const look = (folder: string): string[] => takeDead(Database, folder, "me").map((lock) => (lock.leave(), lock.id));

  it("cannot be taken while it is held, not even by its own process", () => {
    const folder = scratch();
    const lock = holdInstance(Database, folder, "alive");
    expect(look(folder)).toEqual([]);
    lock.leave();
    expect(look(folder)).toEqual(["alive"]);
  });

  it("leaves no file behind when it is removed", () => {
    const folder = scratch();
    holdInstance(Database, folder, "alive").remove();
    expect(readdirSync(folder)).toEqual([]);
  });

  it("takes another id when its own is spent", () => {
    const folder = scratch();
    const first = holdInstance(Database, folder, "alive");
    const second = holdInstance(Database, folder, "alive");
    expect(second.id).not.toBe("alive");
    expect(look(folder)).toEqual([]);
    first.remove();
    second.remove();
  });

  it("takes another id when somebody removes the file before it is locked", () => {
    const folder = scratch();
    const thief = new Proxy(Database, {
      construct(target, [path, options]: ConstructorParameters<typeof Database>) {
        const db = new target(path, options);
        if (String(path).endsWith("slow.lock")) rmSync(String(path));
        return db;
      },
    });
    const lock = holdInstance(thief, folder, "slow");
    expect(lock.id).not.toBe("slow");
    expect(existsSync(join(folder, `${lock.id}.lock`))).toBe(true);
    lock.remove();
  });

  it("is no proof when the file is something else", () => {
    const folder = scratch();
    writeFileSync(join(folder, "odd.lock"), "not a database ".repeat(100));
    expect(look(folder)).toEqual([]);
  });

  it("is taken for at most 100 dead at once", () => {
    const folder = scratch();
    for (let n = 0; n < 110; n++) writeFileSync(join(folder, `${n}.lock`), "");
    const dead = takeDead(Database, folder, "me");
    expect(dead).toHaveLength(100);
    for (const lock of dead) lock.remove();
    expect(readdirSync(folder)).toHaveLength(10);
  });
});
