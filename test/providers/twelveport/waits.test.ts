import { expect, it } from "vitest";
import { visible } from "../../../src/core/text.ts";
import { type Wait, waitText } from "../../../src/providers/twelveport/waits.ts";

const one = (kind: Wait["for"], label: string, request?: string): Wait => ({ for: kind, label, request });

it.each<[string, Wait[]]>([
  ["waiting for 12Port's approvers: prod-db, request 4715", [one("approvers", "prod-db", "4715")]],
  ["waiting for 12Port's approvers: prod-db", [one("approvers", "prod-db")]],
  [
    "waiting for 12Port's approvers: a, request 1; b, request 2",
    [one("approvers", "a", "1"), one("approvers", "b", "2")],
  ],
  [
    "waiting for 12Port's approvers: a; b; c; 2 more",
    ["a", "b", "c", "d", "e"].map((label) => one("approvers", label)),
  ],
  ["waiting for request 4711 (db) to reach 12Port's approvers", [one("queue", "db", "4711")]],
  ["waiting for the request (db) to reach 12Port's approvers", [one("queue", "db")]],
  ["waiting for an earlier request to show up in 12Port: db", [one("earlier", "db")]],
  ["waiting for 12Port, which does not answer just now: db", [one("server", "db", "4711")]],
  [
    "waiting for 12Port's approvers: a, request 1; waiting for request 2 (b) to reach 12Port's approvers",
    [one("queue", "b", "2"), one("approvers", "a", "1")],
  ],
])("%s", (text, waits) => {
  expect(waitText(waits)).toBe(text);
});

it("has names as the vault has them, cut where they are long: whoever shows it makes it visible, once", () => {
  expect(waitText([one("approvers", "a\u202Eb", "1\n2")])).toBe(
    "waiting for 12Port's approvers: a\u202Eb, request 1\n2",
  );
  expect(visible(waitText([one("server", "a\u202Eb")]))).toMatch(/: a⟦U\+202E⟧b$/);
  expect(waitText([one("queue", "x".repeat(81))])).toContain(`(${"x".repeat(79)}…)`);
});
