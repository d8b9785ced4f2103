import { describe, expect, it } from "vitest";
import { VaultError } from "../../src/core/errors.ts";
import { type House, settle, startHouse } from "../support/house.ts";
import { loadPatched } from "../support/patched.ts";

const LONG = 2_000;

type Start = typeof startHouse;

/** A house whose requests share their cards with those of another session, until that one goes away. */
function sharing(start: Start = startHouse): {
  house: House;
  links: string[];
  other: { waits: boolean; page: boolean };
} {
  const other = { waits: true, page: true };
  const links: string[] = [];
  const house = start({
    desk: {
      channels: [{ name: "bell", ring: ({ link }) => Promise.resolve(void links.push(link.local)) }],
      door: {
        open: async () => {
          if (!other.page) throw new VaultError("page_unavailable", "nobody hosts it");
        },
        settled: () => Promise.resolve(),
        link: (token) => {
          if (!house.tokens.includes(token)) house.tokens.push(token);
          return { local: `http://localhost:9999/approve/${token}` };
        },
        isShared: () => other.waits,
      },
    },
  });
  return { house, links, other };
}

async function later(house: House): Promise<void> {
  house.clock.advance(LONG);
  await settle();
}

async function ringsItself(start: Start): Promise<void> {
  const { house, links, other } = sharing(start);
  const call = house.get("DATABASE_URL");
  await settle();
  await later(house);
  expect(links).toEqual([]);
  expect(call.waits.at(-1)?.rang).toEqual(["the same request of another session"]);
  other.waits = false;
  await later(house);
  expect(links).toEqual([`http://localhost:9999/approve/${house.tokens[0] ?? ""}`]);
  expect(call.waits.at(-1)?.rang).toContain("bell");
  await later(house);
  expect(links).toHaveLength(1);
}

describe("a request for which that of another session rang", () => {
  it("rings itself, once, when the other goes away unanswered", async () => {
    await expect(ringsItself(startHouse)).resolves.toBeUndefined();
  });

  it("would be seen to stay silent if nobody looked", async () => {
    const plant = { file: "src/core/bells.ts", from: "if (isShared) this.#watch(ticket);", to: "if (isShared) {}" };
    const twin = (await loadPatched("test/support/house.ts", [plant])) as { startHouse: Start };
    await expect(ringsItself(twin.startHouse)).rejects.toThrow("expected");
  });

  it("stays silent when it was answered with it", async () => {
    const { house, links, other } = sharing();
    void house.get("DATABASE_URL");
    await settle();
    await house.deny();
    other.waits = false;
    await later(house);
    expect(links).toEqual([]);
  });

  it("rings when there is a page again to ring with", async () => {
    const { house, links, other } = sharing();
    void house.get("DATABASE_URL");
    await settle();
    Object.assign(other, { waits: false, page: false });
    await later(house);
    expect(links).toEqual([]);
    other.page = true;
    await later(house);
    expect(links).toHaveLength(1);
  });

  it("rings once more when its page moves, and only once when the other goes away after that", async () => {
    const { house, links, other } = sharing();
    void house.get("DATABASE_URL");
    await settle();
    house.desk.moved();
    await settle();
    expect(links).toEqual([]);
    other.waits = false;
    house.desk.moved();
    await settle();
    await later(house);
    expect(links).toHaveLength(1);
  });
});
