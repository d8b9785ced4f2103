import { describe, expect, it } from "vitest";
import { VaultError } from "../../src/core/errors.ts";
import { needsSignature } from "../../src/core/policy.ts";
import type { Approver, Approvers } from "../../src/core/proof.ts";
import { codeOf, type House, NOBODY, settle, startHouse } from "../support/house.ts";
import { loadPatched } from "../support/patched.ts";

const MINUTE = 60_000;
const MARIA: Approver = { id: "maria", name: "Maria's phone", origin: "https://desk.example", addedAt: 1 };

/** Approvers whose store may be locked for a moment. */
interface Store extends Approvers {
  isAway: boolean;
  enrolled: readonly Approver[];
}

function store(): Store {
  const held: Store = {
    ...NOBODY,
    isAway: false,
    enrolled: [],
    all: () => {
      if (held.isAway) throw new VaultError("approvers_unavailable", "who may approve cannot be read");
      return held.enrolled;
    },
  };
  return held;
}

async function opened(start: typeof startHouse = startHouse): Promise<{ house: House; approvers: Store }> {
  const approvers = store();
  const house = start({ approvers, rules: { ttlMs: 60 * MINUTE } });
  await house.served("DATABASE_URL");
  return { house, approvers };
}

/** The code of what comes of a yes. */
function cameOf(yes: Promise<boolean>): Promise<string> {
  return yes.then(
    (isTaken) => (isTaken ? "taken" : "not taken"),
    (error: unknown) => (error instanceof VaultError ? error.code : String(error)),
  );
}

describe("a store of approvers that cannot be read for a moment", () => {
  it("changes nothing about the card that waits, which is answered as before afterwards", async () => {
    const approvers = store();
    const house = startHouse({ approvers });
    const call = house.get("DATABASE_URL");
    await settle();
    const before = house.card();
    approvers.isAway = true;
    expect(house.card()).toEqual(before);
    expect(await cameOf(house.approve("once")), "no yes while it is not known what it takes").toBe(
      "approvers_unavailable",
    );
    expect(house.card().standing.is).toBe("waiting");
    approvers.isAway = false;
    expect(await cameOf(house.approve("once"))).toBe("taken");
    expect(await codeOf(call)).toBe("done");
  });

  it("ends no window that the link opened: nothing is handed over, and nothing is said to be disproved", async () => {
    const { house, approvers } = await opened();
    approvers.isAway = true;
    expect(await codeOf(house.get("DATABASE_URL"))).toBe("approvers_unavailable");
    expect(house.desk.overview().windows).toHaveLength(1);
    expect(house.card(0).standing).not.toHaveProperty("ended");
    approvers.isAway = false;
    expect(house.desk.overview().windows).toHaveLength(1);
    expect(house.journal.kinds()).not.toContain("revoked");
    expect(await codeOf(house.get("DATABASE_URL"))).toBe("done");
  });

  it("is noticed too when it goes away between two looks", async () => {
    const { house, approvers } = await opened();
    const { all } = approvers;
    let looks = 0;
    Object.assign(approvers, {
      all: () => {
        approvers.isAway = looks++ > 0;
        return all();
      },
    });
    expect(house.desk.overview().windows).toHaveLength(1);
    expect(house.journal.kinds()).not.toContain("revoked");
  });

  it("does not hide that somebody was enrolled meanwhile", async () => {
    const { house, approvers } = await opened();
    void house.get("STRIPE_KEY");
    await settle();
    approvers.isAway = true;
    house.card();
    approvers.enrolled = [MARIA];
    approvers.isAway = false;
    expect(await codeOf(house.get("DATABASE_URL"))).toBe("not_proven");
    expect(house.grants.anyOpen).toBe(false);
    expect(house.card().offer.proof).toBe("passkey");
    expect(await cameOf(house.approve("once"))).toBe("not_proven");
  });

  it("does not matter where the rules say what a yes takes", () => {
    const approvers = store();
    approvers.isAway = true;
    const rules = { ttlMs: 0, ttlScope: "secret", writable: false } as const;
    expect(needsSignature({ ...rules, require: "link" }, approvers)).toBe(false);
    expect(needsSignature({ ...rules, require: "passkey" }, approvers)).toBe(true);
    expect(() => needsSignature(rules, approvers)).toThrow("cannot be read");
  });

  it("would be seen to end windows, or to let the link through, if not knowing were an answer", async () => {
    const know = (to: string) => ({ file: "src/core/policy.ts", from: "?? approvers.all().length > 0", to });
    const guess = (answer: boolean) =>
      know(`?? (() => { try { return approvers.all().length > 0; } catch { return ${answer}; } })()`);
    const twinOf = async (answer: boolean): Promise<typeof startHouse> =>
      ((await loadPatched("test/support/house.ts", [guess(answer)])) as { startHouse: typeof startHouse }).startHouse;

    const cautious = await opened(await twinOf(true));
    cautious.approvers.isAway = true;
    await codeOf(cautious.house.get("DATABASE_URL"));
    expect(cautious.house.journal.kinds()).toContain("revoked");

    const careless = await opened(await twinOf(false));
    careless.approvers.isAway = true;
    expect(await codeOf(careless.house.get("DATABASE_URL"))).toBe("done");
  });
});
