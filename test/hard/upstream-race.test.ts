import { it } from "vitest";
import { share } from "../support/share.ts";
import { play } from "../support/upstream-race.ts";

it("approved requests that wait for the vault's people keep every promise in many games, long and short", async () => {
  for (let seed = 0; seed < share(10_000); seed++) {
    // Another row of games than the short run plays.
    const game = 1_000_000 + seed;
    try {
      await play(game, 10 + (seed % 60));
    } catch (error) {
      throw new Error(`game ${game}: ${String(error)}`, { cause: error });
    }
  }
});
