import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { scratch } from "../support/audit.ts";
import { openWorkshop } from "../support/audit-processes.ts";
import type { Plant } from "../support/patched.ts";
import { buildShim, canWatch, cutPower } from "../support/power-cut.ts";
import type { CutReport } from "../support/power-cut.ts";

const CUTS = 1_000;

async function cut(cuts: number, plants: readonly Plant[] = []): Promise<CutReport> {
  const workshop = await openWorkshop(plants);
  onTestFinished(() => workshop.close());
  const folder = scratch();
  mkdirSync(join(folder, "state"), { mode: 0o700 });
  const journal = join(folder, "journal");
  const env = { LD_PRELOAD: buildShim(folder), POWER_JOURNAL: journal };
  const worker = workshop.start("some", join(folder, "state", "power.db"), "r", env);
  await worker.over;
  expect(worker.lines().length).toBeGreaterThan(100);
  expect(statSync(journal).size).toBeGreaterThan(0);
  const report = cutPower(journal, {
    cuts,
    folder,
    table: "event",
    query: "SELECT release FROM event WHERE kind = 'releasing'",
  });
  console.log(report);
  return report;
}

describe.runIf(canWatch)("a power cut at a random moment", () => {
  it("takes nothing that was released out of the log", { timeout: 300_000 }, async () => {
    expect(await cut(CUTS)).toEqual({ cuts: CUTS, lossy: 0, damaged: 0 });
  });

  it("would take some if SQLite did not sync each commit (planted bug)", { timeout: 300_000 }, async () => {
    const report = await cut(CUTS / 5, [
      { file: "src/state/database.ts", from: "synchronous = FULL", to: "synchronous = NORMAL" },
      { file: "src/state/database.ts", from: "if (synchronous === 2) return;", to: "if (synchronous === 1) return;" },
    ]);
    expect(report.lossy).toBeGreaterThan(0);
  });
});
