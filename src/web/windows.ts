const MINUTE_MS = 60_000;
/** Lengths that people think in, the longest first. */
const LENGTHS_MS = [60 * MINUTE_MS, 15 * MINUTE_MS, 5 * MINUTE_MS];

/** What a person can choose instead of the configured window: the same, only shorter. At most three, the longest first. */
export function shorterWindows(windowMs: number): readonly number[] {
  return LENGTHS_MS.filter((lengthMs) => lengthMs < windowMs);
}
