/** Time as the core sees it. The wall clock can be set and the monotonic one sleeps with the machine, so both are asked. */
export interface Clock {
  /** Wall clock, integer milliseconds since the epoch. */
  readonly now: () => number;
  /** Monotonic clock, milliseconds from an arbitrary start. */
  readonly mono: () => number;
  /** Calls `run` once after `ms`; the returned function cancels it. */
  readonly after: (ms: number, run: () => void) => () => void;
}

/** How far the wall clock may step back before everything open is taken to be in doubt. */
const STEP_BACK_MS = 2_000;

/**
 * A stretch of time that is over when *either* clock says so. A wall clock that steps back by more than two seconds
 * ends it too: somebody may be trying to make it longer.
 */
export class Span {
  readonly endsAt: number;
  readonly #clock: Clock;
  readonly #monoEnd: number;
  #offset: number;

  constructor(clock: Clock, lengthMs: number) {
    this.#clock = clock;
    this.endsAt = clock.now() + lengthMs;
    this.#monoEnd = clock.mono() + lengthMs;
    this.#offset = clock.now() - clock.mono();
  }

  /** "time" when the stretch has run out, "clock" when the wall clock stepped back, undefined while it lasts. */
  over(): "time" | "clock" | undefined {
    const now = this.#clock.now();
    const mono = this.#clock.mono();
    const offset = now - mono;
    if (this.#offset - offset > STEP_BACK_MS) return "clock";
    // A machine that slept moves the wall ahead of the monotonic clock: that is the new normal to step back from.
    this.#offset = Math.max(this.#offset, offset);
    return now >= this.endsAt || mono >= this.#monoEnd ? "time" : undefined;
  }

  /** Milliseconds until the nearer of the two ends; 0 when over. */
  leftMs(): number {
    return Math.max(0, Math.min(this.endsAt - this.#clock.now(), this.#monoEnd - this.#clock.mono()));
  }
}

/** Resolves after `ms`, or as soon as the signal aborts. */
export function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (ms <= 0 || signal.aborted) return resolve();
    const done = (): void => {
      cancel();
      signal.removeEventListener("abort", done);
      resolve();
    };
    const cancel = clock.after(ms, done);
    signal.addEventListener("abort", done, { once: true });
  });
}
