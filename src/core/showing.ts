import { Bells, type BellsOptions } from "./bells.ts";
import { anew, asVaultError, type VaultError } from "./errors.ts";
import { aboutRequest } from "./records.ts";
import type { Ticket } from "./ticket.ts";
import { Turns } from "./turns.ts";

export interface ShowingOptions extends BellsOptions {
  /** How many requests of one session are before a person at a time. */
  readonly maxCards: number;
  /** Told of a request that cannot be put before a person at all, before its calls are. */
  readonly lost: (ticket: Ticket) => void;
}

/** How a request comes before a person: it is written down, has its turn, its page is opened, and somebody is rung. */
export class Showing {
  readonly #o: ShowingOptions;
  readonly #bells: Bells;
  readonly #turns: Turns;
  /** Those whose line in the log is durable. */
  readonly #written = new WeakSet<Ticket>();
  readonly #shown = new WeakSet<Ticket>();
  #closed = false;

  constructor(options: ShowingOptions) {
    this.#o = options;
    this.#bells = new Bells(options);
    this.#turns = new Turns(options.maxCards);
  }

  /** Never rejects: a request that cannot be put before a person fails with the reason. */
  async present(ticket: Ticket): Promise<void> {
    const { journal, clock } = this.#o;
    this.#turns.join(ticket);
    try {
      await journal.record([{ ...aboutRequest(ticket.request), kind: "requested", at: clock.now() }]);
    } catch (error) {
      this.#lose(ticket, asVaultError(error));
      return;
    }
    this.#written.add(ticket);
    await this.#show(ticket);
  }

  /** How many have to be answered before it is its turn; 0: it is. */
  behind(ticket: Ticket): number {
    return this.#turns.behind(ticket);
  }

  /** Ends, with this reason, what no person has been shown yet of a session. */
  turnAway(session: string, why: VaultError): void {
    const { journal, clock } = this.#o;
    // The last first, so that none comes to its turn on the way.
    for (const ticket of this.#turns.waiting(session).toReversed()) {
      if (ticket.deciding) continue;
      journal.note({ ...aboutRequest(ticket.request), kind: "cancelled", at: clock.now(), detail: why.message });
      this.#lose(ticket, anew(why));
    }
  }

  /** It no longer waits: whoever was behind it comes forward. */
  leave(ticket: Ticket): void {
    for (const next of this.#turns.leave(ticket)) {
      next.cameForward();
      void this.#show(next);
    }
  }

  /** The page it was shown on is somewhere else now: whoever was told of it is told again. */
  showAgain(ticket: Ticket): void {
    if (!this.#closed && this.#shown.has(ticket)) void this.#bells.ring(ticket);
  }

  /** Nobody is shown anything any more. */
  close(): void {
    this.#closed = true;
  }

  /** Opens the page for it and rings, once, when it is written down and its turn. */
  async #show(ticket: Ticket): Promise<void> {
    if (this.#closed || !ticket.isOpen || !this.#written.has(ticket) || this.#shown.has(ticket)) return;
    if (this.behind(ticket) > 0) return;
    this.#shown.add(ticket);
    try {
      await this.#o.door.open();
    } catch (error) {
      const known = asVaultError(error);
      const { journal, clock } = this.#o;
      const about = { ...aboutRequest(ticket.request), at: clock.now() };
      if (ticket.isOpen) journal.note({ ...about, kind: "cancelled", detail: known.message });
      this.#lose(ticket, known);
      return;
    }
    void this.#bells.ring(ticket);
  }

  #lose(ticket: Ticket, error: VaultError): void {
    this.#o.lost(ticket);
    this.leave(ticket);
    ticket.fail(error);
  }
}
