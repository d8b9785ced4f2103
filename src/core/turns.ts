import type { Ticket } from "./ticket.ts";

/** How many of those behind are told at once that they came forward; the others say so when they next speak. */
const NEAR = 20;

/**
 * How many requests of one session are before a person at a time: the others wait behind them for their turn, in the
 * order they were asked.
 */
export class Turns {
  readonly #most: number;
  /** By session, in the order asked: the first `most` of each are before a person. */
  readonly #lines = new Map<string, Ticket[]>();

  constructor(most: number) {
    this.#most = most;
  }

  /** Puts a request at the end of its line. */
  join(ticket: Ticket): void {
    const { session } = ticket.request;
    const line = this.#lines.get(session);
    if (line) line.push(ticket);
    else this.#lines.set(session, [ticket]);
  }

  /** How many have to be answered before it is its turn; 0: it is. */
  behind(ticket: Ticket): number {
    const at = this.#lines.get(ticket.request.session)?.indexOf(ticket) ?? -1;
    return Math.max(0, at + 1 - this.#most);
  }

  /** Those of a session that wait for their turn, in the order asked. */
  waiting(session: string): readonly Ticket[] {
    return this.#lines.get(session)?.slice(this.#most) ?? [];
  }

  /** Takes it out. The nearest of those who come forward by that, the one whose turn it is now at their head. */
  leave(ticket: Ticket): readonly Ticket[] {
    const { session } = ticket.request;
    const line = this.#lines.get(session) ?? [];
    const at = line.indexOf(ticket);
    if (at === -1) return [];
    line.splice(at, 1);
    if (line.length === 0) this.#lines.delete(session);
    const from = Math.max(at, this.#most - 1);
    return line.slice(from, from + NEAR);
  }
}
