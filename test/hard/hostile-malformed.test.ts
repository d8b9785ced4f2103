import { expect, it } from "vitest";
import { world as makeWorld } from "../support/begin.ts";
import { endure, expectEndured } from "../support/malformed-run.ts";
import { share } from "../support/share.ts";

it("10,000 malformed lines: no crash, no leak, nothing but the protocol on stdout", async () => {
  const seed = Date.now() % 2 ** 32;
  const endured = await endure(makeWorld({ vault: { writable: true } }), { lines: share(10_000), seed });
  const megabytes = Math.round(endured.peakBytes / 1024 / 1024);
  console.log(
    `seed ${seed}: ${endured.lines} lines, ${endured.answers} answers, ${endured.rows} rows, at most ${megabytes} MB`,
  );
  expectEndured(endured);
  expect(endured.lines).toBeGreaterThan(9);
});
