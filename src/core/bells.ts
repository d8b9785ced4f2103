import type { Clock } from "./clock.ts";
import type { Channel, Door, Journal } from "./ports.ts";
import { aboutRequest } from "./records.ts";
import type { Ticket } from "./ticket.ts";

const RING_DEADLINE_MS = 30_000;

export interface BellsOptions {
  readonly clock: Clock;
  readonly journal: Journal;
  readonly door: Door;
  readonly channels: readonly Channel[];
}

/** Tells people that a request waits: on this machine at once, elsewhere when the tunnel is up or has failed. */
export class Bells {
  readonly #o: BellsOptions;

  constructor(options: BellsOptions) {
    this.#o = options;
  }

  /** Never rejects: what does not work is told to the waiting calls and written to the log. */
  async ring(ticket: Ticket): Promise<void> {
    const { door, channels } = this.#o;
    // Answered, or the session closed, before the page was there: nobody is left to tell.
    if (!ticket.isOpen) return;
    ticket.learn({ link: door.link(ticket.token) });
    for (const channel of channels) if (channel.local) void this.#ringOne(ticket, channel);
    await door.settled();
    if (!ticket.isOpen) return;
    const link = door.link(ticket.token);
    ticket.learn({ link, linkIsFinal: true, ...(link.trouble !== undefined && { trouble: link.trouble }) });
    for (const channel of channels) if (!channel.local) void this.#ringOne(ticket, channel);
  }

  async #ringOne(ticket: Ticket, channel: Channel): Promise<void> {
    if (!ticket.isOpen) return;
    const { clock, door, journal } = this.#o;
    const { vault, action } = ticket.request;
    const late = new AbortController();
    // What is shown here may wait its turn for as long as the request does; what goes over a network may not hang.
    const patience = channel.local ? ticket.span.leftMs() : RING_DEADLINE_MS;
    const stop = clock.after(patience, () => late.abort());
    // Whoever is rung after it was answered finds nothing to answer.
    ticket.settled.then(
      () => late.abort(),
      () => late.abort(),
    );
    try {
      const link = door.link(ticket.token);
      await channel.ring(
        { vault, action, count: ticket.asked.length, link, expiresAt: ticket.span.endsAt },
        late.signal,
      );
      if (ticket.isOpen) ticket.learn({ rang: channel.name });
    } catch (error) {
      const detail = error instanceof Error ? error.message : `${channel.name} failed`;
      ticket.learn({ trouble: `${channel.name}: ${detail}` });
      journal.note({
        ...aboutRequest(ticket.request),
        kind: "channel_failed",
        at: clock.now(),
        code: channel.name,
        detail,
      });
    } finally {
      stop();
    }
  }
}
