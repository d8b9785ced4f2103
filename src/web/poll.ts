import type { Clock } from "../core/clock.ts";
import type { Card, Front } from "../core/card.ts";
import { HOLD_MS, type Holds, within } from "./holds.ts";

/** How one long poll ended: something changed, nothing did in time, or there were too many of them already. */
export type PollEnd =
  | { readonly is: "changed"; readonly version: number }
  | { readonly is: "quiet" }
  | { readonly is: "gone" }
  | { readonly is: "crowded" };

/** How often an approved request is looked at: a use that is handed over changes no version. */
const LOOK_MS = 1_000;

/** Holds each asking page until its request changes or what was approved is used up, as long as pages may be held. */
export function createPolls({ front, clock, holds }: { front: Front; clock: Clock; holds: Holds }) {
  return async function poll(token: string, version: number, gone: AbortSignal): Promise<PollEnd> {
    const card = await front.card(token);
    if (card === undefined) return { is: "gone" };
    if (card.version !== version) return { is: "changed", version: card.version };
    const held = await holds.hold(`request ${token}`, gone, async (ended) => {
      let now: Card | undefined = card;
      while (now?.version === version && !isUsedUp(now) && !ended.aborted) {
        const ms = now.standing.is === "approved" ? LOOK_MS : HOLD_MS;
        await within(clock, ms, ended, (enough) => front.changed(token, version, enough));
        now = await front.card(token);
      }
    });
    if (held === undefined) return { is: "crowded" };
    const now = await front.card(token);
    if (now === undefined) return { is: "gone" };
    return now.version === version ? { is: "quiet" } : { is: "changed", version: now.version };
  };
}

/** Approved, and nothing of it is left that the person could still watch or take back. */
function isUsedUp({ standing, upstream }: Card): boolean {
  return standing.is === "approved" && standing.ended !== undefined && !upstream;
}
