import { describe, expect, it } from "vitest";
import { VaultError } from "../../src/core/errors.ts";
import { codeOf, type House, newGate, settle, startHouse } from "../support/house.ts";
import { preparingsOf } from "../support/preparings.ts";

const MINUTE = 60_000;
const [DATABASE, STRIPE] = ["id:DATABASE_URL", "id:STRIPE_KEY"];

type Told = { readonly house: House; readonly told: [vault: string, database: boolean, stripe: boolean][] };

/** A house that writes down what a provider would be told, and what it would then find still permitted. */
function listening(options: Parameters<typeof startHouse>[0] = {}): Told {
  const told: Told["told"] = [];
  const house: House = startHouse({
    ...options,
    gone: (vault) => {
      told.push([vault, house.grants.permits("dev", DATABASE), house.grants.permits("dev", STRIPE)]);
    },
  });
  return { house, told };
}

describe("a provider is told that a permission over its vault is gone", () => {
  it("once, when a use has been had, and not while it is on its way", async () => {
    const { house, told } = listening();
    const gate = newGate();
    house.vault.gate = gate.opened;
    const call = house.get("DATABASE_URL");
    await settle();
    expect(house.grants.permits("dev", DATABASE)).toBe(false);
    await house.approve("once");
    await settle();
    expect(told).toEqual([]);
    expect(house.grants.permits("dev", DATABASE)).toBe(true);
    expect(house.grants.permits("dev", STRIPE)).toBe(false);
    expect(house.grants.permits("prod", DATABASE)).toBe(false);
    gate.open();
    expect(await codeOf(call)).toBe("done");
    expect(told).toEqual([["dev", false, false]]);
    house.clock.advance(60 * MINUTE);
    expect(told).toHaveLength(1);
  });

  it("once, when the last of the calls that were attached has it", async () => {
    const { house, told } = listening();
    const calls = [house.get("DATABASE_URL"), house.get("DATABASE_URL")];
    await settle();
    await house.approve("once");
    await Promise.all(calls.map((call) => call.reply));
    expect(told).toEqual([["dev", false, false]]);
  });

  it("when a window ends, at its end", async () => {
    const { house, told } = listening({ rules: { ttlMs: MINUTE } });
    await house.served("DATABASE_URL");
    house.clock.advance(MINUTE - 1);
    expect(told).toEqual([]);
    expect(house.grants.permits("dev", DATABASE)).toBe(true);
    house.clock.advance(1);
    expect(told).toEqual([["dev", false, false]]);
  });

  it("when a window ends during a read under another permission: that one is still open, and is told of after it", async () => {
    const { house, told } = listening({ rules: { ttlMs: MINUTE } });
    await house.served("DATABASE_URL");
    const gate = newGate();
    house.vault.gate = gate.opened;
    const both = house.get(["DATABASE_URL", "STRIPE_KEY"]);
    await settle();
    await house.approve("once");
    await settle();
    house.clock.advance(MINUTE);
    expect(told, "the window is gone, the batch is on its way").toEqual([["dev", true, true]]);
    gate.open();
    await both.reply;
    expect(told.slice(1)).toEqual([["dev", false, false]]);
  });

  it("when a person revokes, and what is on its way counts no more", async () => {
    const { house, told } = listening({ rules: { ttlMs: MINUTE } });
    await house.served("DATABASE_URL");
    const gate = newGate();
    house.vault.gate = gate.opened;
    const call = house.get("DATABASE_URL");
    await settle();
    house.desk.revoke(house.tokens[0] ?? "");
    expect(told).toEqual([["dev", false, false]]);
    gate.open();
    expect(await codeOf(call)).toBe("revoked");
    expect(told).toHaveLength(1);
  });

  it("for each of several that are revoked at once, when all of them are closed", async () => {
    const { house, told } = listening({ rules: { ttlMs: 5 * MINUTE } });
    for (const name of ["DATABASE_URL", "STRIPE_KEY"]) await house.served(name);
    const approvals = house.journal.events.flatMap(({ kind, approval }) => (kind === "approved" && approval) || []);
    expect(house.grants.revoke(approvals.join(","))).toBe(true);
    expect(told).toEqual([
      ["dev", false, false],
      ["dev", false, false],
    ]);
  });

  it("when the clock steps back, as soon as anybody looks", async () => {
    const { house, told } = listening({ rules: { ttlMs: 5 * MINUTE } });
    await house.served("DATABASE_URL");
    house.clock.setWall(house.clock.now() - 3_000);
    expect(house.grants.permits("dev", DATABASE)).toBe(false);
    expect(told).toEqual([["dev", false, false]]);
  });

  it("when nobody came for a use in time", async () => {
    const { house, told } = listening();
    const call = house.get("DATABASE_URL");
    await settle();
    call.cancel();
    await settle();
    await house.approve("once");
    house.clock.advance(5 * MINUTE - 1);
    expect(house.grants.permits("dev", DATABASE)).toBe(true);
    expect(told).toEqual([]);
    house.clock.advance(1);
    expect(told).toEqual([["dev", false, false]]);
  });

  it("not while its people are waited for, however long; then once", async () => {
    const { house, told } = listening();
    const preparings = preparingsOf(house.vault);
    const call = house.get("DATABASE_URL", { holdMs: 50_000 });
    await settle();
    await house.approve("once");
    await settle();
    house.clock.advance(50_000);
    expect(await codeOf(call)).toBe("pending");
    house.clock.advance(24 * 60 * MINUTE);
    expect(house.grants.permits("dev", DATABASE)).toBe(true);
    expect(told).toEqual([]);
    preparings[0]?.fail(new VaultError("upstream_denied", "turned down"));
    await settle();
    expect(told).toEqual([["dev", false, false]]);
  });

  it("not when the process goes away: then it is closed", async () => {
    const { house, told } = listening({ rules: { ttlMs: 5 * MINUTE } });
    await house.served("DATABASE_URL");
    house.grants.clear();
    expect(told).toEqual([]);
    expect(house.grants.permits("dev", DATABASE)).toBe(false);
  });

  it("and finds all of a vault permitted while a window over all of it is open, in its own vault only", async () => {
    const { house, told } = listening({
      vaults: { dev: { ttlMs: 5 * MINUTE, ttlScope: "vault" }, prod: {} },
    });
    await house.served("DATABASE_URL");
    expect(house.grants.permits("dev", STRIPE)).toBe(true);
    expect(house.grants.permits("prod", DATABASE)).toBe(false);
    await house.served("STRIPE_KEY", { vault: "prod" });
    expect(told).toEqual([["prod", true, true]]);
    house.clock.advance(5 * MINUTE);
    expect(told.slice(1)).toEqual([["dev", false, false]]);
  });

  it("and finds what a batch only listed as open no longer permitted once its own window is over", async () => {
    const { house } = listening({ rules: { ttlMs: 5 * MINUTE } });
    await house.served("DATABASE_URL");
    house.clock.advance(3 * MINUTE);
    const both = house.get(["DATABASE_URL", "STRIPE_KEY"]);
    await settle();
    await house.approve("window");
    await both.reply;
    house.clock.advance(2 * MINUTE);
    expect(house.grants.permits("dev", DATABASE), "the window of the batch covers what was asked for").toBe(false);
    expect(house.grants.permits("dev", STRIPE)).toBe(true);
  });

  it("whatever session the permission belongs to", async () => {
    const { house, told } = listening({ rules: { ttlMs: 5 * MINUTE } });
    await house.served("DATABASE_URL");
    house.clock.advance(MINUTE);
    await house.served("DATABASE_URL", { session: "session-2" });
    house.clock.advance(4 * MINUTE);
    expect(told).toEqual([["dev", true, false]]);
  });
});
