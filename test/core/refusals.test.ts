import { describe, expect, it } from "vitest";
import { VaultError } from "../../src/core/errors.ts";
import { type Call, codeOf, type House, settle, startHouse } from "../support/house.ts";

const NAMES = ["A", "B", "C", "D", "E", "F", "G"];
const SECRETS = Object.fromEntries(NAMES.map((name) => [name, `canary-4711-${name}`]));
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

function start(desk: NonNullable<Parameters<typeof startHouse>[0]>["desk"] = {}): House {
  return startHouse({ secrets: SECRETS, desk });
}

/** Has a person deny a request for this. */
async function denied(house: House, names: string | string[], session = "session-1"): Promise<void> {
  const call = house.get(names, { session });
  await settle();
  await house.deny();
  expect(await codeOf(call)).toBe("denied");
}

/** What is said to a call that is refused at once; throws when a person is asked instead. */
async function refused(house: House, name: string): Promise<string> {
  const rings = house.rings.length;
  const call = house.get(name);
  await settle();
  if (house.rings.length > rings) {
    call.cancel("user-cancel");
    throw new Error("a person was asked");
  }
  return call.reply.then(
    () => "served",
    (error: unknown) => (error instanceof VaultError ? `${error.code}: ${error.message}` : String(error)),
  );
}

describe("what a person denies again and again", () => {
  it("is refused for twice as long each time within a day, up to an hour", async () => {
    const house = start();
    const lengths: number[] = [];
    for (let time = 0; time < 6; time++) {
      await denied(house, "A");
      const seconds = Number(/refused for (\d+) s/.exec(await refused(house, "A"))?.[1]);
      lengths.push(seconds);
      // A yes to something else keeps the session from being paused.
      house.clock.advance(1_000);
      void house.get("B");
      await settle();
      await house.approve("once");
      house.clock.advance(seconds * 1_000);
    }
    expect(lengths).toEqual([300, 600, 1_200, 2_400, 3_600, 3_600]);
  });

  it("is said to be that, and for how long", async () => {
    const house = start();
    await denied(house, "A");
    expect(await refused(house, "A")).toBe(
      "denied: a person denied this a moment ago; asking again is refused for 300 s",
    );
    house.clock.advance(5 * MINUTE);
    await denied(house, "A");
    expect(await refused(house, "A")).toBe(
      "denied: a person denied this 2 times in a row; asking again is refused for 600 s",
    );
  });

  it("is forgiven by a yes to it, and after a day", async () => {
    const house = start();
    await denied(house, "A");
    house.clock.advance(5 * MINUTE);
    void house.get("A");
    await settle();
    await house.approve("once");
    await denied(house, "A");
    expect(await refused(house, "A")).toContain("for 300 s");
    house.clock.advance(24 * HOUR);
    await denied(house, "A");
    expect(await refused(house, "A")).toContain("for 300 s");
  });

  it("counts by what it is, whatever it is called", async () => {
    const house = start();
    await denied(house, ["A", "B"]);
    house.clock.advance(5 * MINUTE);
    await denied(house, "A");
    expect(await refused(house, "A")).toContain("2 times in a row");
    expect(await refused(house, "C").catch((error: unknown) => String(error))).toContain("a person was asked");
  });

  it("is not shortened by setting the clock", async () => {
    const house = start();
    await denied(house, "A");
    house.clock.setWall(house.clock.now() + 24 * HOUR);
    expect(await refused(house, "A")).toContain("for 300 s");
  });

  it("keeps a time that was configured longer than an hour, and none where there is none", async () => {
    const long = start({ denyCooldownMs: 2 * HOUR });
    await denied(long, "A");
    long.clock.advance(2 * HOUR);
    await denied(long, "A");
    expect(await refused(long, "A")).toContain("for 7200 s");
    const none = start({ denyCooldownMs: 0 });
    for (let time = 0; time < 4; time++) await denied(none, "A");
    await expect(refused(none, "A")).rejects.toThrow("a person was asked");
  });

  it("may be asked for at once when the person said yes to it after their no", async () => {
    const house = start();
    void house.get("A");
    await settle();
    const batch = house.get(["A", "B"]);
    await settle();
    await house.deny(0);
    await house.approve("once", 1);
    expect(await codeOf(batch)).toBe("done");
    await expect(refused(house, "A")).rejects.toThrow("a person was asked");
  });
});

describe("three denials in a row", () => {
  it("pause all asking of the session, for longer with each that follows", async () => {
    const house = start();
    for (const name of ["A", "B", "C"]) await denied(house, name);
    expect(await refused(house, "D")).toBe(
      "denied: a person denied 3 requests in a row; asking for anything is refused for 300 s",
    );
    house.clock.advance(5 * MINUTE);
    await denied(house, "E");
    expect(await refused(house, "D")).toContain("4 requests in a row; asking for anything is refused for 600 s");
    house.clock.advance(10 * MINUTE);
    await denied(house, "F");
    expect(await refused(house, "D")).toContain("for 1200 s");
  });

  it("leave other sessions, and what is open, alone", async () => {
    const house = startHouse({ secrets: SECRETS, rules: { ttlMs: HOUR } });
    await house.served("G");
    for (const name of ["A", "B", "C"]) await denied(house, name);
    expect(await codeOf(house.get("G"))).toBe("done");
    const other = house.get("D", { session: "session-2" });
    await settle();
    await house.approve("once");
    expect(await codeOf(other)).toBe("done");
  });

  it("are none in a row when there was a yes between them, even to a part", async () => {
    const house = start();
    for (const name of ["A", "B"]) await denied(house, name);
    const batch = house.get(["C", "D"]);
    await settle();
    const { revision } = house.card();
    const part = { verdict: "approve", choice: "once", revision, items: [0] } as const;
    await house.desk.answer(house.tokens.at(-1) ?? "", part, { proof: "link" });
    expect(await codeOf(batch)).toBe("done");
    await denied(house, "E");
    await expect(refused(house, "F")).rejects.toThrow("a person was asked");
  });

  it("bother no vault any more, nor is anything written but that it was refused", async () => {
    const house = start();
    for (const name of ["A", "B", "C"]) await denied(house, name);
    const { resolves } = house.vault;
    await refused(house, "D");
    expect(house.vault.resolves).toBe(resolves);
    expect(house.journal.events.at(-1)).toMatchObject({ kind: "refused", code: "denied", names: ["D"] });
  });

  it("send away what nobody has seen yet, and leave what is before the person", async () => {
    const house = start({ maxCards: 2 });
    const calls = NAMES.map((name) => house.get(name));
    await settle();
    for (const at of [0, 1, 2]) {
      await house.deny(at);
      await settle();
    }
    const behind = calls.slice(4) as readonly Call<unknown>[];
    expect(await Promise.all(behind.map(codeOf))).toEqual(["denied", "denied", "denied"]);
    expect(house.rings).toHaveLength(4);
    expect(house.desk.overview().waiting.map(({ names }) => names.join())).toEqual(["D"]);
    const cancelled = house.journal.events.filter(({ kind }) => kind === "cancelled");
    expect(cancelled.map(({ detail }) => detail)).toEqual(
      Array.from({ length: 3 }, () => "a person denied 3 requests in a row; asking for anything is refused for 300 s"),
    );
    // The last card may still be answered with a yes, which ends the pause.
    await house.approve("once");
    await expect(refused(house, "G")).rejects.toThrow("a person was asked");
  });
});
