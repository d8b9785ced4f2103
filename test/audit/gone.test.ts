import { renameSync, rmSync, writeFileSync } from "node:fs";
import { describe, expect, it, onTestFinished } from "vitest";
import { event, logAt, logPath, query } from "../support/audit.ts";
import { openWorkshop } from "../support/audit-processes.ts";

const denied = (reason: string) => event({ kind: "denied", reason });

describe("a file that is taken away while it is open", () => {
  it.each([
    ["the database", "", "deleted"],
    ["the write-ahead log", "-wal", "deleted"],
    ["the index of the write-ahead log", "-shm", "deleted"],
    ["the database", "", "replaced"],
  ])("is noticed: %s%s, %s", async (_, suffix, what) => {
    const file = logPath();
    const log = logAt(file);
    await log.record([denied("before")]);
    renameSync(file + suffix, `${file}.aside`);
    if (what === "replaced") writeFileSync(file, "");
    await expect(log.record([denied("never")])).rejects.toMatchObject({
      code: "audit_unavailable",
      message: expect.stringContaining("was moved, deleted or replaced"),
    });
    rmSync(file + suffix, { force: true });
    renameSync(`${file}.aside`, file + suffix);
    await log.record([denied("after")]);
    expect(query(file, "SELECT reason FROM event ORDER BY seq")).toEqual([{ reason: "before" }, { reason: "after" }]);
  });

  const releasesAfterRemoval = async (planted: boolean): Promise<number> => {
    const twins = await openWorkshop(
      planted ? [{ file: "src/audit/book.ts", from: "      assertInPlace();\n", to: "" }] : [],
    );
    onTestFinished(() => twins.close());
    const file = logPath();
    const worker = twins.start("until-refused", file);
    await worker.first();
    rmSync(file);
    const said = worker.lines().length;
    await expect
      .poll(() => worker.lines().length > said + 100 || worker.process.exitCode !== null, { timeout: 10_000 })
      .toBe(true);
    const more = worker.lines().length - said;
    await worker.kill();
    return more;
  };

  it("stops what leaves the house", async () => {
    expect(await releasesAfterRemoval(false)).toBeLessThan(50);
  });

  it("would not stop it if nobody looked (planted bug)", async () => {
    expect(await releasesAfterRemoval(true)).toBeGreaterThan(100);
  });
});
