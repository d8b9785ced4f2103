import { VaultError } from "./errors.ts";
import type { Action } from "./request.ts";

/** How many calls of a session for exactly the same may be under way. Those that save bring values along. */
const MOST_ALIKE = { read: 64, write: 8 };

/** One call: those with the same key are for exactly the same. */
export interface Called {
  readonly session: string;
  readonly action: Action;
  readonly key: string;
}

interface Calls {
  count: number;
  readonly alike: Map<string, number>;
}

/**
 * The calls of each session that are under way. One that ends while some are has these ask nobody any more; nothing else
 * is remembered of it, since it can begin no others.
 */
export class Sessions {
  readonly #most: number;
  readonly #calls = new Map<string, Calls>();
  readonly #over = new Set<string>();

  /** `most` is how many calls of one session may be under way in all. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Counts a call while it lasts. Throws `too_many_waiting` when the session has as many under way as it may. */
  async during<T>({ session, action, key }: Called, work: () => Promise<T>): Promise<T> {
    const calls = this.#calls.get(session) ?? { count: 0, alike: new Map<string, number>() };
    const alike = calls.alike.get(key) ?? 0;
    if (alike >= MOST_ALIKE[action]) throw tooMany(`${alike} calls of this session for the same are under way already`);
    if (calls.count >= this.#most) throw tooMany(`${calls.count} calls of this session are under way already`);
    this.#calls.set(session, calls);
    calls.count += 1;
    calls.alike.set(key, alike + 1);
    try {
      return await work();
    } finally {
      calls.count -= 1;
      const left = (calls.alike.get(key) ?? 1) - 1;
      if (left > 0) calls.alike.set(key, left);
      else calls.alike.delete(key);
      if (calls.count === 0) {
        this.#calls.delete(session);
        this.#over.delete(session);
      }
    }
  }

  end(session: string): void {
    if (this.#calls.has(session)) this.#over.add(session);
  }

  /** Throws `cancelled` when the session has ended. */
  refuseOver(session: string): void {
    if (this.#over.has(session)) throw new VaultError("cancelled", "the session has ended; nobody was asked");
  }
}

function tooMany(message: string): VaultError {
  return new VaultError("too_many_waiting", message, { hint: "wait for their answers" });
}
