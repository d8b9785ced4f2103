import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { VaultError } from "../../../src/core/errors.ts";
import type { Notes } from "../../../src/core/ports.ts";
import { createLedger, isGone, type Ledger, scopeOf } from "../../../src/providers/twelveport/ledger.ts";
import { openNotes } from "../../../src/state/notes.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { fakeNotes } from "../../support/provider-context.ts";
import { ask, scene } from "./support.ts";

const ending: (() => void)[] = [];

afterEach(() => {
  for (const end of ending.splice(0).toReversed()) end();
});

function realNotes(): Notes {
  const folder = mkdtempSync(join(tmpdir(), "agent-vault-ledger-"));
  const notes = openNotes(folder);
  ending.push(
    () => rmSync(folder, { recursive: true }),
    () => notes.close(),
  );
  return notes.of("12port https://vault.example acme");
}

describe.each([
  ["in the state folder", realNotes],
  ["in memory", () => fakeNotes()("12port")],
])("the requests noted %s", (_, notesOf) => {
  const two = (): { clock: FakeClock; notes: Notes; one: Ledger; other: Ledger } => {
    const [clock, notes] = [new FakeClock(), notesOf()];
    return { clock, notes, one: createLedger(notes, clock), other: createLedger(notes, clock) };
  };

  it("are claimed by one process alone", () => {
    const { clock, one, other } = two();
    const claimed = one.claim("a", clock.now() + 1_000);
    expect(claimed).toMatchObject({ state: "submitting", by: one.me });
    expect(other.claim("a", clock.now() + 1_000)).toBeUndefined();
    expect(other.find("a")).toMatchObject({ asset: "a", by: one.me });
  });

  it("are changed only by who has seen them as they are", () => {
    const { clock, one, other } = two();
    const claimed = one.claim("a", clock.now() + 1_000);
    const seen = other.find("a");
    if (!claimed || !seen) throw new Error("nothing there");
    const submitted = one.change(claimed, { state: "submitted", request: "4711" });
    expect(submitted).toMatchObject({ state: "submitted", request: "4711" });
    expect(other.change(seen, { state: "unsure" })).toBeUndefined();
    expect(other.drop(seen)).toBe(false);
    const now = other.find("a");
    expect(now).toMatchObject({ state: "submitted", request: "4711" });
    if (!now || !submitted) throw new Error("nothing there");
    expect(other.change(now, { state: "waiting", action: "AssetAccess" })).toMatchObject({ request: "4711" });
    expect(one.drop(submitted)).toBe(false);
    expect(one.find("a")).toMatchObject({ state: "waiting", action: "AssetAccess", request: "4711" });
  });

  it("are gone when the requested time is over", () => {
    const { clock, notes, one } = two();
    one.claim("a", clock.now() + 1_000);
    clock.advance(1_000);
    expect(one.find("a")).toBeUndefined();
    expect(notes.get("a")).toBeUndefined();
    expect(one.claim("a", clock.now() + 1)).toBeDefined();
  });

  it("are not taken for none when they are not understood", () => {
    const { notes, one } = two();
    notes.put("a", { state: "from the future" });
    expect(() => one.find("a")).toThrow(/is not understood/);
    expect(one.claim("a", 1)).toBeUndefined();
    notes.put("b", { state: "rejected", by: one.me, at: 1, until: 9e15 });
    expect(() => one.find("b")).toThrow(VaultError);
  });
});

describe("the scope of a user's requests", () => {
  it.each([
    [
      ["acme", "bob"],
      ["acme as bob", undefined],
    ],
    [
      ["acme", undefined],
      ["acme", "null"],
    ],
    [
      ["acme", "\uD800"],
      ["acme", "\uD801"],
    ],
  ] as const)("is not the same for %j and %j", ([tenant, subject], [otherTenant, other]) => {
    const origin = "https://vault.example";
    expect(scopeOf(origin, tenant, subject)).toBe(scopeOf(origin, tenant, subject));
    expect(scopeOf(origin, tenant, subject)).not.toBe(scopeOf(origin, otherTenant, other));
  });

  it.each([
    ["\uD800", "acme"],
    ["\u20AC".repeat(200), "\u20AC".repeat(200)],
  ])("opens a vault for any token and any tenant (%#)", async (sub, tenant) => {
    const token = `e30.${Buffer.from(JSON.stringify({ sub })).toString("base64url")}.c2ln`;
    const folder = mkdtempSync(join(tmpdir(), "agent-vault-ledger-"));
    const notebook = openNotes(folder);
    ending.push(
      () => rmSync(folder, { recursive: true }),
      () => notebook.close(),
    );
    const { fake, open } = await scene({ token, tenant }, { notes: notebook.of });
    fake.add({ name: "db", password: "hunter2-4711" });
    expect(await ask(await open(), "db")).toEqual(["hunter2-4711"]);
  });
});

describe("a process", () => {
  it("is gone only when this computer says so", () => {
    const { me } = createLedger(fakeNotes()("x"), new FakeClock());
    expect(isGone(me)).toBe(false);
    expect(isGone({ ...me, pid: 2 ** 22 + 1 })).toBe(true);
    expect(isGone({ ...me, pid: 2 ** 22 + 1, host: "another" })).toBe(false);
    expect(isGone({ ...me, pid: 1 })).toBe(false);
  });
});
