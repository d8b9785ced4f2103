import { expect, it } from "vitest";
import { askAndStop, expectFew, flood, refuseMany } from "../support/hostile-flood.ts";
import { buildPatched, type Plant } from "../support/patched.ts";

async function withBug<T>(plant: Plant, run: (program: string) => Promise<T>): Promise<T> {
  const twin = await buildPatched("src/main.ts", [plant]);
  try {
    return await run(twin.file);
  } finally {
    twin.remove();
  }
}

it("400 requests ring three at a time, 20 in all, and open the browser once; the page answers and the log stays small", async () => {
  expectFew(await flood(400));
});

it("asking and stopping 100 times rings no more than waiting would", async () => {
  const { links, pushes } = await askAndStop(100);
  expect(links).toBe(20);
  expect(pushes).toBeLessThanOrEqual(20);
});

it("1,000 refused calls leave a few lines", async () => {
  const { rows, logBytes } = await refuseMany(1_000);
  expect(rows).toBeLessThan(30);
  expect(logBytes).toBeLessThan(300_000);
});

it("would be seen to ring more if slots were not counted", async () => {
  const plant = { file: "src/core/slots.ts", from: "this.#max - coming", to: "1_000 - coming * 0" };
  const { rings } = await withBug(plant, (program) => flood(40, program));
  expect(rings.links).toBe(40);
});

it("would be seen to ring more at a time if nobody waited for a turn", async () => {
  const plant = { file: "src/house.ts", from: "const MOST_CARDS = 3;", to: "const MOST_CARDS = 1_000;" };
  const { rings } = await withBug(plant, (program) => flood(40, program));
  expect(rings.links).toBe(20);
  expect(rings.together).toBeGreaterThan(3);
});

it("would be seen to ring more if stopping gave the slot back", async () => {
  const plant = { file: "src/core/desk.ts", from: "if (!how?.keepsSlot) this.#slots.free(", to: "this.#slots.free(" };
  expect((await withBug(plant, (program) => askAndStop(40, program))).links).toBe(40);
});
