import { describe, expect, it } from "vitest";
import { codeOf, newGate, settle, startHouse, valuesOf } from "../support/house.ts";

const MINUTE = 60_000;
const [MINE, OTHER] = [{ session: "mine" }, { session: "other" }];

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

  it("rings for none of those that waited behind", async () => {
    const house = startHouse({ desk: { maxCards: 1 } });
    const calls = ["DATABASE_URL", "STRIPE_KEY"].map((name) => house.get(name, MINE));
    await settle();
    expect(house.broker.endSession("mine", "gone")).toBe(2);
    await settle();
    expect(house.rings).toHaveLength(1);
    expect(await Promise.all(calls.map(codeOf))).toEqual(["cancelled", "cancelled"]);
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

  it("asks nobody for a call whose name was still being looked up", async () => {
    const house = startHouse();
    const gate = newGate();
    house.opening = gate.opened;
    const call = house.get("DATABASE_URL", MINE);
    await settle();
    house.broker.endSession("mine", "gone");
    gate.open();
    expect(await codeOf(call)).toBe("cancelled");
    expect(house.rings).toHaveLength(0);
  });
});
