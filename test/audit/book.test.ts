import Database from "better-sqlite3";
import { describe, expect, it, onTestFinished } from "vitest";
import { openBook } from "../../src/audit/book.ts";
import type { Driver } from "../../src/state/driver.ts";
import { toRow } from "../../src/audit/rows.ts";
import { event, logPath } from "../support/audit.ts";

/** The real driver, whose connections can be looked at, and to which one pragma can be made not to arrive. */
function watched({ deaf }: { deaf?: RegExp } = {}): { driver: Driver; connections: Database.Database[] } {
  const connections: Database.Database[] = [];
  const driver = new Proxy(Database, {
    construct(target, args: ConstructorParameters<Driver>) {
      const db = new target(...args);
      const pragma = db.pragma.bind(db);
      db.pragma = (source, options) => (deaf?.test(source) ? undefined : pragma(source, options));
      connections.push(db);
      return db;
    },
  });
  return { driver, connections };
}

const open = (file: string, driver: Driver) =>
  openBook({ driver, file, instance: "instance-1", now: Date.now, busyMs: 250 });

describe("the connection", () => {
  it.each(["a new log", "a log that is there"])("is durable after a write, on %s", (kind) => {
    const file = logPath();
    if (kind !== "a new log") open(file, Database).end([], 250);
    const { driver, connections } = watched();
    const book = open(file, driver);
    onTestFinished(() => book.end([], 250));
    book.write([toRow(event())], 250);
    const db = connections.find(({ name }) => name === file);
    const settings = [
      "journal_mode",
      "synchronous",
      "fullfsync",
      "checkpoint_fullfsync",
      "recursive_triggers",
      "trusted_schema",
    ];
    expect(Object.fromEntries(settings.map((name) => [name, db?.pragma(name, { simple: true })]))).toEqual({
      journal_mode: "wal",
      synchronous: 2,
      fullfsync: 1,
      checkpoint_fullfsync: 1,
      recursive_triggers: 1,
      trusted_schema: 0,
    });
  });

  it.each([
    ["SQLite will not write durably", /^synchronous = FULL/],
    ["there is no write-ahead log to be had", /^journal_mode = WAL/],
  ])("is refused when %s", (_, deaf) => {
    expect(() => open(logPath(), watched({ deaf }).driver)).toThrow(
      expect.objectContaining({ code: "audit_unavailable" }),
    );
  });

  it("leaves nothing open behind a refusal", () => {
    const { driver, connections } = watched({ deaf: /^synchronous = FULL/ });
    expect(() => open(logPath(), driver)).toThrow("durably");
    expect(connections.length).toBeGreaterThan(1);
    expect(connections.filter((db) => db.open)).toEqual([]);
  });
});
