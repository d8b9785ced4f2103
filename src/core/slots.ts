import type { Span } from "./clock.ts";
import { VaultError } from "./errors.ts";

/**
 * How many requests of a session may be before people at once. A slot is free again when a person has answered or the
 * time to answer is over; what an agent can do itself, like withdrawing, does not free it, or it could ring without end.
 */
export class Slots {
  readonly #max: number;
  readonly #taken = new Map<string, Set<Span>>();

  constructor(max: number) {
    this.#max = max;
  }

  /** Throws `too_many_waiting` when the session has no slot left, or none but for those that are about to take one. */
  refuseFull(session: string, coming = 0): void {
    const taken = this.#taken.get(session);
    const max = this.#max - coming;
    if ((taken?.size ?? 0) < max) return;
    // Only now is it worth looking at each: most slots are freed by an answer.
    for (const span of taken ?? []) if (span.over() !== undefined) taken?.delete(span);
    const size = taken?.size ?? 0;
    if (size < max) return;
    throw new VaultError("too_many_waiting", `${size + coming} requests of this session are before a person already`, {
      hint: "wait for the answers; use get_secrets or set_secrets to ask for several at once",
    });
  }

  take(session: string, span: Span): void {
    const taken = this.#taken.get(session) ?? new Set();
    taken.add(span);
    this.#taken.set(session, taken);
  }

  free(session: string, span: Span): void {
    this.#taken.get(session)?.delete(span);
  }

  /** The session is over. How many slots it still held. */
  forget(session: string): number {
    const taken = [...(this.#taken.get(session) ?? [])];
    this.#taken.delete(session);
    return taken.filter((span) => span.over() === undefined).length;
  }
}
