import { copyFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { scratch } from "../support/audit.ts";
import { contended, cutNotes, lostByKills, type NoteTakers, noteTakers, PATIENT } from "../support/notes-processes.ts";
import { canWatch } from "../support/power-cut.ts";
import { untilSeen } from "../support/until-seen.ts";

const ROUNDS = 80;
const CUTS = 80;

describe("the same note, added by several processes at the same moment", () => {
  it.each([2, 8])("is the first of exactly one of %i", async (processes) => {
    const takers = await noteTakers([PATIENT]);
    expect(await contended(join(scratch(), "state"), { takers, processes, rounds: ROUNDS })).toEqual([]);
  });

  it("would be the first of several if they looked before they wrote (planted bug)", async () => {
    const takers = await noteTakers([
      PATIENT,
      {
        file: "src/state/note-table.ts",
        from: "committing(() => add.run(scope, key, record).changes === 1)",
        to: "get.get(scope, key) === undefined && committing(() => put.run(scope, key, record).changes === 1)",
      },
    ]);
    const wrong = await untilSeen(
      () => contended(join(scratch(), "state"), { takers, processes: 8, rounds: ROUNDS / 10 }),
      (rounds) => rounds.length > 0,
    );
    expect(wrong).not.toEqual([]);
  });
});

describe("the same note, swapped by several processes at the same moment", () => {
  it.each([2, 8])("is taken by exactly one of %i", async (processes) => {
    const takers = await noteTakers([PATIENT]);
    const contention = { takers, processes, rounds: ROUNDS / 2, mode: "swap" } as const;
    expect(await contended(join(scratch(), "state"), contention)).toEqual([]);
  });

  it("would be taken by several if it were not looked at again while writing (planted bug)", async () => {
    const takers = await noteTakers([
      PATIENT,
      {
        file: "src/state/note-table.ts",
        from: "UPDATE note SET record = ? WHERE scope = ? AND key = ? AND record = ?",
        to: "UPDATE note SET record = ? WHERE scope = ? AND key = ? AND ? IS NOT NULL",
      },
    ]);
    const contention = { takers, processes: 2, rounds: 10, mode: "swap" } as const;
    expect(await contended(join(scratch(), "state"), contention)).not.toEqual([]);
  });
});

describe("a new notes file", () => {
  const sentAway = (takers: NoteTakers, rounds: number): Promise<readonly string[][]> =>
    contended(scratch(), { takers, processes: 4, rounds, mode: "open" });

  it("is made by several processes at the same moment, none of which is sent away", async () => {
    expect(await sentAway(await noteTakers([PATIENT]), 40)).toEqual([]);
  });

  const file = "src/state/database.ts";
  it.each([
    [
      "looked at it half made",
      [
        { file, from: 'db.exec("BEGIN");', to: "" },
        { file, from: 'db.exec("COMMIT");\n    set(', to: "set(" },
      ],
    ],
    ["did not wait for each other", [{ file, from: 'codeOf(error) !== "SQLITE_BUSY" ||', to: "true ||" }]],
  ])("would send some away if they %s (planted bug)", async (_, plants) => {
    const takers = await noteTakers([PATIENT, ...plants]);
    const wrong = await untilSeen(
      () => sentAway(takers, 30),
      (rounds) => rounds.length > 0,
    );
    expect(wrong).not.toEqual([]);
  });
});

describe("kill -9", () => {
  it("takes no note with it whose keeping was confirmed", async () => {
    expect(await lostByKills(join(scratch(), "state"), { takers: await noteTakers(), kills: 6 })).toEqual([]);
  });

  it("would if a note were confirmed before it is committed (planted bug)", async () => {
    const file = "src/state/note-table.ts";
    const takers = await noteTakers([
      { file, from: "begin.run();", to: "if (!db.inTransaction) begin.run();" },
      { file, from: "commit.run();", to: "setTimeout(() => db.inTransaction && commit.run(), 50);" },
    ]);
    const lost = await lostByKills(join(scratch(), "state"), { takers, kills: 4 });
    expect(lost).not.toEqual([]);
  });
});

describe.runIf(canWatch)("a power cut at a random moment", () => {
  it("takes no note with it whose keeping was confirmed", async () => {
    const report = await cutNotes(scratch(), { takers: await noteTakers(), cuts: CUTS });
    expect(report).toEqual({ cuts: CUTS, lossy: 0, damaged: 0 });
  });

  it("would if SQLite did not sync each commit (planted bug)", async () => {
    const file = "src/state/database.ts";
    const takers = await noteTakers([
      { file, from: "synchronous = FULL", to: "synchronous = OFF" },
      { file, from: "if (synchronous === 2) return;", to: "if (synchronous === 0) return;" },
    ]);
    const report = await cutNotes(scratch(), { takers, cuts: CUTS });
    expect(report.lossy + report.damaged).toBeGreaterThan(0);
  });
});

describe("a process that takes no notes", () => {
  it("loads no database and makes no file", async () => {
    const folder = join(scratch(), "state");
    const taker = (await noteTakers()).start("first-use", folder);
    expect(await taker.next()).toBe("looked: false");
    expect(await taker.next()).toBe("kept: true");
    await taker.over;
    expect(existsSync(join(folder, "notes.db"))).toBe(true);
  });

  it("hears what to install when it wants to and there is no database to load", async () => {
    const folder = join(scratch(), "state");
    const takers = await noteTakers();
    const script = join(scratch(), "alone.mjs");
    copyFileSync(takers.script, script);
    const taker = takers.start("try", folder, { script });
    expect(JSON.parse(await taker.next())).toEqual({
      code: "provider_unavailable",
      message: `the notes file ${join(folder, "notes.db")} cannot be opened: better-sqlite3 is not installed`,
      hint: "install agent-vault again",
    });
  });
});
