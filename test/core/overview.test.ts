import { describe, expect, it } from "vitest";
import { settle, startHouse } from "../support/house.ts";

describe("what is open", () => {
  it("is a window until it ends, by what was asked for", async () => {
    const house = startHouse({ rules: { ttlMs: 900_000 } });
    await house.served("DATABASE_URL");
    const [line] = house.desk.overview().windows;
    expect(line).toMatchObject({
      vault: "dev",
      names: ["DATABASE_URL"],
      until: house.clock.now() + 900_000,
      folder: "/home/maria/shop",
    });
    expect(line?.isOnce).toBeUndefined();
    house.clock.advance(900_000);
    expect(house.desk.overview().windows).toEqual([]);
  });

  it("is a use that nobody has come for, for as long as it is kept, and it can be ended", async () => {
    const house = startHouse({ rules: { ttlMs: 900_000 } });
    const call = house.get("DATABASE_URL", { holdMs: 10 });
    await settle();
    house.clock.advance(20);
    await call.reply;
    await house.approve("once");
    const [line] = house.desk.overview().windows;
    expect(line).toMatchObject({ isOnce: true, names: ["DATABASE_URL"], until: house.clock.now() + 300_000 });
    expect(house.desk.opened.revokeApproval(line?.approval ?? "")).toBe(true);
    expect(house.desk.overview().windows).toEqual([]);
    expect(house.desk.opened.revokeApproval(line?.approval ?? "")).toBe(false);
  });

  it("lists the nearest end first", async () => {
    const house = startHouse({ rules: { ttlMs: 900_000 } });
    await house.served("DATABASE_URL");
    house.clock.advance(60_000);
    await house.served("STRIPE_KEY");
    const { windows } = house.desk.overview();
    expect(windows.map(({ names }) => names[0])).toEqual(["DATABASE_URL", "STRIPE_KEY"]);
  });

  it("has a new version when a use is handed over, so that whoever looks on is told", async () => {
    const house = startHouse({ rules: { ttlMs: 900_000 } });
    const call = house.get("DATABASE_URL", { holdMs: 10 });
    await settle();
    house.clock.advance(20);
    await call.reply;
    await house.approve("once");
    const { version, windows } = house.desk.overview();
    expect(windows).toHaveLength(1);
    const changed = house.desk.overviewChanged(version, AbortSignal.timeout(20_000));
    await house.get("DATABASE_URL").reply;
    await changed;
    expect(house.desk.overview().windows).toEqual([]);
    expect(house.desk.overview().version).toBeGreaterThan(version);
  });
});
