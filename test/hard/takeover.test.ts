import { it } from "vitest";
import { share } from "../support/share.ts";
import { expectNothingLost, killHosts } from "../support/takeover.ts";

it("200 kills of the host at random moments, ten sessions: nothing lost, decided twice or without proof", async () => {
  const aftermath = await killHosts({ rounds: share(200), sessions: 10, seed: Math.floor(Math.random() * 2 ** 31) });
  const { kills, served, gapsMs } = aftermath;
  const [median, worst] = [gapsMs[Math.floor(gapsMs.length / 2)] ?? 0, gapsMs.at(-1) ?? 0];
  console.log(
    `${kills} kills, ${served} values, the page back after ${median.toFixed(0)} ms, ${worst.toFixed(0)} at most`,
  );
  expectNothingLost(aftermath);
});
