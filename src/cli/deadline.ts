/**
 * Runs with a signal that aborts after so many ms. Until it has ended it keeps the process: the timers of vaults and
 * tunnels do not, and a process with nothing else to do ends without a word.
 */
export async function withDeadline<T>(ms: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const ending = new AbortController();
  const timer = setTimeout(() => ending.abort(), ms);
  try {
    return await work(ending.signal);
  } finally {
    clearTimeout(timer);
  }
}
