import { describe, expect, it } from "vitest";
import type { Plan } from "../../src/core/request.ts";
import { codeOf, type House, newGate, settle, startHouse } from "../support/house.ts";
import { loadPatched } from "../support/patched.ts";
import { startSigningHouse } from "../support/signing.ts";

const NEW = { DATABASE_URL: "hunter2-4711-new" };

/** A vault that plans each save over the version it has by then, and what was saved over which. */
function versioned(house: House): { version: string; readonly saved: Plan[]; readonly gates: Promise<void>[] } {
  const seen = { version: "3", saved: [] as Plan[], gates: [] as Promise<void>[] };
  const { planWrite, write } = house.vault;
  Object.assign(house.vault, {
    planWrite: async (entries: readonly { name: string }[]) => {
      await seen.gates.shift();
      const plans = (await planWrite(entries)) as readonly Plan[];
      return plans.map((plan) => ({ ...plan, version: seen.version, title: `version ${seen.version}` }));
    },
    write: (entries: Parameters<typeof write>[0]) => {
      seen.saved.push(...entries.map(({ plan }) => plan));
      return write(entries);
    },
  });
  return seen;
}

/**
 * Two identical saves meet on the way: the one is put before a person, who approves it when its call is gone; the other
 * comes to know only then what the vault would do now.
 */
async function saved(house: House, approve: () => Promise<unknown>): Promise<{ code: string; plans: readonly Plan[] }> {
  const seen = versioned(house);
  const gate = newGate();
  seen.gates.push(Promise.resolve(), gate.opened);
  const first = house.set(NEW);
  const second = house.set(NEW);
  await settle();
  expect(house.card().items[0]?.title).toBe("version 3");
  first.cancel("timed out");
  await settle();
  await approve();
  seen.version = "4";
  gate.open();
  return { code: await codeOf(second), plans: seen.saved };
}

describe("a save that was approved", () => {
  it("is done as it was shown, and not as it would be planned by now", async () => {
    const house = startHouse();
    const { code, plans } = await saved(house, () => house.approve("once"));
    expect(code).toBe("done");
    expect(plans.map(({ version }) => version)).toEqual(["3"]);
    const [approved] = house.journal.events.filter(({ kind }) => kind === "approved");
    const [releasing] = house.journal.events.filter(({ kind }) => kind === "releasing");
    expect(releasing?.request).toBe(approved?.request);
  });

  it("is done as it was signed for", async () => {
    const house = startSigningHouse({ rules: {} });
    const { code, plans } = await saved(house, () => house.sign({ choice: "once" }));
    expect(code).toBe("done");
    expect(plans.map(({ version }) => version)).toEqual(["3"]);
  });

  it("would be seen to be done otherwise, or to be refused where that is all that keeps it from that", async () => {
    const own = { file: "src/core/broker.ts", from: "open.request ?? request", to: "request" };
    const vague = { file: "src/core/statement.ts", from: "isSame(secret, wanted)", to: "secret.ref === wanted.ref" };
    for (const { plants, came, versions } of [
      { plants: [own], came: "not_proven", versions: [] },
      { plants: [own, vague], came: "done", versions: ["4"] },
    ]) {
      const twin = (await loadPatched("test/support/house.ts", plants)) as { startHouse: typeof startHouse };
      const house = twin.startHouse();
      const { code, plans } = await saved(house, () => house.approve("once"));
      // Of another copy of the program, so not one of our errors: its name is in its text.
      expect(code).toContain(came === "done" ? "done" : "approval does not hold");
      expect(plans.map(({ version }) => version)).toEqual(versions);
    }
  });
});
