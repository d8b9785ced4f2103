import { VaultError } from "../../core/errors.ts";

/** What a call comes to that nobody waits for any more. */
export function cancelledHere(): VaultError {
  return new VaultError("cancelled", "the call to 12Port was cancelled");
}

/** The same promise for one who may leave before it is settled; what it stands for goes on. */
export function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = (): void => reject(cancelledHere());
    if (signal.aborted) leave();
    signal.addEventListener("abort", leave, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", leave));
  });
}
