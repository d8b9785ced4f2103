import { describe, expect, it } from "vitest";
import { codeOf, type House, newGate, settle, startHouse, valuesOf } from "../support/house.ts";
import { loadPatched, type Plant } from "../support/patched.ts";

const MINUTE = 60_000;
const [MINE, OTHER] = [{ session: "mine" }, { session: "other" }];
type Start = typeof startHouse;

describe("a session that ends while others go on", () => {
  it("has what waits ended as cancelled, and only that", async () => {
    const house = startHouse();
    const [mine, other] = [house.get("DATABASE_URL", MINE), house.get("DATABASE_URL", OTHER)];
    await settle();
    expect(house.broker.endSession("mine", "the client went away")).toBe(1);
    expect(await codeOf(mine)).toBe("cancelled");
    expect(house.card(0).standing.is).toBe("cancelled");
    expect(house.card(1).standing.is).toBe("waiting");
    expect(house.journal.events.filter(({ kind }) => kind === "cancelled")).toMatchObject([
      { session: "mine", detail: "the client went away" },
    ]);
    await house.approve("once", 1);
    expect(await valuesOf(other)).toEqual({ DATABASE_URL: "postgres://hunter2-4711" });
  });

  it("counts what it withdrew among what it put before people", async () => {
    const house = startHouse();
    const call = house.get("DATABASE_URL", MINE);
    await settle();
    call.cancel("user-cancel");
    await settle();
    expect(house.card().standing.is).toBe("withdrawn");
    expect(house.broker.endSession("mine", "gone")).toBe(1);
    expect(house.broker.endSession("mine", "gone")).toBe(0);
  });

  it("has its windows closed, which the log and the page say, and no other's", async () => {
    const ended: string[] = [];
    const house = startHouse({ rules: { ttlMs: 5 * MINUTE }, gone: (vault) => void ended.push(vault) });
    await house.served("DATABASE_URL", MINE);
    await house.served("DATABASE_URL", OTHER);
    house.broker.endSession("mine", "gone");
    expect(house.card(0).standing).toMatchObject({ is: "approved", ended: "over" });
    expect(house.journal.events.at(-1)).toMatchObject({
      kind: "window_ended",
      session: "mine",
      detail: "its session ended",
    });
    expect(ended).toEqual(["dev"]);
    expect(house.grants.hasWindow("mine", "dev")).toBe(false);
    expect(await codeOf(house.get("DATABASE_URL", OTHER))).toBe("done");
    expect(house.rings).toHaveLength(2);
  });

  it("leaves a use that nobody came for to nobody", async () => {
    const house = startHouse();
    const call = house.get("DATABASE_URL", MINE);
    await settle();
    call.cancel();
    await house.approve("once");
    house.broker.endSession("mine", "gone");
    void house.get("DATABASE_URL", MINE);
    await settle();
    expect(house.rings).toHaveLength(2);
  });

  it("gets no value that was on its way", async () => {
    const house = startHouse();
    const gate = newGate();
    house.vault.gate = gate.opened;
    const call = house.get("DATABASE_URL", MINE);
    await settle();
    await house.approve("once");
    await settle();
    house.broker.endSession("mine", "gone");
    gate.open();
    expect(await codeOf(call)).toBe("cancelled");
    expect(house.journal.kinds().slice(-2)).toEqual(["releasing", "failed"]);
  });

  it("has a yes that was just being written come to nothing", async () => {
    const house = startHouse();
    const call = house.get("DATABASE_URL", MINE);
    await settle();
    const gate = newGate();
    house.journal.before = () => gate.opened;
    const approving = house.approve("once");
    house.broker.endSession("mine", "gone");
    gate.open();
    expect(await approving).toBe(false);
    expect(await codeOf(call)).toBe("cancelled");
    expect(house.grants.anyOpen).toBe(false);
  });
});

