import type { Clock } from "../core/clock.ts";

/** Answers that are held back until something changes: how long each, and how many at a time, of one page and in all. */
export interface Holds {
  /**
   * Runs `wait` until it resolves; its signal aborts after 25 seconds, when `gone` does, and when the page closes.
   * Undefined, and nothing run, where there are as many already as may be.
   */
  readonly hold: (
    page: string,
    gone: AbortSignal,
    wait: (ended: AbortSignal) => Promise<void>,
  ) => Promise<"held" | undefined>;
}

export const HOLD_MS = 25_000;
const MAX_HOLDS = 128;
const MAX_PER_PAGE = 16;

export function createHolds({ clock, closing }: { clock: Clock; closing: AbortSignal }): Holds {
  const open = new Map<string, number>();
  const ends = new Set<AbortController>();
  closing.addEventListener("abort", () => {
    for (const end of ends) end.abort();
  });
  return {
    hold: async (page, gone, wait) => {
      const mine = open.get(page) ?? 0;
      if (ends.size >= MAX_HOLDS || mine >= MAX_PER_PAGE) return undefined;
      open.set(page, mine + 1);
      const end = new AbortController();
      ends.add(end);
      const stop = (): void => end.abort();
      const cancel = clock.after(HOLD_MS, stop);
      gone.addEventListener("abort", stop);
      try {
        if (gone.aborted || closing.aborted) stop();
        await wait(end.signal);
        return "held";
      } finally {
        cancel();
        gone.removeEventListener("abort", stop);
        ends.delete(end);
        const left = (open.get(page) ?? 1) - 1;
        if (left > 0) open.set(page, left);
        else open.delete(page);
      }
    },
  };
}

/** Calls `wait` with a signal that aborts after `ms`, or with `ended`. */
export async function within(
  clock: Clock,
  ms: number,
  ended: AbortSignal,
  wait: (enough: AbortSignal) => Promise<void>,
): Promise<void> {
  const enough = new AbortController();
  const stop = (): void => enough.abort();
  const cancel = clock.after(ms, stop);
  ended.addEventListener("abort", stop);
  try {
    if (ended.aborted) stop();
    await wait(enough.signal);
  } finally {
    cancel();
    ended.removeEventListener("abort", stop);
  }
}
