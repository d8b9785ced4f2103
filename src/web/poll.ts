import type { Clock } from "../core/clock.ts";
import type { Card, Front } from "../core/card.ts";

/** How one long poll ended: something changed, nothing did in time, or there were too many of them already. */
export type PollEnd =
  | { readonly is: "changed"; readonly version: number }
  | { readonly is: "quiet" }
  | { readonly is: "gone" }
  | { readonly is: "crowded" };

const HOLD_MS = 25_000;
/** How often an approved request is looked at: a use that is handed over changes no version. */
const LOOK_MS = 1_000;
const MAX_POLLS = 128;
const MAX_PER_TOKEN = 16;

/** Holds each asking page until its request changes or what was approved is used up, for at most 25 seconds and until `closing` aborts. */
export function createPolls({ front, clock, closing }: { front: Front; clock: Clock; closing: AbortSignal }) {
  const open = new Map<string, number>();
  const ends = new Set<AbortController>();
  closing.addEventListener("abort", () => {
    for (const end of ends) end.abort();
  });

  /** Resolves at the next change, after some time, or when the poll ends. */
  async function change(token: string, version: number, withinMs: number, ended: AbortSignal): Promise<void> {
    const enough = new AbortController();
    const stop = (): void => enough.abort();
    const cancel = clock.after(withinMs, stop);
    ended.addEventListener("abort", stop);
    try {
      await front.changed(token, version, enough.signal);
    } finally {
      cancel();
      ended.removeEventListener("abort", stop);
    }
  }

  return async function poll(token: string, version: number, gone: AbortSignal): Promise<PollEnd> {
    const card = await front.card(token);
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
      let now: Card | undefined = card;
      while (now?.version === version && !isUsedUp(now) && !end.signal.aborted) {
        await change(token, version, now.standing.is === "approved" ? LOOK_MS : HOLD_MS, end.signal);
        now = await front.card(token);
      }
    } finally {
      cancel();
      ends.delete(end);
      const left = (open.get(token) ?? 1) - 1;
      if (left > 0) open.set(token, left);
      else open.delete(token);
    }
    const now = await front.card(token);
    if (now === undefined) return { is: "gone" };
    return now.version === version ? { is: "quiet" } : { is: "changed", version: now.version };
  };
}

/** Approved, and nothing of it is left that the person could still watch or take back. */
function isUsedUp({ standing, upstream }: Card): boolean {
  return standing.is === "approved" && standing.ended !== undefined && !upstream;
}