/** Each promise about how much one session may have under way, and the bug that would break it. */
const BOUNDS: readonly (readonly [string, (start: Start) => Promise<void>, Plant])[] = [
  [
    "not more than 64 calls for exactly the same, which all get the answer",
    async (start) => {
      const house = start();
      const calls = Array.from({ length: 65 }, () => house.get("DATABASE_URL", MINE));
      await settle();
      expect(house.card().attached).toBe(64);
      expect(await codeOf(calls[64]!)).toBe("too_many_waiting");
      const others = [house.get("DATABASE_URL", OTHER), house.get("STRIPE_KEY", MINE)];
      await settle();
      expect(house.rings).toHaveLength(3);
      expect(house.journal.events.filter(({ code }) => code === "too_many_waiting")).toHaveLength(1);
      for (const at of [0, 1, 2]) await house.approve("once", at);
      const codes = await Promise.all([...calls.slice(0, 64), ...others].map((call) => codeOf(call)));
      expect(new Set(codes)).toEqual(new Set(["done"]));
      // Those that are over no longer count.
      void house.get("DATABASE_URL", MINE);
      await settle();
      expect(house.rings).toHaveLength(4);
    },
    { file: "src/core/sessions.ts", from: "if (alike >= MOST_ALIKE[action])", to: "if (alike < 0)" },
  ],
  [
    "not more than 8 that save the same, values and all",
    async (start) => {
      const house = start();
      const calls = Array.from({ length: 9 }, () => house.set({ NEW_KEY: "hunter2-4711" }, MINE));
      await settle();
      expect(house.card().attached).toBe(8);
      expect(await codeOf(calls[8]!)).toBe("too_many_waiting");
    },
    { file: "src/core/sessions.ts", from: "write: 8", to: "write: 64" },
  ],
  [
    "not more in all than it may, whatever they are for",
    async (start) => {
      const house = start({ mostCalls: 3, rules: { ttlMs: 5 * MINUTE, ttlScope: "vault" } });
      await house.served("DATABASE_URL", MINE);
      const gate = newGate();
      house.vault.gate = gate.opened;
      const asked = ["DATABASE_URL", "STRIPE_KEY", ["DATABASE_URL", "STRIPE_KEY"], ["STRIPE_KEY", "DATABASE_URL"]];
      const calls = asked.map((names) => house.get(names, MINE));
      await settle();
      gate.open();
      const codes = await Promise.all(calls.map((call) => codeOf(call)));
      expect(codes).toEqual(["done", "done", "done", "too_many_waiting"]);
    },
    { file: "src/core/sessions.ts", from: "if (calls.count >= this.#most)", to: "if (calls.count < 0)" },
  ],
];

describe("a session has under way", () => {
  it.each(BOUNDS)("%s", async (_, check) => {
    await expect(check(startHouse)).resolves.toBeUndefined();
  });

  it.each(BOUNDS)("%s: would be seen", async (_, check, plant) => {
    const twin = (await loadPatched("test/support/house.ts", [plant])) as { startHouse: Start };
    await expect(check(twin.startHouse)).rejects.toThrow("expected");
  });

  it("not more than 64 listings, where a vault does not answer", async () => {
    const house = startHouse();
    const gate = newGate();
    house.opening = gate.opened;
    const list = (): Promise<unknown> => house.broker.list(MINE, new AbortController().signal);
    const lists = Array.from({ length: 64 }, list);
    await expect(list()).rejects.toMatchObject({ code: "too_many_waiting" });
    gate.open();
    await Promise.all(lists);
    await list();
  });
});

