import type { Ticket } from "./ticket.ts";

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

  /** Puts a request at the end of its line. Whether it is its turn at once. */
  join(ticket: Ticket): boolean {
    const { session } = ticket.request;
    const line = this.#lines.get(session) ?? [];
    this.#lines.set(session, line);
    line.push(ticket);
    return line.length <= this.#most;
  }

  /** How many have to be answered before it is its turn. */
  behind(ticket: Ticket): number {
    const at = this.#lines.get(ticket.request.session)?.indexOf(ticket) ?? -1;
    return Math.max(0, at + 1 - this.#most);
  }

  /** Takes it out, and gives back the one whose turn it is now. */
  leave(ticket: Ticket): Ticket | undefined {
    const { session } = ticket.request;
    const line = this.#lines.get(session) ?? [];
    const at = line.indexOf(ticket);
    if (at === -1) return undefined;
    line.splice(at, 1);
    if (line.length === 0) this.#lines.delete(session);
    return at < this.#most ? line[this.#most - 1] : undefined;
  }
}
