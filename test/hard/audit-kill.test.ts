import { afterAll, beforeAll, expect, it } from "vitest";
import { logPath } from "../support/audit.ts";
import { killRuns } from "../support/audit-kills.ts";
import { openWorkshop } from "../support/audit-processes.ts";
import type { Workshop } from "../support/audit-processes.ts";

const MANY = 300;
const PATIENT = 600_000;
const sound = { unrecorded: [], closedAlive: [], notClosedOnce: [], integrity: "ok" };

let workshop: Workshop;
beforeAll(async () => {
  workshop = await openWorkshop();
});
afterAll(() => workshop.close());

it("keeps a record of every released value through 300 kills", { timeout: PATIENT }, async () => {
  const report = await killRuns({ workshop, file: logPath(), runs: MANY, processes: 1, mode: "work" });
  console.log(`one process: ${report.released} released, ${report.unknown} closed as unknown`);
  expect(report).toMatchObject(sound);
});

it("keeps a record of every released value through 300 kills of two on one log", { timeout: PATIENT }, async () => {
  const report = await killRuns({ workshop, file: logPath(), runs: MANY / 2, processes: 2, mode: "work" });
  console.log(`two processes: ${report.released} released, ${report.unknown} closed as unknown`);
  expect(report).toMatchObject(sound);
});
