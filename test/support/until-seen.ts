/**
 * Repeats what a planted bug makes go wrong only sometimes, until it is seen, at most ten times. For twins: the check
 * is that it can be seen at all.
 */
export async function untilSeen<T>(run: () => Promise<T>, seen: (result: T) => boolean): Promise<T> {
  let result = await run();
  for (let tries = 1; tries < 10 && !seen(result); tries++) result = await run();
  return result;
}
