import { existsSync, readFileSync, readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { instancesFolder } from "../../src/audit/instance.ts";
import { readEvents } from "../../src/audit/read.ts";
import { openLog } from "../../src/audit/sqlite.ts";
import { AT, event, logAt, logPath, query } from "../support/audit.ts";
import { plantedLog } from "../support/audit-processes.ts";

const kinds = (file: string): unknown[] => query(file, "SELECT kind FROM event ORDER BY seq").map(({ kind }) => kind);

/** Counts the commits in the write-ahead log. SQLite locks other files, so reading this one frees nothing. */
function commitsIn(file: string): number {
  const wal = readFileSync(`${file}-wal`);
  const frame = 24 + wal.readUInt32BE(8);
  const salt = wal.subarray(16, 24);
  let commits = 0;
  for (let at = 32; at + frame <= wal.length; at += frame) {
    if (wal.subarray(at + 8, at + 16).equals(salt) && wal.readUInt32BE(at + 4) !== 0) commits += 1;
  }
  return commits;
}

describe("the log", () => {
  it("touches nothing before the first event", async () => {
    const file = logPath();
    const log = openLog({ file });
    expect(log.close()).toBeUndefined();
    expect(existsSync(file)).toBe(false);
  });

  it("keeps every part of an event and gives it back", async () => {
    const file = logPath();
    const log = logAt(file, { instance: "instance-1" });
    const full = event({
      release: "release-1",
      proof: "link",
      basis: "window",
      scope: "vault",
      until: AT + 60_000,
      code: "conflict",
      detail: "it moved",
      count: 3,
    });
    await log.record([full]);
    expect(readEvents({ file, filters: { limit: 10 } })).toEqual([{ ...full, seq: 1, instance: "instance-1" }]);
  });

  it("leaves out what an event does not say", async () => {
    const file = logPath();
    const log = logAt(file, { instance: "instance-1" });
    await log.record([{ kind: "started", at: AT }]);
    const expected = [{ kind: "started", at: AT, seq: 1, instance: "instance-1" }];
    expect(readEvents({ file, filters: { limit: 10 } })).toEqual(expected);
  });

  it("writes nothing of a record that is refused while it is stopping", async () => {
    const file = logPath();
    const log = openLog({ file });
    await log.open();
    const late = log.record([event()]);
    log.close();
    await expect(late).rejects.toMatchObject({ code: "audit_unavailable" });
    await expect(log.record([event()])).rejects.toMatchObject({ code: "audit_unavailable" });
    log.note(event());
    expect(kinds(file)).toEqual([]);
  });
});

describe("commits", () => {
  const recordMany = async (open: typeof openLog): Promise<number> => {
    const file = logPath();
    const log = open({ file });
    await log.open();
    const before = commitsIn(file);
    await Promise.all(Array.from({ length: 64 }, (_, i) => log.record([event({ release: `release-${i}` })])));
    const commits = commitsIn(file) - before;
    expect(kinds(file)).toHaveLength(64);
    log.close();
    return commits;
  };

  it("are shared by all that is recorded in one turn of the event loop", async () => {
    expect(await recordMany(openLog)).toBe(1);
  });

  it("would be seen if they were not (planted bug)", async () => {
    const from = "MOST_ROWS_PER_COMMIT = 1_000";
    const twin = await plantedLog([{ file: "src/audit/sqlite.ts", from, to: "MOST_ROWS_PER_COMMIT = 1" }]);
    expect(await recordMany(twin)).toBe(64);
  });

  it("carry along what was noted before, in its order", async () => {
    const file = logPath();
    const log = logAt(file, { pace: { noteMs: 60_000 } });
    await log.open();
    const before = commitsIn(file);
    log.note(event({ kind: "released" }));
    await log.record([event({ kind: "denied" }), event({ kind: "revoked" })]);
    expect(kinds(file)).toEqual(["released", "denied", "revoked"]);
    expect(commitsIn(file) - before).toBe(1);
  });

  it("are made for notes alone when nothing comes to carry them", async () => {
    const file = logPath();
    const log = logAt(file);
    log.note(event({ kind: "released" }));
    await expect.poll(() => existsSync(file) && kinds(file), { timeout: 10_000 }).toEqual(["released"]);
  });
});

describe("closing", () => {
  it("writes what was noted, even when nothing had opened the log", async () => {
    const file = logPath();
    const log = openLog({ file });
    log.note({ kind: "stopped", at: AT });
    expect(log.close()).toBeUndefined();
    expect(kinds(file)).toEqual(["stopped"]);
  });

  it("closes deliveries that have no end, and only those, and takes its lock away", async () => {
    const file = logPath();
    const log = openLog({ file, now: () => AT + 5_000 });
    await log.record([event({ release: "release-1" }), event({ release: "release-2" })]);
    log.note(event({ kind: "released", release: "release-1" }));
    log.close();
    const [last, ...others] = readEvents({ file, filters: { limit: 10, kind: "unknown_outcome" } });
    expect(others).toEqual([]);
    const { reason: _, requester: __, ...kept } = event({ release: "release-2", at: AT + 5_000 });
    expect(last).toMatchObject({ ...kept, kind: "unknown_outcome" });
    expect(readdirSync(instancesFolder(file))).toEqual([]);
  });

  it("is a thing of once", async () => {
    const file = logPath();
    const log = openLog({ file });
    await log.record([event({ release: "release-1" })]);
    log.close();
    expect(log.close()).toBeUndefined();
    expect(kinds(file)).toEqual(["releasing", "unknown_outcome"]);
  });
});
