import type { Clock } from "../core/clock.ts";

/** For how long a seat is taken at least, ms: whoever comes and goes without end fills neither the log nor the terminal. */
const LEAST_MS = 10_000;

/**
 * How many sessions there may be at a time. One that ends while requests of its own are before a person keeps its seat
 * until their time would have been over: a client that asks, goes and comes back cannot ring without end.
 */
export class Seats {
  readonly #most: number;
  readonly #clock: Clock;
  #taken = 0;

  constructor(most: number, clock: Clock) {
    this.#most = most;
    this.#clock = clock;
  }

  /** A seat, or undefined when all are taken. Give it back once, with how long it stays taken yet, ms. */
  take(): { readonly giveBack: (afterMs: number) => void } | undefined {
    if (this.#taken >= this.#most) return undefined;
    this.#taken += 1;
    const since = this.#clock.mono();
    let isMine = true;
    return {
      giveBack: (afterMs) => {
        if (!isMine) return;
        isMine = false;
        const free = (): void => void (this.#taken -= 1);
        const leftMs = Math.max(afterMs, since + LEAST_MS - this.#clock.mono());
        if (leftMs > 0) this.#clock.after(leftMs, free);
        else free();
      },
    };
  }
}
