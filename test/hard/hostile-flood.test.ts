import { expect, it } from "vitest";
import { askAndStop, expectFew, flood, refuseMany } from "../support/hostile-flood.ts";
import { share } from "../support/share.ts";

it("5,000 requests ring three at a time, 20 in all, open one page per ten seconds, and leave the page answering", async () => {
  const seen = await flood(Math.max(100, share(5_000)));
  const { rings, ms, pageMs, rows, logBytes } = seen;
  console.log(
    `${seen.requests} requests in ${Math.round(ms)} ms: ${rings.links} links, ${rings.together} at a time, ${rings.pushes} pushes, ${rings.openings.length} openings, ` +
      `${rows} rows, ${Math.round(logBytes / 1024)} KB of log; then the page in ${Math.round(pageMs)} ms`,
  );
  expectFew(seen);
  expect(rings.links).toBe(20);
});

it("asking and stopping 2,000 times rings 20 times", async () => {
  const { links, pushes } = await askAndStop(Math.max(50, share(2_000)));
  expect(links).toBe(20);
  expect(pushes).toBeLessThanOrEqual(20);
});

it("10,000 refused calls leave a few lines", async () => {
  const { rows, logBytes } = await refuseMany(Math.max(1_000, share(10_000)));
  console.log(`${rows} rows, ${Math.round(logBytes / 1024)} KB of log`);
  expect(rows).toBeLessThan(30);
  expect(logBytes).toBeLessThan(300_000);
});
