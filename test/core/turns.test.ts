import { describe, expect, it } from "vitest";
import { VaultError } from "../../src/core/errors.ts";
import { type Call, codeOf, type House, newGate, settle, startHouse } from "../support/house.ts";
import { loadPatched } from "../support/patched.ts";

const NAMES = ["A", "B", "C", "D", "E", "F"];
const SECRETS = Object.fromEntries(NAMES.map((name) => [name, `canary-4711-${name}`]));

/** A house whose one session has asked for so many secrets, each by itself. */
async function asking(count: number, desk: NonNullable<Parameters<typeof startHouse>[0]>["desk"] = {}) {
  const house = startHouse({ secrets: SECRETS, desk: { maxCards: 3, ...desk } });
  const calls = NAMES.slice(0, count).map((name) => house.get(name));
  await settle();
  return { ...house, calls };
}

/** How many are before each call that waits, as it was last told. */
function behind(calls: readonly Call<unknown>[]): readonly (number | undefined)[] {
  return calls.map(({ waits }) => waits.at(-1)?.behind);
}

/** What the overview says of those that wait: their names, with a star where it is not their turn. */
function line({ desk }: Pick<House, "desk">): string {
  return desk
    .overview()
    .waiting.map(({ names, isBehind }) => `${names.join()}${isBehind ? "*" : ""}`)
    .join(" ");
}

describe("the requests of one session", () => {
  it("are before a person three at a time; the others know how many are before them", async () => {
    const house = await asking(6);
    expect(house.rings).toHaveLength(3);
    expect(line(house)).toBe("A B C D* E* F*");
    expect(behind(house.calls)).toEqual([0, 0, 0, 1, 2, 3]);
    expect(house.calls[3]?.waits.at(-1)).not.toHaveProperty("link");
    expect(house.calls[2]?.waits.at(-1)).toHaveProperty("link");
  });

  it("come to their turn in the order asked, whichever is answered", async () => {
    const house = await asking(5);
    await house.approve("once", 1);
    await settle();
    expect(line(house)).toBe("A C D E*");
    expect(behind(house.calls)).toEqual([0, 0, 0, 0, 1]);
    expect(house.calls[3]?.waits.at(-1)).toHaveProperty("link");
    await house.deny(0);
    await settle();
    expect(line(house)).toBe("C D E");
    expect(house.rings).toHaveLength(5);
  });

  it("come to their turn when one before them is withdrawn, or expires", async () => {
    const house = await asking(3);
    house.clock.advance(60_000);
    const late = house.get("D");
    await settle();
    expect(behind([late])).toEqual([1]);
    house.calls[0]?.cancel("user-cancel");
    await settle();
    expect(behind([late])).toEqual([0]);
    const later = house.get("E");
    await settle();
    expect(behind([later])).toEqual([1]);
    house.clock.advance(14 * 60_000);
    await settle();
    expect(line(house)).toBe("D E");
  });

  it("come forward when one behind the others is withdrawn", async () => {
    const house = await asking(6);
    house.calls[3]?.cancel("user-cancel");
    await settle();
    expect(line(house)).toBe("A B C E* F*");
    expect(behind(house.calls.slice(4))).toEqual([1, 2]);
    expect(house.rings).toHaveLength(3);
  });

  it("may be answered before their turn, by whoever finds them in the overview", async () => {
    const house = await asking(4);
    const token = house.desk.overview().waiting[3]?.token ?? "";
    const revision = house.desk.card(token)?.revision ?? 0;
    await house.desk.answer(token, { verdict: "approve", choice: "once", revision }, { proof: "link" });
    expect(await codeOf(house.calls[3] as Call<unknown>)).toBe("done");
    expect(line(house)).toBe("A B C");
    expect(house.rings).toHaveLength(3);
  });

  it("do not stand before those of another session", async () => {
    const house = await asking(4);
    const other = house.get("A", { session: "session-2" });
    await settle();
    expect(behind([other])).toEqual([0]);
    expect(house.rings).toHaveLength(4);
  });

  it("fail one after the other, each with the reason, when the page can no longer be opened", async () => {
    let isOpen = true;
    const house = await asking(5, {
      door: {
        open: () =>
          isOpen ? Promise.resolve() : Promise.reject(new VaultError("page_unavailable", "no port is free")),
        settled: () => Promise.resolve(),
        link: (token) => ({ local: `http://localhost:9999/approve/${token}` }),
      },
    });
    isOpen = false;
    const token = house.desk.overview().waiting[0]?.token ?? "";
    await house.desk.answer(token, { verdict: "deny" }, { proof: "link" });
    expect(await Promise.all(house.calls.slice(3).map(codeOf))).toEqual(["page_unavailable", "page_unavailable"]);
    expect(line(house)).toBe("B C");
    isOpen = true;
    void house.get("F");
    await settle();
    expect(line(house)).toBe("B C F");
  });

  it("are rung for once, and only when they are written down, also when their turn comes in between", async () => {
    expect(await rungTooEarly({ startHouse })).toEqual({ early: 0, rings: 2 });
  });

  it("would be seen to be rung for early, and twice, if nobody looked at what is written", async () => {
    const file = "src/core/showing.ts";
    const plants = [{ file, from: " || !this.#written.has(ticket) || this.#shown.has(ticket)", to: "" }];
    const twin = (await loadPatched("test/support/house.ts", plants)) as { startHouse: typeof startHouse };
    const { early, rings } = await rungTooEarly(twin);
    expect(early).toBeGreaterThan(0);
    expect(rings).toBeGreaterThan(2);
  });
});

/** One card at a time; the second comes to its turn while its line in the log is being written. */
async function rungTooEarly({ startHouse: start }: { startHouse: typeof startHouse }) {
  const rung: string[] = [];
  const house = start({
    secrets: SECRETS,
    desk: {
      maxCards: 1,
      channels: [{ name: "bell", ring: ({ link }) => Promise.resolve(void rung.push(link.local)) }],
    },
  });
  void house.get("A");
  await settle();
  const gate = newGate();
  house.journal.before = () => gate.opened;
  void house.get("B");
  await settle();
  await house.deny(0);
  await settle();
  const early = rung.length - 1;
  gate.open();
  await settle();
  return { early, rings: rung.length };
}
