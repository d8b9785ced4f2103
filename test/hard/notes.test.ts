import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { scratch } from "../support/audit.ts";
import { contended, cutNotes, lostByKills, noteTakers, PATIENT } from "../support/notes-processes.ts";
import { canWatch } from "../support/power-cut.ts";
import { share } from "../support/share.ts";

const stateFolder = (): string => join(scratch(), "state");

describe("the same note, added by several processes at the same moment", () => {
  it.each([2, 8])("is the first of exactly one of %i", async (processes) => {
    const takers = await noteTakers([PATIENT]);
    expect(await contended(stateFolder(), { takers, processes, rounds: share(3_000) })).toEqual([]);
  });
});

describe("the same note, swapped by several processes at the same moment", () => {
  it.each([2, 8])("is taken by exactly one of %i", async (processes) => {
    const takers = await noteTakers([PATIENT]);
    const contention = { takers, processes, rounds: share(2_000), mode: "swap" } as const;
    expect(await contended(stateFolder(), contention)).toEqual([]);
  });
});

describe("a new notes file", () => {
  it("is made by eight processes at the same moment, none of which is sent away", async () => {
    const takers = await noteTakers([PATIENT]);
    const contention = { takers, processes: 8, rounds: share(500), mode: "open" } as const;
    expect(await contended(scratch(), contention)).toEqual([]);
  });
});

describe("what was confirmed", () => {
  it("is there after kill -9", async () => {
    expect(await lostByKills(stateFolder(), { takers: await noteTakers(), kills: share(200) })).toEqual([]);
  });

  it.runIf(canWatch)("is there after a power cut", async () => {
    const cuts = share(2_000);
    const report = await cutNotes(scratch(), { takers: await noteTakers(), cuts });
    expect(report).toEqual({ cuts, lossy: 0, damaged: 0 });
  });
});
