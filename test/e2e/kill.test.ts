import { expect, it } from "vitest";
import { world as makeWorld } from "../support/begin.ts";
import { expectNothingLost, killServers } from "../support/kills.ts";
import { buildPatched } from "../support/patched.ts";
import { untilSeen } from "../support/until-seen.ts";

it.each([
  ["one process", 1, 12],
  ["two processes on one log", 2, 6],
])("killed at random moments, %s: no value left without its line", async (_, processes, rounds) => {
  const world = makeWorld({ vault: { ttl: 60 } });
  expectNothingLost(await killServers(world, { rounds, processes }));
});

it("would be seen to lose lines if the value did not wait for the log", async () => {
  const plants = [
    {
      file: "src/core/deliveries.ts",
      from: 'await journal.record([{ ...about, kind: "releasing", at: clock.now() }]);',
      to: 'journal.note({ ...about, kind: "releasing", at: clock.now() });',
    },
  ];
  const twin = await buildPatched("src/main.ts", plants);
  try {
    const world = makeWorld({ vault: { ttl: 60 } });
    const wreckage = await untilSeen(
      () => killServers(world, { rounds: 5, processes: 1, program: twin.file }),
      ({ unrecorded }) => unrecorded.length > 0,
    );
    expect(wreckage.unrecorded.length).toBeGreaterThan(0);
  } finally {
    twin.remove();
  }
});
