import Database from "better-sqlite3";
import { beforeEach, describe, expect, it } from "vitest";
import type { EventFilters } from "../../src/audit/read.ts";
import { inspectLog, readEvents } from "../../src/audit/read.ts";
import { FILTERS, selectEvents } from "../../src/audit/schema.ts";
import { openLog } from "../../src/audit/sqlite.ts";
import { AT, event, logAt, logPath, query } from "../support/audit.ts";

let file: string;
beforeEach(() => {
  file = logPath();
});

describe("reading the log", () => {
  const found = (filters: Partial<EventFilters>): number[] =>
    readEvents({ file, filters: { limit: 100, ...filters } }).map(({ seq }) => seq);

  beforeEach(async () => {
    await logAt(file).record([
      event({ kind: "requested", at: AT, request: "q1", names: ["A", "B"] }),
      event({ kind: "approved", at: AT + 10, request: "q1", names: ["A", "B"] }),
      event({ kind: "releasing", at: AT + 10, request: "q1", names: ["A"] }),
      event({ kind: "denied", at: AT + 20, request: "q2", vault: "prod", names: ["A%", "dev/A"] }),
      event({ kind: "released", at: AT + 5, request: "q1", names: ["A"] }),
      { kind: "stopped", at: AT + 30 },
    ]);
  });

  it.each<[string, Partial<EventFilters>, number[]]>([
    ["gives the newest first, by time and then as they came", {}, [6, 4, 3, 2, 5, 1]],
    ["stops at the limit", { limit: 2 }, [6, 4]],
    ["gives nothing for a limit of nothing", { limit: 0 }, []],
    ["starts with since", { since: AT + 10 }, [6, 4, 3, 2]],
    ["ends before until", { until: AT + 10 }, [5, 1]],
    ["keeps to a vault", { vault: "prod" }, [4]],
    ["keeps to a kind", { kind: "denied" }, [4]],
    ["keeps to a kind that is common", { kind: "releasing" }, [3]],
    ["keeps to a request", { request: "q1" }, [3, 2, 5, 1]],
    ["keeps to a name, whole and as it is written", { name: "A" }, [3, 2, 5, 1]],
    ["takes a name for no pattern", { name: "A%" }, [4]],
    ["takes all conditions together", { vault: "dev", name: "A", since: AT + 5, kind: "approved" }, [2]],
    ["finds nothing where nothing is", { vault: "' OR 1 = 1 --" }, []],
  ])("%s", (_, filters, expected) => {
    expect(found(filters)).toEqual(expected);
  });

  it("goes on while others write, and disturbs nobody", async () => {
    const writer = new Database(file);
    writer.exec("BEGIN IMMEDIATE");
    expect(found({ limit: 1 })).toEqual([6]);
    writer.exec("ROLLBACK");
    writer.close();
  });

  it("can only read", () => {
    const before = query(file, "SELECT count(*) FROM event");
    readEvents({ file, filters: { limit: 1 } });
    inspectLog({ file });
    expect(query(file, "SELECT count(*) FROM event")).toEqual(before);
  });

  it("knows how much there is and since when", () => {
    expect(inspectLog({ file })).toMatchObject({ exists: true, events: 6, lastAt: AT + 30 });
  });
});

describe("reading what is not there", () => {
  it("says that there is no log yet", () => {
    expect(() => readEvents({ file, filters: { limit: 1 } })).toThrow(
      expect.objectContaining({
        code: "audit_unavailable",
        message: `there is no audit log at ${file} yet`,
        hint: "it is made when an agent first asks for a secret",
      }),
    );
    expect(inspectLog({ file })).toEqual({ exists: false });
  });

  it("says so of a file that is none", async () => {
    const log = openLog({ file });
    await log.open();
    log.close();
    new Database(`${file}.other`).exec("CREATE TABLE audit (id)").close();
    expect(() => readEvents({ file: `${file}.other`, filters: { limit: 1 } })).toThrow("holds no audit log");
  });

  it("reads a log that was closed in good order", async () => {
    const log = openLog({ file });
    await log.record([event()]);
    log.close();
    expect(readEvents({ file, filters: { limit: 5, kind: "releasing" } })).toHaveLength(1);
  });
});

describe("the plan of every question", () => {
  beforeEach(() => logAt(file).record([event()]));
  const plan = (conditions: string[]): string => {
    const places = conditions.join("").split("?").length;
    const values = Array.from({ length: places }, () => 1);
    return query<{ detail: string }>(file, `EXPLAIN QUERY PLAN ${selectEvents(conditions)}`, ...values)
      .map(({ detail }) => detail)
      .join("\n");
  };

  it.each([
    ["all", [], "SCAN event USING INDEX event_at"],
    ["time", [FILTERS.since, FILTERS.until], "SEARCH event USING INDEX event_at (at>? AND at<?)"],
    ["a vault", [FILTERS.vault], "SEARCH event USING INDEX event_vault (vault=?)"],
    ["a vault since", [FILTERS.vault, FILTERS.since], "SEARCH event USING INDEX event_vault (vault=? AND at>?)"],
    ["a rare kind", [FILTERS.kind], "SEARCH event USING INDEX event_kind (kind=?)"],
    ["a common kind", [FILTERS.releaseKind], "SCAN event USING INDEX event_at"],
  ])("walks an index in order for %s", (_, conditions, expected) => {
    expect(plan(conditions)).toBe(expected);
  });

  it("goes straight to a request, and sorts only what belongs to it", () => {
    expect(plan([FILTERS.request])).toBe(
      "SEARCH event USING INDEX event_request (request=?)\nUSE TEMP B-TREE FOR ORDER BY",
    );
  });
});
