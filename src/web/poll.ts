import type { Clock } from "../core/clock.ts";
import type { Front } from "../core/card.ts";

/** How one long poll ended: something changed, nothing did in time, or there were too many of them already. */
export type PollEnd =
  | { readonly is: "changed"; readonly version: number }
  | { readonly is: "quiet" }
  | { readonly is: "gone" }
  | { readonly is: "crowded" };

const HOLD_MS = 25_000;
const MAX_POLLS = 128;
const MAX_PER_TOKEN = 16;

/** Holds each asking page until its request changes, for at most 25 seconds and until `closing` aborts. */
export function createPolls({ front, clock, closing }: { front: Front; clock: Clock; closing: AbortSignal }) {
  const open = new Map<string, number>();
  const ends = new Set<AbortController>();
  closing.addEventListener("abort", () => {
    for (const end of ends) end.abort();
  });

  return async function poll(token: string, version: number, gone: AbortSignal): Promise<PollEnd> {
    const card = front.card(token);
    if (card === undefined) return { is: "gone" };
    if (card.version !== version) return { is: "changed", version: card.version };
    const mine = open.get(token) ?? 0;
    if (ends.size >= MAX_POLLS || mine >= MAX_PER_TOKEN) return { is: "crowded" };

    open.set(token, mine + 1);
    const end = new AbortController();
    ends.add(end);
    const cancel = clock.after(HOLD_MS, () => end.abort());
    gone.addEventListener("abort", () => end.abort());
    try {
      if (gone.aborted || closing.aborted) end.abort();
      await front.changed(token, version, end.signal);
    } finally {
      cancel();
      ends.delete(end);
      const left = (open.get(token) ?? 1) - 1;
      if (left > 0) open.set(token, left);
      else open.delete(token);
    }
    const now = front.card(token);
    if (now === undefined) return { is: "gone" };
    return now.version === version ? { is: "quiet" } : { is: "changed", version: now.version };
  };
}
