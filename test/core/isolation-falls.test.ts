import { describe, expect, it } from "vitest";
import type { Isolation } from "../../src/core/assurance.ts";
import { codeOf, type House, settle, startHouse } from "../support/house.ts";
import { loadPatched } from "../support/patched.ts";
import { preparingsOf } from "../support/preparings.ts";

const MINUTE = 60_000;

/** A vault that has to be kept from the agent's user, in a place where that may change. */
function apart(
  ttlMs = 60 * MINUTE,
  start: typeof startHouse = startHouse,
): { house: House; place: { isolation: Isolation } } {
  const place = {
    isolation: "other-user" as Isolation,
    rules: { ttlMs, minAssurance: { proof: "link", isolation: "other-user" } } as const,
  };
  return { house: start(place), place };
}

async function windowAfterwards(start: typeof startHouse = startHouse): Promise<string> {
  const { house, place } = apart(60 * MINUTE, start);
  await house.served("DATABASE_URL");
  house.clock.advance(1_000);
  place.isolation = "same-user";
  return codeOf(house.get("DATABASE_URL"));
}

async function yesAfterwards(start: typeof startHouse = startHouse): Promise<{ code: string; house: House }> {
  const { house, place } = apart(0, start);
  const call = house.get("DATABASE_URL");
  await settle();
  house.clock.advance(5_000);
  place.isolation = "same-user";
  await house.approve("once");
  return { code: await codeOf(call), house };
}

describe("a place that came to be worth less than a vault demands", () => {
  it("gets nothing more by a window that is open", async () => {
    expect(await windowAfterwards()).toBe("assurance_unmet");
  });

  it("gets nothing by a yes to what was asked for before", async () => {
    const { code, house } = await yesAfterwards();
    expect(code).toBe("assurance_unmet");
    expect(house.vault.reads).toBe(0);
    expect(house.journal.kinds()).not.toContain("releasing");
  });

  it("gets nothing when that was while the vault's own people were waited for", async () => {
    const { house, place } = apart(0);
    const preparings = preparingsOf(house.vault);
    const call = house.get("DATABASE_URL");
    await settle();
    await house.approve("once");
    await settle();
    house.clock.advance(MINUTE);
    place.isolation = "same-user";
    preparings[0]?.ready();
    expect(await codeOf(call)).toBe("assurance_unmet");
    expect(house.vault.reads).toBe(0);
  });

  it("saves nothing either", async () => {
    const { house, place } = apart(0);
    const call = house.set({ DATABASE_URL: "hunter2-4711" });
    await settle();
    house.clock.advance(5_000);
    place.isolation = "same-user";
    await house.approve("once");
    expect(await codeOf(call)).toBe("assurance_unmet");
    expect(house.vault.secrets.get("DATABASE_URL")).not.toBe("hunter2-4711");
  });

  it("is looked at once a second for what is handed over, and each time for what is asked", async () => {
    let looks = 0;
    const place = {
      get isolation(): Isolation {
        looks += 1;
        return "other-user";
      },
      rules: { ttlMs: 60 * MINUTE, minAssurance: { proof: "link", isolation: "other-user" } } as const,
    };
    const house = startHouse(place);
    await house.served("DATABASE_URL");
    const before = looks;
    for (let call = 0; call < 20; call++) expect(await codeOf(house.get("DATABASE_URL"))).toBe("done");
    expect(looks).toBe(before);
    house.clock.advance(1_000);
    for (let call = 0; call < 20; call++) expect(await codeOf(house.get("DATABASE_URL"))).toBe("done");
    expect(looks).toBe(before + 1);
    void house.get("STRIPE_KEY");
    await settle();
    expect(looks).toBeGreaterThan(before + 1);
  });

  it("serves again as soon as it is worth enough", async () => {
    const { house, place } = apart();
    await house.served("DATABASE_URL");
    house.clock.advance(1_000);
    place.isolation = "same-user";
    expect(await codeOf(house.get("DATABASE_URL"))).toBe("assurance_unmet");
    house.clock.advance(1_000);
    place.isolation = "other-user";
    expect(await codeOf(house.get("DATABASE_URL"))).toBe("done");
  });

  it("would be seen to get all of that if nobody looked at the delivery", async () => {
    const blind = { file: "src/core/deliveries.ts", from: 'if (ruling.kind === "deny") throw ruling.error;', to: "" };
    const twin = (await loadPatched("test/support/house.ts", [blind])) as { startHouse: typeof startHouse };
    expect(await windowAfterwards(twin.startHouse)).toBe("done");
    expect((await yesAfterwards(twin.startHouse)).code).toBe("done");
  });
});