/** Each promise about people who are left in peace, and the bug that would break it. */
const PROMISES: readonly (readonly [string, (start: Start) => Promise<void>, Plant])[] = [
  [
    "rings for none of those that waited behind",
    async (start) => {
      const house = start({ desk: { maxCards: 1 } });
      const calls = ["DATABASE_URL", "STRIPE_KEY"].map((name) => house.get(name, MINE));
      await settle();
      expect(house.broker.endSession("mine", "gone")).toBe(2);
      await settle();
      expect(house.rings).toHaveLength(1);
      expect(house.desk.overview().waiting).toEqual([]);
      expect(await Promise.all(calls.map((call) => codeOf(call)))).toEqual(["cancelled", "cancelled"]);
    },
    { file: "src/core/desk.ts", from: "of theirs.toReversed()", to: "of theirs.slice(1)" },
  ],
  [
    "asks nobody for a call whose name was still being looked up",
    async (start) => {
      const house = start();
      const gate = newGate();
      house.opening = gate.opened;
      const call = house.get("DATABASE_URL", MINE);
      await settle();
      house.broker.endSession("mine", "gone");
      gate.open();
      await settle();
      expect(house.rings).toHaveLength(0);
      expect(await codeOf(call)).toBe("cancelled");
    },
    { file: "src/core/broker.ts", from: "    this.#sessions.refuseOver(ask.session);\n", to: "" },
  ],
  [
    "is refused as another session what was denied to it, and nothing else",
    async (start) => {
      const house = start();
      await denied(house, MINE);
      house.broker.endSession("mine", "gone");
      expect(await codeOf(house.get("DATABASE_URL", OTHER))).toBe("denied");
      void house.get("STRIPE_KEY", OTHER);
      await settle();
      expect(house.rings).toHaveLength(2);
      house.clock.advance(5 * MINUTE);
      void house.get("DATABASE_URL", OTHER);
      await settle();
      expect(house.rings).toHaveLength(3);
    },
    { file: "src/core/desk.ts", from: "    this.#refusals.handOn(session);\n", to: "" },
  ],
  [
    "is paused as another session, when people have denied it three times in a row",
    async (start) => {
      const house = start({ desk: { denyCooldownMs: 5 * MINUTE } });
      for (const session of ["first", "second", "third"]) {
        await denied(house, { session });
        house.broker.endSession(session, "gone");
        // What was denied three times is refused for four times as long, and all else for a while.
        if (session !== "third") house.clock.advance(11 * MINUTE);
      }
      expect(await codeOf(house.get("STRIPE_KEY", OTHER))).toBe("denied");
    },
    {
      file: "src/core/refusals.ts",
      from: "this.#find(this.#rows, key)",
      to: "[this.#rows.find(key) ?? { what: { times: 0 } }]",
    },
  ],
  [
    "leaves those that had begun before it ended alone, whatever was denied to it",
    async (start) => {
      const names = ["A", "B", "C", "D"];
      const secrets = Object.fromEntries(names.map((name) => [name, `hunter2-4711-${name}`]));
      const house = start({ secrets });
      house.broker.beginSession("before");
      for (const name of ["A", "B", "C"]) await denied(house, MINE, name);
      house.broker.endSession("mine", "gone");
      const calls = ["A", "D"].map((name) => house.get(name, { session: "before" }));
      await settle();
      expect(house.rings).toHaveLength(5);
      expect(await codeOf(house.get("D", { session: "after" }))).toBe("denied");
      await Promise.all([house.approve("once", 3), house.approve("once", 4)]);
      expect(await Promise.all(calls.map((call) => codeOf(call)))).toEqual(["done", "done"]);
    },
    { file: "src/core/refusals.ts", from: "this.#begun.get(sessionOf(key)) ?? this.#ended", to: "this.#ended" },
  ],
];

async function denied(house: House, as: { session: string }, name = "DATABASE_URL"): Promise<void> {
  const before = house.rings.length;
  const call = house.get(name, as);
  await settle();
  expect(house.rings).toHaveLength(before + 1);
  await house.deny();
  expect(await codeOf(call)).toBe("denied");
}

describe("a session that has ended", () => {
  it.each(PROMISES)("%s", async (_, check) => {
    await expect(check(startHouse)).resolves.toBeUndefined();
  });

  it.each(PROMISES)("%s: would be seen", async (_, check, plant) => {
    const twin = (await loadPatched("test/support/house.ts", [plant])) as { startHouse: Start };
    await expect(check(twin.startHouse)).rejects.toThrow("expected");
  });
});
