import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { logPath } from "../support/audit.ts";
import { killRuns } from "../support/audit-kills.ts";
import { openWorkshop } from "../support/audit-processes.ts";
import type { Workshop } from "../support/audit-processes.ts";
import { untilSeen } from "../support/until-seen.ts";

let workshop: Workshop;
beforeAll(async () => {
  workshop = await openWorkshop();
});
afterAll(() => workshop.close());

const sound = { unrecorded: [], closedAlive: [], notClosedOnce: [], integrity: "ok" };

describe("kill -9 at random moments", () => {
  it("leaves no released value without its record, one process on the log", async () => {
    const report = await killRuns({ workshop, file: logPath(), runs: 12, processes: 1, mode: "work" });
    expect(report).toMatchObject(sound);
    expect(report.released).toBeGreaterThan(0);
    expect(report.unknown).toBeGreaterThan(0);
  });

  it("leaves none either, and closes only what the dead left, two processes on one log", async () => {
    const report = await killRuns({ workshop, file: logPath(), runs: 7, processes: 2, mode: "work" });
    expect(report).toMatchObject(sound);
    expect(report.released).toBeGreaterThan(0);
    expect(report.unknown).toBeGreaterThan(0);
  });

  it("catches a process that lets values out before they are recorded (planted bug)", async () => {
    const report = await untilSeen(
      () => killRuns({ workshop, file: logPath(), runs: 12, processes: 1, mode: "blurt" }),
      ({ unrecorded }) => unrecorded.length > 0,
    );
    expect(report.unrecorded).not.toEqual([]);
  });

  it("catches a process that does not hold its lock (planted bug)", async () => {
    const file = "src/state/held-file.ts";
    const twins = await openWorkshop([{ file, from: 'db.exec("BEGIN EXCLUSIVE");', to: "" }]);
    onTestFinished(() => twins.close());
    const report = await untilSeen(
      () => killRuns({ workshop: twins, file: logPath(), runs: 4, processes: 2, mode: "work" }),
      ({ closedAlive }) => closedAlive.length > 0,
    );
    expect(report.closedAlive).not.toEqual([]);
  });
});
