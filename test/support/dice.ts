/** Chance that can be repeated: the same seed throws the same. */
export interface Dice {
  /** A whole number from 0 to below `n`. */
  readonly below: (n: number) => number;
  readonly oneOf: <T>(things: readonly T[]) => T;
  /** True in one of `n` throws. */
  readonly oneIn: (n: number) => boolean;
}

/** mulberry32: small, and even enough to find faults with. */
export function dice(seed: number): Dice {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (n: number): number => Math.floor(next() * n);
  return { below, oneOf: (things) => things[below(things.length)] as never, oneIn: (n) => below(n) === 0 };
}
