import { describe, expect, it } from "vitest";
import { VaultError } from "../../src/core/errors.ts";
import { type Call, codeOf, type House, newGate, settle, startHouse, valuesOf } from "../support/house.ts";
import { peopleOf } from "../support/fake-people.ts";
import { type Preparing, preparingsOf } from "../support/preparings.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const VALUE = { DATABASE_URL: "postgres://hunter2-4711" };

/** A house whose vault makes ready when told, with one call that a person has just approved. */
async function approved(
  options: Parameters<typeof startHouse>[0] & { choice?: "window" | "once"; holdMs?: number } = {},
): Promise<{ house: House; preparings: readonly Preparing[]; call: Call<unknown>; first: Preparing }> {
  const house = startHouse(options);
  const preparings = preparingsOf(house.vault);
  const call = house.get("DATABASE_URL", options.holdMs === undefined ? {} : { holdMs: options.holdMs });
  await settle();
  await house.approve(options.choice ?? "once");
  await settle();
  const [first] = preparings;
  if (!first) throw new Error("the vault was not told to make ready");
  return { house, preparings, call, first };
}

const kinds = (house: House, kind: string): number => house.journal.kinds().filter((each) => each === kind).length;

describe("while the vault makes ready", () => {
  it("nothing is recorded as releasing and nothing is read; then both, in that order", async () => {
    const { house, call, first } = await approved();
    expect(house.journal.kinds()).toEqual(["requested", "approved"]);
    expect(house.vault.reads).toBe(0);
    first.ready();
    expect(await codeOf(call)).toBe("done");
    expect(house.journal.kinds()).toEqual(["requested", "approved", "releasing", "released"]);
    expect(house.vault.reads).toBe(1);
  });

  it("the vault is told the reason and who asks, and the handles that were shown", async () => {
    const { house, first, call } = await approved();
    expect(first.refs).toEqual(["id:DATABASE_URL"]);
    expect(first.context).toMatchObject({ reason: "run migration 0042", requester: { facts: { user: "maria" } } });
    house.vault.secrets.set("DATABASE_URL", "postgres://hunter2-4712");
    house.vault.secrets.set("OTHER", "canary-1199");
    first.ready();
    expect(await codeOf(call)).toBe("done");
  });

  it("the waiting call and the page say who is being waited for, and since when", async () => {
    const { house, call, first } = await approved();
    const since = house.clock.now();
    first.context.waiting("waiting for the approvers of 12Port");
    house.clock.advance(MINUTE);
    first.context.waiting("waiting for the second approver");
    const upstream = { text: "waiting for the second approver", since };
    expect(call.waits.at(-1)).toMatchObject({ upstream, names: ["DATABASE_URL"] });
    expect(call.waits.at(-1)).not.toHaveProperty("expiresAt");
    expect(house.card().upstream).toEqual(upstream);
    expect(house.card().standing.is).toBe("approved");
    first.ready();
    await call.reply;
    expect(house.card()).not.toHaveProperty("upstream");
  });

  it("the log has a line for each text, and no second one when it comes again", async () => {
    const { house, first } = await approved();
    for (const text of ["first approver", "second approver", "first approver", "second approver", "first approver"])
      first.context.waiting(text);
    expect(kinds(house, "upstream_waiting")).toBe(2);
    expect(house.journal.events.findLast(({ kind }) => kind === "upstream_waiting")).toMatchObject({
      detail: "second approver",
      approval: expect.any(String),
      refs: ["id:DATABASE_URL"],
    });
    for (let seconds = 0; seconds < 1_000; seconds++) first.context.waiting(`${seconds} s left`);
    expect(kinds(house, "upstream_waiting"), "a text that counts does not fill the log").toBe(20);
    expect(house.card().upstream?.text, "but is shown").toBe("999 s left");
  });

  it("what the vault's people write is shown with everything visible, and no longer than a line", async () => {
    const { house, call, first } = await approved();
    first.context.waiting(`approver \u202Eniamda\n${"x".repeat(1_000)}`);
    const shown = house.card().upstream?.text ?? "";
    expect(shown).toContain("⟦U+202E⟧niamda⟦U+A⟧".replace("U+A", "U+000A"));
    expect([...shown]).toHaveLength(300);
    first.fail(new VaultError("upstream_denied", `no\u001B[2J ${"y".repeat(1_000)}`, { hint: "ask \u0007maria" }));
    const error = await call.reply.catch((thrown: unknown) => thrown);
    expect((error as VaultError).message).toMatch(/^no⟦U\+001B⟧\[2J y+…$/);
    expect((error as VaultError).hint).toBe("ask ⟦U+0007⟧maria");
    expect(house.journal.events.at(-1)).toMatchObject({ kind: "failed", detail: (error as VaultError).message });
  });

  it("calls come and go for days, one is served at last, and nobody is asked twice", async () => {
    const { house, preparings, call, first } = await approved({ holdMs: 50_000 });
    first.context.waiting("waiting for the approvers");
    house.clock.advance(50_000);
    expect(await call.reply).toMatchObject({
      is: "pending",
      wait: { upstream: { text: "waiting for the approvers" } },
    });
    for (let round = 0; round < 40; round++) {
      house.clock.advance(2 * HOUR);
      const again = house.get("DATABASE_URL", { holdMs: 50_000 });
      await settle();
      expect(again.waits).toHaveLength(1);
      if (round % 2 === 0) again.cancel();
      else house.clock.advance(50_000);
      expect(await codeOf(again)).toBe(round % 2 === 0 ? "cancelled" : "pending");
    }
    const last = house.get("DATABASE_URL", { holdMs: 50_000 });
    await settle();
    first.ready();
    expect(await valuesOf(last)).toEqual(VALUE);
    expect(preparings).toHaveLength(1);
    expect(house.rings).toHaveLength(1);
    expect(kinds(house, "releasing")).toBe(1);
    expect(kinds(house, "upstream_waiting")).toBe(1);
    void house.get("DATABASE_URL");
    await settle();
    expect(house.rings, "once was once").toHaveLength(2);
  });

  it("a call is kept no longer than its client bears in all, the person's time included", async () => {
    const house = startHouse();
    const [preparing] = [preparingsOf(house.vault)];
    const call = house.get("DATABASE_URL", { holdMs: 60_000 });
    await settle();
    house.clock.advance(45_000);
    await house.approve("once");
    await settle();
    preparing[0]?.context.waiting("waiting for the approvers");
    house.clock.advance(15_000);
    expect(await codeOf(call)).toBe("pending");
  });

  it("a call whose client bears everything is kept as long as the configuration says", async () => {
    const { house, call } = await approved({ upstream: { holdMs: 10 * MINUTE } });
    house.clock.advance(10 * MINUTE - 1);
    await settle();
    house.clock.advance(1);
    expect(await codeOf(call)).toBe("pending");
  });

  it("identical calls join: all that are attached when it is ready are served, each with its own lines", async () => {
    const { house, preparings, call, first } = await approved();
    const joined = [house.get("DATABASE_URL"), house.get("DATABASE_URL"), house.get("DATABASE_URL")];
    await settle();
    house.clock.advance(DAY / 100);
    const late = house.get("DATABASE_URL");
    await settle();
    joined[1]?.cancel();
    first.ready();
    expect(await Promise.all([call, ...joined, late].map((each) => codeOf(each)))).toEqual([
      "done",
      "done",
      "cancelled",
      "done",
      "done",
    ]);
    expect(preparings).toHaveLength(1);
    expect(house.rings).toHaveLength(1);
    const lines = house.journal.events.filter(({ kind }) => kind === "releasing" || kind === "released");
    expect(lines).toHaveLength(8);
    expect(new Set(lines.map(({ release }) => release)).size).toBe(4);
    void house.get("DATABASE_URL");
    await settle();
    expect(house.rings, "nothing is left over").toHaveLength(2);
  });

  it("64 identical calls at once have the vault make ready once", async () => {
    const house = startHouse();
    const preparings = preparingsOf(house.vault);
    const calls = Array.from({ length: 64 }, () => house.get("DATABASE_URL"));
    await settle();
    await house.approve("once");
    await settle();
    expect(preparings).toHaveLength(1);
    preparings[0]?.ready();
    expect(new Set(await Promise.all(calls.map(codeOf)))).toEqual(new Set(["done"]));
    expect(preparings).toHaveLength(1);
    expect(house.rings).toHaveLength(1);
    expect(kinds(house, "released")).toBe(64);
  });

  it("another session, another secret, a batch with it in, or the same name in another vault does not join", async () => {
    const { house, call, first } = await approved({ vaults: { dev: {}, prod: {} } });
    const others = [
      house.get("DATABASE_URL", { session: "session-2" }),
      house.get("STRIPE_KEY"),
      house.get(["DATABASE_URL", "STRIPE_KEY"]),
      house.get("DATABASE_URL", { vault: "prod" }),
    ];
    await settle();
    expect(house.rings).toHaveLength(5);
    first.ready();
    expect(await codeOf(call)).toBe("done");
    house.desk.close("over");
    expect(new Set(await Promise.all(others.map((other) => codeOf(other))))).toEqual(new Set(["cancelled"]));
    expect(house.vault.reads).toBe(1);
  });

  it("a call for which the name came to stand for another secret gets neither", async () => {
    const house = startHouse({ rules: { ttlMs: 5 * MINUTE } });
    await house.served("STRIPE_KEY");
    const preparings = preparingsOf(house.vault);
    // The same call twice, before there is anything to join: for the second the name resolves to what a window covers.
    const { resolve } = house.vault;
    const moved = newGate();
    let calls = 0;
    const renaming = async (names: readonly string[]): ReturnType<typeof resolve> => {
      calls += 1;
      if (calls === 1) return resolve(names);
      await moved.opened;
      return [{ name: "DATABASE_URL", ref: "id:STRIPE_KEY", checked: true }];
    };
    Object.assign(house.vault, { resolve: renaming });
    const first = house.get("DATABASE_URL");
    const second = house.get("DATABASE_URL");
    await settle();
    await house.approve("once");
    await settle();
    moved.open();
    expect(await codeOf(second)).toBe("conflict");
    preparings[0]?.ready();
    expect(await valuesOf(first)).toEqual(VALUE);
    expect(house.journal.events.filter(({ kind }) => kind === "released").map(({ refs }) => refs)).toEqual([
      ["id:STRIPE_KEY"],
      ["id:DATABASE_URL"],
    ]);
    expect(house.journal.events).toContainEqual(expect.objectContaining({ kind: "refused", code: "conflict" }));
  });
});

describe("when nobody is attached as it becomes ready", () => {
  it.each([
    ["approved while the call waited", true],
    ["approved while it was away", false],
  ])(
    "the next identical call is served within the time to come back, and after that a person is asked: %s",
    async (_, attached) => {
      for (const late of [false, true]) {
        const house = startHouse();
        const preparings = preparingsOf(house.vault);
        const call = house.get("DATABASE_URL", { holdMs: 50_000 });
        await settle();
        if (!attached) house.clock.advance(50_000);
        await settle();
        await house.approve("once");
        const next = attached ? call : house.get("DATABASE_URL", { holdMs: 50_000 });
        await settle();
        preparings[0]?.context.waiting("waiting for the approvers");
        house.clock.advance(50_000);
        expect(await codeOf(next)).toBe("pending");
        house.clock.advance(2 * DAY);
        preparings[0]?.ready();
        await settle();
        house.clock.advance(late ? 300_000 : 299_999);
        const last = house.get("DATABASE_URL");
        await settle();
        if (late) {
          expect(house.rings).toHaveLength(2);
          expect(house.journal.kinds()).toContain("window_ended");
        } else {
          expect(preparings).toHaveLength(2);
          preparings[1]?.ready();
          expect(await valuesOf(last)).toEqual(VALUE);
          expect(house.rings).toHaveLength(1);
        }
      }
    },
  );
});

describe("what ends the wait", () => {
  it("a person revokes: the vault is told, the calls get it, nothing is read", async () => {
    const { house, call, first } = await approved();
    const other = house.get("DATABASE_URL");
    await settle();
    first.context.waiting("waiting for the approvers");
    expect(house.desk.revoke(house.tokens[0] ?? "")).toBe(true);
    expect(first.context.signal.aborted).toBe(true);
    expect([await codeOf(call), await codeOf(other)]).toEqual(["revoked", "revoked"]);
    expect(house.card()).not.toHaveProperty("upstream");
    expect(house.card().standing).toMatchObject({ is: "approved", ended: "revoked" });
    first.context.waiting("still waiting");
    first.ready();
    await settle();
    expect(house.vault.reads).toBe(0);
    expect(house.journal.kinds()).toEqual(["requested", "approved", "upstream_waiting", "failed", "revoked"]);
    expect(house.card()).not.toHaveProperty("upstream");
    void house.get("DATABASE_URL");
    await settle();
    expect(house.rings).toHaveLength(2);
  });

  it("a person revokes while nobody is attached", async () => {
    const { house, preparings, call, first } = await approved({ holdMs: 1_000 });
    house.clock.advance(1_000);
    expect(await codeOf(call)).toBe("pending");
    house.desk.revoke(house.tokens[0] ?? "");
    expect(first.context.signal.aborted).toBe(true);
    void house.get("DATABASE_URL");
    await settle();
    expect(house.rings).toHaveLength(2);
    expect(preparings).toHaveLength(1);
  });

  it("the user stops the only call: the vault is told, and the approval stays good for a moment", async () => {
    const { house, preparings, call, first } = await approved();
    const other = house.get("DATABASE_URL");
    await settle();
    call.cancel("user-cancel");
    await settle();
    expect(first.context.signal.aborted, "another call still waits").toBe(false);
    other.cancel("user-cancel");
    expect(first.context.signal.aborted).toBe(true);
    expect([await codeOf(call), await codeOf(other)]).toEqual(["cancelled", "cancelled"]);
    const again = house.get("DATABASE_URL");
    await settle();
    preparings[1]?.ready();
    expect(await codeOf(again)).toBe("done");
    expect(house.rings).toHaveLength(1);
  });

  it("nothing: but of more than may wait at a time the vault's people are not asked", async () => {
    const names = ["A", "B", "C"];
    const house = startHouse({
      secrets: Object.fromEntries(names.map((name) => [name, `hunter2-${name}`])),
      rules: { ttlMs: HOUR, ttlScope: "vault" },
      upstream: { most: 2 },
    });
    const people = peopleOf(house.vault);
    const calls = [house.get("A")];
    await settle();
    await house.approve("window");
    await settle();
    for (const name of ["B", "C"]) {
      calls.push(house.get(name));
      await settle();
    }
    expect(people.submitted).toEqual(["id:A", "id:B"]);
    expect(await codeOf(calls[2] as Call<unknown>)).toBe("too_many_waiting");
    people.agree();
    expect(await Promise.all(calls.slice(0, 2).map(codeOf))).toEqual(["done", "done"]);
    void house.get("C");
    await settle();
    expect(people.submitted).toEqual(["id:A", "id:B", "id:C"]);
  });

  it("nothing: but a hundred calls at the same moment put no more before the vault's people than may wait", async () => {
    const names = Array.from({ length: 100 }, (_, at) => `KEY_${at}`);
    const house = startHouse({
      secrets: Object.fromEntries(names.map((name) => [name, `hunter2-${name}`])),
      rules: { ttlMs: HOUR, ttlScope: "vault" },
      upstream: { most: 20 },
    });
    const people = peopleOf(house.vault);
    const first = house.get("KEY_0");
    await settle();
    await house.approve("window");
    await settle();
    people.agree();
    expect(await codeOf(first)).toBe("done");
    const batches = [names.slice(1, 19), names.slice(20, 60)].map((batch) => house.get(batch));
    const calls = names.slice(60).map((name) => house.get(name));
    await settle();
    expect(people.submitted.length).toBe(1 + 20);
    people.agree();
    const codes = await Promise.all([...batches, ...calls].map(codeOf));
    // Which of them come first is not said: twenty single ones, or the smaller batch and two.
    expect(codes.filter((code) => code === "too_many_waiting").length).toBeGreaterThanOrEqual(22);
  });

  it("a cancelled call ends nothing", async () => {
    const { house, preparings, call, first } = await approved();
    call.cancel();
    expect(await codeOf(call)).toBe("cancelled");
    expect(first.context.signal.aborted).toBe(false);
    const again = house.get("DATABASE_URL");
    await settle();
    first.ready();
    expect(await codeOf(again)).toBe("done");
    expect(preparings).toHaveLength(1);
  });

  it("the wall clock steps back: what becomes ready after that is not handed out", async () => {
    const { house, call, first } = await approved();
    house.clock.advance(HOUR / 10);
    house.clock.setWall(house.clock.now() - 3_000);
    first.ready();
    expect(await codeOf(call)).toBe("revoked");
    expect(house.vault.reads).toBe(0);
    expect(house.journal.kinds()).not.toContain("releasing");
  });

  it("the wall clock steps back: the next identical call asks a person, and the vault hears that nobody waits", async () => {
    const { house, call, first } = await approved();
    house.clock.setWall(house.clock.now() - 3_000);
    void house.get("DATABASE_URL");
    await settle();
    expect(first.context.signal.aborted).toBe(true);
    expect(await codeOf(call)).toBe("revoked");
    expect(house.rings).toHaveLength(2);
  });

  it("the window that it rests on ends: at its end, and not when the vault is ready", async () => {
    const house = startHouse({ rules: { ttlMs: 5 * MINUTE } });
    await house.served("DATABASE_URL");
    const preparings = preparingsOf(house.vault);
    const call = house.get("DATABASE_URL");
    await settle();
    preparings[0]?.context.waiting("waiting for the approvers");
    expect(house.card().upstream, "the page that can revoke it says so").toBeDefined();
    house.clock.advance(5 * MINUTE);
    expect(await codeOf(call)).toBe("expired");
    expect(preparings[0]?.context.signal.aborted).toBe(true);
    expect(house.journal.events.at(-1)).toMatchObject({ kind: "failed", code: "expired" });
    expect(house.card()).not.toHaveProperty("upstream");
    void house.get("DATABASE_URL");
    await settle();
    expect(house.rings).toHaveLength(2);
  });

  it("not the end of a window that was opened with it: a person was asked for this very use", async () => {
    const { house, call, first } = await approved({ rules: { ttlMs: 5 * MINUTE }, choice: "window" });
    house.clock.advance(10 * MINUTE);
    expect(first.context.signal.aborted).toBe(false);
    first.ready();
    expect(await codeOf(call)).toBe("done");
    expect(house.journal.events.at(-2)).toMatchObject({ kind: "releasing", basis: "asked" });
  });

  it("two windows that a batch rests on both show it, and either can end it", async () => {
    for (const at of [0, 1]) {
      const house = startHouse({ rules: { ttlMs: 5 * MINUTE } });
      for (const name of ["DATABASE_URL", "STRIPE_KEY"]) await house.served(name);
      const preparings = preparingsOf(house.vault);
      const batch = house.get(["DATABASE_URL", "STRIPE_KEY"]);
      await settle();
      preparings[0]?.context.waiting("waiting for the approvers");
      expect(house.card(0).upstream).toBeDefined();
      expect(house.card(1).upstream).toBeDefined();
      house.desk.revoke(house.tokens[at] ?? "");
      expect(await codeOf(batch)).toBe("revoked");
      expect(house.card(0)).not.toHaveProperty("upstream");
      expect(house.card(1)).not.toHaveProperty("upstream");
    }
  });

  it("the page of a window goes on waiting for one request when another that it covers is ready", async () => {
    const house = startHouse({ rules: { ttlMs: HOUR, ttlScope: "vault" } });
    await house.served("DATABASE_URL");
    const preparings = preparingsOf(house.vault);
    const calls = [house.get("DATABASE_URL"), house.get("STRIPE_KEY")];
    await settle();
    preparings[0]?.context.waiting("waiting for the first");
    preparings[1]?.context.waiting("waiting for the second");
    preparings[0]?.ready();
    expect(await codeOf(calls[0] as Call<unknown>)).toBe("done");
    expect(house.card().upstream?.text).toBe("waiting for the second");
  });

  it("the session ends: all of them are cancelled, with a line each, and the vaults are told", async () => {
    const { house, call, first } = await approved();
    house.desk.close("the client closed the connection");
    house.broker.close();
    house.grants.clear();
    expect(first.context.signal.aborted).toBe(true);
    expect(await codeOf(call)).toBe("cancelled");
    expect(house.journal.events.at(-1)).toMatchObject({ kind: "failed", code: "cancelled" });
    first.ready();
    await settle();
    expect(house.vault.reads).toBe(0);
  });

  it("the session ends while nobody is attached", async () => {
    const { house, first } = await approved({ holdMs: 0 });
    house.clock.advance(1);
    await settle();
    house.desk.close("over");
    house.grants.clear();
    expect(first.context.signal.aborted).toBe(true);
    expect(kinds(house, "failed")).toBe(1);
  });
});

describe("what the vault says", () => {
  const denied = new VaultError("upstream_denied", "the approvers of 12Port turned this down");

  it("no: the approval is used up, and for a while neither people nor vault are bothered again", async () => {
    const { house, preparings, call, first } = await approved();
    const other = house.get("DATABASE_URL");
    await settle();
    first.fail(denied);
    expect([await codeOf(call), await codeOf(other)]).toEqual(["upstream_denied", "upstream_denied"]);
    expect(kinds(house, "failed"), "one line for all that waited").toBe(1);
    expect(house.journal.kinds()).not.toContain("refused");
    house.clock.advance(299_999);
    const refused = await house.get("DATABASE_URL").reply.catch((error: unknown) => error);
    expect(refused).toMatchObject({
      code: "upstream_denied",
      message: expect.stringContaining("in 1 s at the earliest"),
    });
    expect(await codeOf(house.get(["STRIPE_KEY", "DATABASE_URL"])), "a batch with it in").toBe("upstream_denied");
    expect([house.rings.length, preparings.length, house.vault.reads]).toEqual([1, 1, 0]);
    house.clock.advance(1);
    void house.get("DATABASE_URL");
    await settle();
    expect(house.rings).toHaveLength(2);
  });

  it("no: the page of the approval says so, for as long as it is there", async () => {
    const { house, first } = await approved();
    first.context.waiting("waiting for the approvers");
    first.fail(denied);
    await settle();
    expect(house.card()).not.toHaveProperty("upstream");
    expect(house.card().failure).toEqual({ text: denied.message, byVault: true });
    expect(house.card().standing).toMatchObject({ is: "approved", ended: "over" });
  });

  it("no, under an open window: the window does not help for a while", async () => {
    const house = startHouse({ rules: { ttlMs: HOUR } });
    await house.served("DATABASE_URL");
    const preparings = preparingsOf(house.vault);
    const call = house.get("DATABASE_URL");
    await settle();
    preparings[0]?.fail(denied);
    expect(await codeOf(call)).toBe("upstream_denied");
    expect(await codeOf(house.get("DATABASE_URL"))).toBe("upstream_denied");
    expect(preparings).toHaveLength(1);
    house.clock.advance(300_000);
    const later = house.get("DATABASE_URL");
    await settle();
    preparings[1]?.ready();
    expect(await codeOf(later)).toBe("done");
  });

  it("no to one that a person is just being asked for in a batch: nobody asks for it again, the other is handed out", async () => {
    const house = startHouse();
    const preparings = preparingsOf(house.vault);
    const one = house.get("DATABASE_URL");
    await settle();
    const batch = house.get(["DATABASE_URL", "STRIPE_KEY"]);
    await settle();
    await house.approve("once", 0);
    await settle();
    preparings[0]?.fail(denied);
    expect(await codeOf(one)).toBe("upstream_denied");
    await house.approve("once", 1);
    await settle();
    expect(preparings.map(({ refs }) => refs)).toEqual([["id:DATABASE_URL"], ["id:STRIPE_KEY"]]);
    preparings[1]?.ready();
    expect(await valuesOf(batch)).toEqual({ DATABASE_URL: "upstream_denied", STRIPE_KEY: "sk_live_canary_0815" });
    expect(house.journal.events.filter(({ kind }) => kind === "releasing").map(({ refs }) => refs)).toEqual([
      ["id:STRIPE_KEY"],
    ]);
  });

  it("blocked: said as that, also when asked again", async () => {
    const { house, preparings, call, first } = await approved();
    first.fail(new VaultError("upstream_blocked", "12Port wants a second factor that agent-vault cannot give"));
    expect(await codeOf(call)).toBe("upstream_blocked");
    const again = await house.get("DATABASE_URL").reply.catch((error: unknown) => error);
    expect(again).toMatchObject({ code: "upstream_blocked", hint: expect.stringContaining("in the vault") });
    expect([house.rings.length, preparings.length]).toEqual([1, 1]);
  });

  it.each([
    ["that it is away", new VaultError("provider_unavailable", "12Port does not answer"), "provider_unavailable"],
    ["something that is no error of ours", new TypeError("canary-hunter2-4711"), "internal"],
  ])("%s: the use is given back, and the next call tries again", async (_, error, code) => {
    const { house, preparings, call, first } = await approved();
    const other = house.get("DATABASE_URL");
    await settle();
    first.fail(error);
    expect([await codeOf(call), await codeOf(other)]).toEqual([code, code]);
    expect(JSON.stringify(house.journal.events)).not.toContain("canary-hunter2");
    const again = house.get("DATABASE_URL");
    await settle();
    preparings[1]?.ready();
    expect(await codeOf(again)).toBe("done");
    expect(house.rings).toHaveLength(1);
    void house.get("DATABASE_URL");
    await settle();
    expect(house.rings, "once is still once").toHaveLength(2);
  });

  it("something before it has even begun: thrown and not rejected", async () => {
    const house = startHouse();
    house.vault.prepare = () => {
      throw new VaultError("provider_unavailable", "12Port does not answer");
    };
    const call = house.get("DATABASE_URL");
    await settle();
    await house.approve("once");
    expect(await codeOf(call)).toBe("provider_unavailable");
    house.vault.prepare = (handles) => Promise.resolve(handles.map(() => "ready" as const));
    expect(await valuesOf(house.get("DATABASE_URL")), "it is not in the way of the next call").toEqual(VALUE);
    expect(house.rings).toHaveLength(1);
  });

  it("nothing more once it has ended", async () => {
    const { house, call, first } = await approved();
    first.ready();
    await call.reply;
    const { length } = house.journal.events;
    first.context.waiting("waiting for the approvers");
    first.context.waiting("waiting for the second approver");
    first.fail(denied);
    await settle();
    expect(house.journal.events).toHaveLength(length);
    expect(house.card()).not.toHaveProperty("upstream");
  });
});

describe("before the vault makes ready", () => {
  it.each([
    ["cancelled", (house: House, call: Call<unknown>) => call.cancel()],
    ["revoked", (house: House) => void house.desk.revoke(house.tokens[0] ?? "")],
  ])("a call that was %s while the vault was opened asks nobody there", async (code, happens) => {
    const house = startHouse();
    const preparings = preparingsOf(house.vault);
    const gate = newGate();
    const call = house.get("DATABASE_URL");
    await settle();
    house.opening = gate.opened;
    await house.approve("once");
    await settle();
    happens(house, call);
    gate.open();
    expect(await codeOf(call)).toBe(code);
    expect(preparings).toHaveLength(0);
  });

  it("the log has nothing to say; when it is away afterwards, nothing is read and the use is given back", async () => {
    const { house, preparings, call, first } = await approved();
    house.journal.away = true;
    first.ready();
    expect(await codeOf(call)).toBe("audit_unavailable");
    expect(house.vault.reads).toBe(0);
    house.journal.away = false;
    const again = house.get("DATABASE_URL");
    await settle();
    preparings[1]?.ready();
    expect(await codeOf(again)).toBe("done");
    expect(house.rings).toHaveLength(1);
  });

  it("a write is not for it", async () => {
    const house = startHouse();
    const preparings = preparingsOf(house.vault);
    const call = house.set({ NEW_KEY: "hunter2-4711-new" });
    await settle();
    await house.approve("once");
    expect(await codeOf(call)).toBe("done");
    expect(preparings).toHaveLength(0);
  });
});
