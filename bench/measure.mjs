// Numbers from numbers.

/** The value that a share `q` of all does not exceed. */
export function quantile(values, q) {
  if (values.length === 0) throw new RangeError("nothing was measured");
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)];
}

export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return (sorted[Math.ceil(middle) - 1] + sorted[Math.floor(middle)]) / 2;
}

/** Visits all, `rounds` times, each round beginning with the next: what the machine does meanwhile hits all alike. */
export async function inTurns(rounds, all, visit) {
  for (let round = 0; round < rounds; round++)
    for (let at = 0; at < all.length; at++) await visit(all[(round + at) % all.length], round);
}

/** How long each call takes when one follows the other, ms. */
export async function timed(count, call) {
  const times = [];
  for (let i = 0; i < count; i++) {
    const from = performance.now();
    await call(i);
    times.push(performance.now() - from);
  }
  return times;
}
