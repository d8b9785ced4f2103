import type { Span } from "./clock.ts";
import { VaultError } from "./errors.ts";

/**
 * How many requests of a session may be before people at once. A slot is free again when a person has answered or the
 * time to answer is over; withdrawing a request does not free it, or an agent could ring without end.
 */
export class Slots {
  readonly #max: number;
  readonly #taken = new Map<string, Span[]>();

  constructor(max: number) {
    this.#max = max;
  }

  /** Throws `too_many_waiting` when the session has no slot left. */
  refuseFull(session: string): void {
    const taken = this.#of(session);
    if (taken.length < this.#max) return;
    throw new VaultError("too_many_waiting", `${taken.length} requests of this session are before a person already`, {
      hint: "wait for the answers; use get_secrets or set_secrets to ask for several at once",
    });
  }

  take(session: string, span: Span): void {
    this.#of(session).push(span);
  }

  free(session: string, span: Span): void {
    const taken = this.#taken.get(session);
    const at = taken?.indexOf(span) ?? -1;
    if (taken && at >= 0) taken.splice(at, 1);
  }

  #of(session: string): Span[] {
    const taken = (this.#taken.get(session) ?? []).filter((span) => span.over() === undefined);
    this.#taken.set(session, taken);
    return taken;
  }
}
