// The promises of the env provider again, with counts that take their time.
import { expect, it } from "vitest";
import { splice } from "../../../src/providers/env/splice.ts";
import { bundle } from "../../providers/env/bundle.ts";
import { damage, lostUpdates, takeover } from "../../providers/env/checks.ts";
import { checkFiles, checkParsersAgree, checkSoup } from "../../providers/env/properties.ts";

const PATIENT = 600_000;

it("reads back 20,000 values exactly and keeps the rest", { timeout: PATIENT }, () => {
  expect(checkFiles(splice, 20_000)).toBeLessThan(1_000);
});

it("reads back values in 20,000 texts of any kind", { timeout: PATIENT }, () => {
  expect(checkSoup(splice, 20_000)).toBeLessThan(4_000);
});

it("reads 500,000 texts the same with both of dotenv's parsers", { timeout: PATIENT }, () => {
  expect(() => checkParsersAgree(500_000)).not.toThrow();
});

it("loses nothing in 500 rounds of two writers", { timeout: PATIENT }, async () => {
  expect(await lostUpdates(await bundle(), 500)).toBe(0);
  expect(await lostUpdates(await bundle("slowDisk"), 200)).toBe(0);
});

it("leaves a whole file after 150 kills", { timeout: PATIENT }, async () => {
  expect(await damage(await bundle(), 150)).toBe(0);
});

it("hands a dead writer's place to one writer at a time, 20 times over", { timeout: PATIENT }, async () => {
  for (let time = 0; time < 20; time++) expect(await takeover(await bundle("slowDisk"))).toEqual([]);
});
