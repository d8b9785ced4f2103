import { VaultError } from "../core/errors.ts";

/** What a call comes to that nobody waits for any more. `who` is asked: "1Password". */
export function cancelled(who: string): VaultError {
  return new VaultError("cancelled", `the call to ${who} was cancelled`);
}

/** Throws `cancelled` for a call that has gone already. */
export function refuseAborted(signal: AbortSignal, who: string): void {
  if (signal.aborted) throw cancelled(who);
}

/** The same promise for one who may leave before it is settled: `cancelled` then. The work goes on, and fails silently. */
export function untilAborted<T>(work: Promise<T>, signal: AbortSignal, who: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = (): void => reject(cancelled(who));
    if (signal.aborted) leave();
    signal.addEventListener("abort", leave, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", leave));
  });
}
