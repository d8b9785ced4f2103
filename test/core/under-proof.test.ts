import { describe, expect, it } from "vitest";
import type { Approval } from "../../src/core/card.ts";
import type { Approver, Approvers } from "../../src/core/proof.ts";
import { codeOf, type House, newGate, settle, startHouse } from "../support/house.ts";
import { loadPatched } from "../support/patched.ts";
import * as real from "../support/signing.ts";

const MARIA: Approver = { id: "maria", name: "Maria's phone", origin: "https://desk.example", addedAt: 1 };

/** A house whose approver's signatures all count, each once its turn comes. */
function slow(): {
  house: House;
  gates: Promise<void>[];
  sign: (at?: number, own?: Partial<Approval>) => Promise<boolean>;
} {
  const gates: Promise<void>[] = [];
  const approvers: Approvers = {
    all: () => [MARIA],
    accept: async () => {
      await gates.shift();
      return MARIA;
    },
    recheck: () => Promise.resolve(MARIA),
  };
  const house = startHouse({ approvers, rules: { ttlMs: 600_000 } });
  const sign = (at = -1, own: Partial<Approval> = {}): Promise<boolean> => {
    const token = house.tokens.at(at) ?? "";
    const yes = { verdict: "approve", choice: "window", revision: house.card(at).revision, ...own } as const;
    const decision = house.desk.decision(token, yes);
    if (!decision) throw new Error("there is nothing to sign");
    return house.desk.answer(token, yes, { proof: { approver: MARIA.id, decision, response: {} } });
  };
  return { house, gates, sign };
}

/** What comes of a signed yes that is given while somebody with the link sends one that proves nothing. */
async function besideForged({ startSigningHouse }: typeof real): Promise<string> {
  const house = startSigningHouse();
  void house.get("DATABASE_URL");
  await settle();
  const decision = house.decision();
  const good = house.phone.signed(decision);
  const { response } = house.phone.signed(decision);
  const forged = { ...good, response: { ...(response as object), id: "AAAA" } };
  const beside = house.send(forged);
  const came = await house.send(good).catch(String);
  expect(await beside).not.toBe("taken");
  return came;
}

describe("while the proof of a yes is looked at", () => {
  it("another that proves more is not kept from counting", async () => {
    expect(await besideForged(real)).toBe("taken");
  });

  it("would be seen to be kept from it if nothing else could be decided meanwhile", async () => {
    const early = {
      file: "src/core/approvals.ts",
      from: "const proven = await this.#prove(",
      to: "ticket.deciding = true;\n    const proven = await this.#prove(",
    };
    const twin = (await loadPatched("test/support/signing.ts", [early])) as typeof real;
    expect(await besideForged(twin)).toBe("not taken");
  });

  it("the page can still be given something to sign", async () => {
    const { house, gates, sign } = slow();
    const call = house.get("DATABASE_URL");
    await settle();
    const gate = newGate();
    gates.push(gate.opened);
    const first = sign();
    expect(await sign(-1, { choice: "once" })).toBe(true);
    gate.open();
    expect(await first, "there is one outcome").toBe(false);
    expect(await codeOf(call)).toBe("done");
    expect(house.grants.anyOpen).toBe(false);
    expect(house.journal.kinds().filter((kind) => kind === "approved")).toHaveLength(1);
  });

  it.each([
    ["a no", (house: House) => house.deny(), "denied"],
    ["the end of its time", (house: House) => Promise.resolve(house.clock.advance(15 * 60_000)), "expired"],
  ])("%s counts, and no yes is written down", async (_, happens, is) => {
    const { house, gates, sign } = slow();
    void house.get("DATABASE_URL");
    await settle();
    const gate = newGate();
    gates.push(gate.opened);
    const yes = sign();
    await happens(house);
    gate.open();
    expect(await yes).toBe(false);
    expect(house.card().standing.is).toBe(is);
    expect(house.journal.kinds()).not.toContain("approved");
  });

  it("a card that came to show something else is not answered by it", async () => {
    const { house, gates, sign } = slow();
    void house.get(["DATABASE_URL", "STRIPE_KEY"]);
    void house.get("DATABASE_URL");
    await settle();
    const gate = newGate();
    gates.push(gate.opened);
    const both = sign(0);
    expect(await sign(1)).toBe(true);
    gate.open();
    expect(await both).toBe(false);
    expect(house.card(0)).toMatchObject({ standing: { is: "waiting" }, revision: 2 });
    expect(await sign(0), "and can be answered anew").toBe(true);
  });
});
