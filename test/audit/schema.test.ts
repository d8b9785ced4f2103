import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import Database from "better-sqlite3";
import { beforeEach, describe, expect, it } from "vitest";
import type { Event } from "../../src/core/event.ts";
import { readEvents } from "../../src/audit/read.ts";
import { APPLICATION_ID, MIGRATIONS } from "../../src/audit/schema.ts";
import { openLog } from "../../src/audit/sqlite.ts";
import { AT, event, logAt, logPath, query } from "../support/audit.ts";

const SEED_QUERY = "SELECT * FROM audit ORDER BY timestamp DESC LIMIT 20";

let file: string;
beforeEach(() => {
  file = logPath();
});

const record = (...events: Event[]): Promise<void> => logAt(file).record(events);
const listed = (): Record<string, unknown>[] => query(file, SEED_QUERY);

describe("what is written stays", () => {
  const asStranger = (sql: string, { pragmas = "" } = {}): string => {
    const db = new Database(file);
    try {
      db.exec(pragmas);
      db.exec(sql);
      return "done";
    } catch (error) {
      return error instanceof Error ? error.message : "";
    } finally {
      db.close();
    }
  };
  const REFUSED = "the audit log is append-only";

  it.each([
    ["UPDATE event SET reason = 'because'"],
    ["UPDATE event SET at = 0 WHERE seq = 1"],
    ["DELETE FROM event"],
    ["DELETE FROM event WHERE seq = 1"],
    ["INSERT OR REPLACE INTO event (seq, at, kind, instance) VALUES (1, 0, 'approved', 'x')"],
    ["REPLACE INTO event (seq, at, kind, instance) VALUES (2, 0, 'approved', 'x')"],
    ["INSERT INTO event (seq, at, kind, instance) VALUES (1, 0, 'approved', 'x')"],
    [
      "INSERT INTO event (seq, at, kind, instance) VALUES (1, 0, 'x', 'x') ON CONFLICT (seq) DO UPDATE SET kind = 'approved'",
    ],
  ])("against %s", async (sql) => {
    await record(event(), event({ kind: "denied" }));
    const before = query(file, "SELECT * FROM event");
    expect(asStranger(sql)).toBe(REFUSED);
    expect(asStranger(sql, { pragmas: "PRAGMA recursive_triggers = OFF" })).toBe(REFUSED);
    expect(query(file, "SELECT * FROM event")).toEqual(before);
  });

  it("and nothing can be put before it", async () => {
    await record(event());
    expect(asStranger("INSERT INTO event (seq, at, kind, instance) VALUES (-5, 0, 'x', 'x')")).toContain("CHECK");
    expect(asStranger("INSERT INTO event (seq, at, kind, instance) VALUES (0, 0, 'x', 'x')")).toContain("CHECK");
  });

  it("and only text stands where text belongs", async () => {
    await record(event());
    expect(asStranger("INSERT INTO event (at, kind, instance) VALUES ('now', 'x', 'x')")).toContain("INTEGER");
  });
});

describe("the view the README promises", () => {
  const common = { reason: "to run the migration of the orders table", access: "read", approver: null };

  it("has one row per secret, newest first, with ISO times", async () => {
    await record(
      event({ kind: "approved", at: AT, names: ["A", "B"], until: AT + 1_800_000 }),
      event({ kind: "denied", at: AT + 1, names: ["C"] }),
      event({ kind: "releasing", basis: "window", at: AT + 2, names: ["A"], until: AT + 1_800_000 }),
    );
    const until = "2026-11-20T15:02:07.045Z";
    expect(listed()).toEqual([
      {
        ...common,
        timestamp: "2026-11-20T14:32:07.047Z",
        secret_name: "dev/A",
        action: "auto_approved",
        ttl_expires_at: until,
      },
      {
        ...common,
        timestamp: "2026-11-20T14:32:07.046Z",
        secret_name: "dev/C",
        action: "denied",
        ttl_expires_at: null,
      },
      {
        ...common,
        timestamp: "2026-11-20T14:32:07.045Z",
        secret_name: "dev/A",
        action: "approved",
        ttl_expires_at: until,
      },
      {
        ...common,
        timestamp: "2026-11-20T14:32:07.045Z",
        secret_name: "dev/B",
        action: "approved",
        ttl_expires_at: until,
      },
    ]);
  });

  it("says whose passkey signed it", async () => {
    await record(event({ kind: "approved", approver: "Maria's phone (c3JlZA)", statement: "digest-of-it" }));
    expect(listed()).toMatchObject([{ action: "approved", approver: "Maria's phone (c3JlZA)" }]);
  });

  it("tells reads from writes", async () => {
    await record(event({ kind: "approved", action: "write" }), event({ kind: "approved", action: "read" }));
    expect(query(file, "SELECT access FROM audit")).toEqual([{ access: "write" }, { access: "read" }]);
  });

  it("leaves out what is neither a decision nor a use of a window", async () => {
    await record(
      event({ kind: "requested" }),
      event({ kind: "releasing", basis: "asked" }),
      event({ kind: "released" }),
      event({ kind: "expired" }),
    );
    expect(listed()).toEqual([]);
  });

  it("loses no decision that names no secret", async () => {
    const { names: _, ...nameless } = event({ kind: "denied" });
    await record(nameless);
    expect(listed()).toMatchObject([{ secret_name: "dev", action: "denied" }]);
  });

  it("writes every millisecond as JavaScript does", async () => {
    const times = Array.from({ length: 2_000 }, (_, i) => Math.floor(i * i * 1_234_567.89) % 4_102_444_800_000);
    await record(...times.map((at) => event({ kind: "denied", at, until: at })));
    const rows = query(file, "SELECT at, timestamp FROM event");
    expect(rows.filter(({ at, timestamp }) => new Date(Number(at)).toISOString() !== timestamp)).toEqual([]);
  });

  it("sorts nothing: the index gives the order", async () => {
    await record(event());
    const plan = query<{ detail: string }>(file, `EXPLAIN QUERY PLAN ${SEED_QUERY}`).map(({ detail }) => detail);
    expect(plan[0]).toBe("SCAN event USING INDEX event_listed");
    expect(plan.join("\n")).not.toMatch(/TEMP B-TREE/);
  });
});

