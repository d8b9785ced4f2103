import type { Clock } from "./core/clock.ts";

/** The clocks of this computer. */
export const systemClock: Clock = {
  now: () => Date.now(),
  mono: () => performance.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    // What keeps the process alive is its client, not what it waits for.
    timer.unref();
    return () => clearTimeout(timer);
  },
};
