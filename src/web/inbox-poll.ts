import type { Front } from "../core/card.ts";
import type { Holds } from "./holds.ts";
import { stampOf } from "./inbox-view.ts";

/** The stamp of the overview once it is another than this one, or after some time; undefined where too many wait for that. */
export function createInboxPoll({ front, holds }: { front: Front; holds: Holds }) {
  return async function poll(stamp: string, phone: string, gone: AbortSignal): Promise<string | undefined> {
    let now = await front.overview();
    if (stampOf(now) !== stamp) return stampOf(now);
    const held = await holds.hold(`inbox ${phone}`, gone, async (ended) => {
      while (stampOf(now) === stamp && !ended.aborted) {
        await front.overviewChanged(now.version, ended);
        now = await front.overview();
      }
    });
    return held && stampOf(now);
  };
}