describe("a log of an earlier release", () => {
  /** A log as the release before the passkeys made it. */
  const makeFirst = (): void => {
    mkdirSync(dirname(file), { mode: 0o700 });
    const db = new Database(file);
    db.exec(MIGRATIONS[0] ?? "");
    db.pragma(`application_id = ${APPLICATION_ID}`);
    db.pragma("user_version = 1");
    db.pragma("journal_mode = WAL");
    db.exec(`INSERT INTO event (at, kind, vault, names, instance) VALUES (${AT}, 'approved', 'dev', '["A"]', 'one')`);
    db.close();
  };

  it("is made as it was then: what such a log has run is never changed", () => {
    const digest = createHash("sha256")
      .update(MIGRATIONS[0] ?? "")
      .digest("base64url");
    expect(digest).toBe("csKkhPfI9A2Tlbgd1rJXGoBd-dZH5_FWM3EkFFx3EoM");
  });

  it("is brought up to date and keeps every line", async () => {
    makeFirst();
    await record(event({ at: AT + 1, approver: "Maria's phone (c3JlZA)", statement: "digest-of-it" }));
    expect(query(file, "PRAGMA user_version")).toEqual([{ user_version: MIGRATIONS.length }]);
    expect(readEvents({ file, filters: { limit: 10 } })).toMatchObject([
      { seq: 2, approver: "Maria's phone (c3JlZA)", statement: "digest-of-it" },
      { seq: 1, kind: "approved", vault: "dev", names: ["A"] },
    ]);
    expect(listed()).toMatchObject([{ secret_name: "dev/A", approver: null }]);
  });

  it("stays append-only", async () => {
    makeFirst();
    await record(event());
    const db = new Database(file);
    expect(() => db.exec("UPDATE event SET approver = 'nobody'")).toThrow("the audit log is append-only");
    expect(() => db.exec("DELETE FROM event")).toThrow("the audit log is append-only");
    db.close();
  });
});

describe("whose file it is", () => {
  const refusalOf = async (make: (db: Database.Database) => void): Promise<unknown> => {
    mkdirSync(dirname(file), { mode: 0o700 });
    const db = new Database(file);
    make(db);
    db.close();
    copyFileSync(file, `${file}.before`);
    return openLog({ file })
      .record([event()])
      .catch((error: unknown) => error);
  };
  const isUntouched = (): boolean => readFileSync(file).equals(readFileSync(`${file}.before`));

  it("leaves another program's database alone", async () => {
    const error = await refusalOf((db) => db.exec("CREATE TABLE audit (id INTEGER, action TEXT)"));
    expect(error).toMatchObject({ code: "audit_unavailable", message: expect.stringContaining("of something else") });
    expect(isUntouched()).toBe(true);
  });

  it("leaves a log from a newer release alone", async () => {
    const error = await refusalOf((db) => {
      db.pragma(`application_id = ${APPLICATION_ID}`);
      db.exec("CREATE TABLE event (seq INTEGER)");
      db.pragma("user_version = 99");
    });
    expect(error).toMatchObject({ code: "audit_unavailable", message: expect.stringContaining("newer agent-vault") });
    expect(isUntouched()).toBe(true);
  });

  it("goes on with a log of its own", async () => {
    const first = openLog({ file });
    await first.record([event({ kind: "denied" })]);
    first.close();
    await record(event({ kind: "approved" }));
    expect(query(file, "SELECT seq, kind FROM event ORDER BY seq")).toEqual([
      { seq: 1, kind: "denied" },
      { seq: 2, kind: "approved" },
    ]);
  });
});
