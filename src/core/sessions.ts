import { VaultError } from "./errors.ts";

/**
 * The calls of each session that are under way. One that ends while some are has these ask nobody any more; nothing else
 * is remembered of it, since it can begin no others.
 */
export class Sessions {
  readonly #calls = new Map<string, number>();
  readonly #over = new Set<string>();

  /** Counts a call while it lasts. */
  async during<T>(session: string, work: () => Promise<T>): Promise<T> {
    this.#calls.set(session, (this.#calls.get(session) ?? 0) + 1);
    try {
      return await work();
    } finally {
      const left = (this.#calls.get(session) ?? 1) - 1;
      if (left > 0) this.#calls.set(session, left);
      else {
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
