import type { Clock } from "./clock.ts";
import type { Wait, Waiter } from "./ports.ts";
import type { AccessRequest, Item } from "./request.ts";
import { visible } from "./text.ts";

/** What a call waits for, and what is to happen when it stops waiting earlier. */
export interface Occasion<T> {
  /** Has the outcome told to the call. */
  readonly listen: (resolve: (outcome: T) => void, reject: (error: unknown) => void) => void;
  /** False from the very moment the outcome is decided, which may be a little before it is told. */
  readonly isOpen: () => boolean;
  /** For how long the call is kept at most, ms; undefined: until the outcome. */
  readonly holdMs: number | undefined;
  /** The client can be kept no longer. Called at that moment: from then on the call waits no more. */
  readonly pending: () => T;
  /** The call was cancelled, perhaps by an unmistakable stop of the user. Called at that moment. */
  readonly cancelled: (how: { readonly byUser: boolean }) => T;
}

/** Keeps one call waiting until the outcome is there, the client cannot wait any longer, or the call is cancelled. */
export async function attend<T>(clock: Clock, waiter: Waiter, occasion: Occasion<T>): Promise<T> {
  const { listen, isOpen, holdMs, pending, cancelled } = occasion;
  const { signal } = waiter;
  let over = (): void => {};
  try {
    return await new Promise<T>((resolve, reject) => {
      const hold = (): void => {
        if (isOpen()) resolve(pending());
      };
      // Answered in the same moment: the delivery notices, and gives its use back.
      const abort = (): void => {
        if (isOpen()) resolve(cancelled({ byUser: waiter.isStop(signal.reason) }));
      };
      const stopHold = holdMs === undefined ? over : clock.after(holdMs, hold);
      signal.addEventListener("abort", abort, { once: true });
      over = () => {
        stopHold();
        signal.removeEventListener("abort", abort);
      };
      listen(resolve, reject);
    });
  } finally {
    over();
  }
}

/** The part that every word to a waiting call shares. */
export function waitFor(
  request: AccessRequest,
  items: readonly Item[],
): Pick<Wait, "request" | "vault" | "action" | "names"> {
  const { id, vault, action } = request;
  return { request: id, vault, action, names: items.map((item) => visible(item.handle.name)) };
}
