import { expect, it } from "vitest";
import { world as makeWorld } from "../support/begin.ts";
import { expectNothingLost, killServers } from "../support/kills.ts";
import { share } from "../support/share.ts";

it.each([
  ["one process", 1],
  ["two processes on one log", 2],
])("300 kills at random moments, %s: no value left without its line", async (_, processes) => {
  const world = makeWorld({ vault: { ttl: 60 } });
  const wreckage = await killServers(world, { rounds: share(300) / processes, processes });
  console.log(`${wreckage.kills} kills, ${wreckage.served} values, ${wreckage.unrecorded.length} without their line`);
  expectNothingLost(wreckage);
  expect(wreckage.kills).toBeGreaterThan(0);
});
