import type { Front } from "../core/card.ts";
import type { Clock } from "../core/clock.ts";
import type { Overview } from "../core/overview.ts";
import { HOLD_MS, type Holds, within } from "./holds.ts";
import { stampOf } from "./inbox-view.ts";

/** How often a use that is still to come is looked for: that it was handed over tells nobody. */
const LOOK_MS = 1_000;

/** The stamp of the overview once it is another than this one, or after some time; undefined where too many wait for that. */
export function createInboxPoll({ front, clock, holds }: { front: Front; clock: Clock; holds: Holds }) {
  return async function poll(stamp: string, phone: string, gone: AbortSignal): Promise<string | undefined> {
    let now = await front.overview();
    if (stampOf(now) !== stamp) return stampOf(now);
    const held = await holds.hold(`inbox ${phone}`, gone, async (ended) => {
      while (stampOf(now) === stamp && !ended.aborted) {
        const { version } = now;
        await within(clock, hasUses(now) ? LOOK_MS : HOLD_MS, ended, (enough) =>
          front.overviewChanged(version, enough),
        );
        now = await front.overview();
      }
    });
    return held && stampOf(now);
  };
}

function hasUses({ windows }: Overview): boolean {
  return windows.some(({ isOnce }) => isOnce);
}
