import type { Ticket } from "./ticket.ts";

/** How many ended requests keep their page. */
const REMEMBERED = 1_000;

/** Every request of this process that still has a page: those that wait, and the latest that ended. */
export class Tickets {
  readonly #byToken = new Map<string, Ticket>();
  readonly #waiting = new Map<string, Ticket>();

  add(ticket: Ticket, keep: (ended: Ticket) => boolean): void {
    this.#byToken.set(ticket.token, ticket);
    this.#waiting.set(ticket.request.key, ticket);
    for (const [token, old] of this.#byToken) {
      if (this.#byToken.size <= REMEMBERED + this.#waiting.size) return;
      if (!old.isOpen && !keep(old)) this.#byToken.delete(token);
    }
  }

  at(token: string): Ticket | undefined {
    return this.#byToken.get(token);
  }

  /** The one that waits for the same request. */
  waitingFor(key: string): Ticket | undefined {
    return this.#waiting.get(key);
  }

  /** Those that wait, in the order they were asked. A snapshot: ending one while going through them is fine. */
  waiting(): readonly Ticket[] {
    return [...this.#waiting.values()];
  }

  /** Keys of the pages of what waits no longer, oldest first. */
  get kept(): readonly string[] {
    return [...this.#byToken.values()].filter(({ isOpen }) => !isOpen).map(({ key }) => key);
  }

  /** By the id of the request. */
  byRequest(): ReadonlyMap<string, Ticket> {
    return new Map([...this.#byToken.values()].map((ticket) => [ticket.request.id, ticket]));
  }

  /** Those whose answer rests on an approval, alone or with others. */
  restingOn(approval: string): readonly Ticket[] {
    return [...this.#byToken.values()].filter((ticket) => ticket.approval.split(",").includes(approval));
  }

  /** It no longer waits; its page stays. */
  end(ticket: Ticket): void {
    ticket.stop();
    if (this.#waiting.get(ticket.request.key) === ticket) this.#waiting.delete(ticket.request.key);
  }

  /** It never reached a person. */
  forget(ticket: Ticket): void {
    this.end(ticket);
    this.#byToken.delete(ticket.token);
  }
}
