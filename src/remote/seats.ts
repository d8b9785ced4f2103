import type { Clock } from "../core/clock.ts";

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
    let isMine = true;
    return {
      giveBack: (afterMs) => {
        if (!isMine) return;
        isMine = false;
        const free = (): void => void (this.#taken -= 1);
        if (afterMs > 0) this.#clock.after(afterMs, free);
        else free();
      },
    };
  }
}
