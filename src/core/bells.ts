import type { Clock } from "./clock.ts";
import type { Channel, Door, Journal, Link, Notice } from "./ports.ts";
import { aboutRequest } from "./records.ts";
import { secretsIn } from "./request.ts";
import type { Ticket } from "./ticket.ts";

const RING_DEADLINE_MS = 30_000;
/** How often it is looked whether the request of another session, which a person was told of, still stands for one. */
const LOOK_MS = 2_000;

export interface BellsOptions {
  readonly clock: Clock;
  readonly journal: Journal;
  readonly door: Door;
  readonly channels: readonly Channel[];
  /** Told of each request when its links are known: a line for whoever reads the terminal. No way to a person to rely on. */
  readonly announce?: (notice: Notice) => void;
}

/** Tells people that a request waits: on this machine at once, elsewhere when the tunnel is up or has failed. */
export class Bells {
  readonly #o: BellsOptions;
  /** Those for which another session's request rang. */
  readonly #silent = new Set<Ticket>();
  #isWatching = false;

  constructor(options: BellsOptions) {
    this.#o = options;
  }

  /** Never rejects: what does not work is told to the waiting calls and written to the log. */
  async ring(ticket: Ticket): Promise<void> {
    const { door } = this.#o;
    // One card is one message to a person, however many sessions ask for it.
    const isShared = door.isShared?.(ticket.token) === true;
    const channels = isShared ? [] : this.#o.channels;
    // Answered, or the session closed, before the page was there: nobody is left to tell.
    if (!ticket.isOpen) return;
    if (isShared) this.#watch(ticket);
    else this.#silent.delete(ticket);
    ticket.learn({ link: door.link(ticket.token), bells: isShared ? 1 : channels.length });
    if (isShared) ticket.learn({ rang: "the same request of another session" });
    for (const channel of channels) if (channel.local) void this.#ringOne(ticket, channel);
    await door.settled();
    if (!ticket.isOpen) return;
    const link = door.link(ticket.token);
    ticket.learn({ link, linkIsFinal: true, ...(link.trouble !== undefined && { trouble: link.trouble }) });
    this.#o.announce?.(noticeOf(ticket, link));
    for (const channel of channels) if (!channel.local) void this.#ringOne(ticket, channel);
  }

  #watch(ticket: Ticket): void {
    this.#silent.add(ticket);
    if (this.#isWatching) return;
    this.#isWatching = true;
    this.#lookLater();
  }

  #lookLater(): void {
    this.#o.clock.after(LOOK_MS, () => void this.#look());
  }

  /** The request that rang may go away unanswered: then whoever was silent for it rings. Never rejects. */
  async #look(): Promise<void> {
    const { door } = this.#o;
    for (const ticket of this.#silent) if (!ticket.isOpen) this.#silent.delete(ticket);
    this.#isWatching = this.#silent.size > 0;
    if (!this.#isWatching) return;
    // What is shared is told anew with the page; without one there is no link to ring with.
    const isThere = await door.open().then(
      () => true,
      () => false,
    );
    for (const ticket of isThere ? this.#silent : [])
      if (door.isShared?.(ticket.token) !== true) void this.ring(ticket);
    this.#lookLater();
  }

  async #ringOne(ticket: Ticket, channel: Channel): Promise<void> {
    if (!ticket.isOpen) return;
    const { clock, door, journal } = this.#o;
    // What is shown here may wait its turn for as long as the request does; what goes over a network may not hang.
    const late = channel.local ? undefined : new AbortController();
    const stop = late ? clock.after(RING_DEADLINE_MS, () => late.abort()) : undefined;
    const signal = late ? AbortSignal.any([ticket.over, late.signal]) : ticket.over;
    try {
      await channel.ring(noticeOf(ticket, door.link(ticket.token)), signal);
      if (ticket.isOpen) ticket.learn({ rang: channel.name });
    } catch (error) {
      const detail = error instanceof Error ? error.message : `${channel.name} failed`;
      ticket.learn({ trouble: `${channel.name}: ${detail}`, silent: true });
      journal.note({
        ...aboutRequest(ticket.request),
        kind: "channel_failed",
        at: clock.now(),
        code: channel.name,
        detail,
      });
    } finally {
      stop?.();
    }
  }
}

function noticeOf({ request, asked, span }: Ticket, link: Link): Notice {
  return { vault: request.vault, action: request.action, count: secretsIn(asked), link, expiresAt: span.endsAt };
}
