import { describe, expect, it } from "vitest";
import { array, assert, asyncProperty, string, tuple } from "fast-check";
import { readEvents } from "../../src/audit/read.ts";
import { event, logAt, logPath } from "../support/audit.ts";

const readBack = (file: string) => readEvents({ file, filters: { limit: 1_000 } });

describe("what an event may be", () => {
  it("is bounded in every text, however large it comes", async () => {
    const file = logPath();
    const huge = "🔑".repeat(500_000);
    await logAt(file).record([
      event({
        reason: huge,
        detail: huge,
        vault: huge,
        session: huge,
        names: Array.from({ length: 3_000 }, () => "n".repeat(2_000)),
        requester: {
          claims: { client: huge, roots: Array.from({ length: 500 }, () => huge) },
          facts: { user: huge, host: huge, folder: huge, process: huge },
        },
      }),
    ]);
    const [stored] = readBack(file);
    expect([...(stored?.reason ?? "")]).toHaveLength(4_000);
    expect([...(stored?.detail ?? "")]).toHaveLength(4_000);
    expect([...(stored?.vault ?? "")]).toHaveLength(1_000);
    expect([...(stored?.session ?? "")]).toHaveLength(200);
    expect(stored?.names).toHaveLength(1_000);
    expect(stored?.names?.[0]).toHaveLength(1_000);
    expect(stored?.requester?.claims.roots).toHaveLength(50);
    expect([...(stored?.requester?.facts.process ?? "")]).toHaveLength(1_000);
  });

  it("comes back as it was, whatever the text", async () => {
    const file = logPath();
    const log = logAt(file);
    const text = string({ unit: "binary", maxLength: 100 });
    let before = 0;
    await assert(
      asyncProperty(
        array(tuple(text, array(text, { maxLength: 5 })), { minLength: 1, maxLength: 60 }),
        async (texts) => {
          const written = texts.map(([reason, names], i) =>
            event({ reason, names, refs: names, vault: reason, detail: reason, at: before + i }),
          );
          await log.record(written);
          const stored = readEvents({ file, filters: { limit: 1_000, since: before } }).toReversed();
          before += texts.length;
          expect(stored).toMatchObject(written);
        },
      ),
      { numRuns: 12 },
    );
  });

  it("cannot hold up the events behind it, even when its numbers are none", async () => {
    const file = logPath();
    await logAt(file).record([event({ at: Number.NaN, until: Infinity, count: 1.4 }), event({ reason: "after it" })]);
    expect(readBack(file).map(({ at, until, count, reason }) => ({ at, until, count, reason }))).toMatchObject([
      { reason: "after it" },
      { at: 0, count: 1 },
    ]);
  });
});
