import type { Answer, Card, Front, Standing } from "./card.ts";
import { Bells } from "./bells.ts";
import { type Clock, Span } from "./clock.ts";
import { VaultError } from "./errors.ts";
import type { Event } from "./event.ts";
import type { Grants } from "./grants.ts";
import type { Offer } from "./policy.ts";
import type { Channel, Door, Journal, Wait, Waiter } from "./ports.ts";
import { aboutRequest } from "./records.ts";
import { Refusals } from "./refusals.ts";
import { Slots } from "./slots.ts";
import type { AccessRequest, Action } from "./request.ts";
import { Ticket } from "./ticket.ts";

export interface DeskOptions {
  readonly clock: Clock;
  readonly journal: Journal;
  readonly grants: Grants;
  readonly door: Door;
  readonly channels: readonly Channel[];
  readonly expireMs: number;
  readonly pickupMs: number;
  readonly denyCooldownMs: number;
  readonly maxWaiting: number;
}

/** How an attended request ended for one call. */
export type Attended =
  | { readonly is: "settled"; readonly standing: Exclude<Standing, { is: "waiting" }> }
  /** The client cannot be kept any longer; the request stays open. */
  | { readonly is: "pending"; readonly wait: Wait }
  /** The call was cancelled; the request stays open unless the user stopped the agent. */
  | { readonly is: "detached" };

/** How many ended requests keep their page. */
const REMEMBERED = 1_000;

/** Where requests wait for a person. Each request has one outcome, and nothing after it changes that. */
export class Desk implements Front {
  readonly #o: DeskOptions;
  readonly #tickets = new Map<string, Ticket>();
  readonly #waiting = new Map<string, Ticket>();
  readonly #refusals: Refusals;
  readonly #approvals = new Map<string, number>();
  readonly #slots: Slots;
  readonly #bells: Bells;
  #closed = false;

  constructor(options: DeskOptions) {
    this.#o = options;
    this.#refusals = new Refusals(options.clock, options.denyCooldownMs);
    this.#slots = new Slots(options.maxWaiting);
    this.#bells = new Bells(options);
  }

  /** Throws `denied` when a person has just denied any of these, by name or by ref. */
  refuseDenied(session: string, vault: string, action: Action, things: readonly string[]): void {
    const until = this.#refusals.until(session, vault, action, things);
    if (until === undefined) return;
    const seconds = Math.ceil((until - this.#o.clock.now()) / 1000);
    throw new VaultError("denied", `a person denied this a moment ago; asking again is refused for ${seconds} s`, {
      hint: "do not ask again; ask the user what to do instead",
    });
  }

  /** The open ticket for the same request, if there is one. */
  find(key: string): Ticket | undefined {
    return this.#waiting.get(key);
  }

  /** Puts a request before a person, or joins the same request that already waits. Throws `too_many_waiting`. */
  ask(request: AccessRequest, offer: Offer): Ticket {
    const same = this.#waiting.get(request.key);
    if (same) return same;
    if (this.#closed) throw new VaultError("cancelled", "agent-vault is closing");
    this.#slots.refuseFull(request.session);
    const { clock, expireMs } = this.#o;
    const ticket = new Ticket(request, offer, new Span(clock, expireMs), {
      asked: request.items.filter((item) => this.#o.grants.openUntil(request, item) === undefined),
      openUntil: (item) => this.#o.grants.openUntil(request, item),
      approvedBefore: this.#approvals.get(itemsKey(request)) ?? 0,
    });
    this.#tickets.set(ticket.token, ticket);
    this.#waiting.set(request.key, ticket);
    ticket.stop = clock.after(expireMs, () => this.#expire(ticket));
    this.#slots.take(request.session, ticket.span);
    this.#forgetOldest();
    void this.#present(ticket).catch((error: unknown) => ticket.fail(error));
    return ticket;
  }

  /** Keeps one call waiting at a ticket until it is settled, the client cannot wait any longer, or the call is cancelled. */
  async attend(ticket: Ticket, waiter: Waiter): Promise<Attended> {
    if (waiter.signal.aborted) return { is: "detached" };
    ticket.attach(waiter);
    try {
      return await new Promise<Attended>((resolve, reject) => {
        const cancelHold =
          waiter.holdMs === undefined
            ? () => {}
            : this.#o.clock.after(waiter.holdMs, () => resolve({ is: "pending", wait: ticket.wait() }));
        const abort = (): void => {
          if (waiter.isStop(waiter.signal.reason) && ticket.attached === 1) this.#withdraw(ticket);
          resolve({ is: "detached" });
        };
        waiter.signal.addEventListener("abort", abort, { once: true });
        ticket.settled.then((standing) => resolve({ is: "settled", standing }), reject);
        ticket.settled
          .catch(() => {})
          .finally(() => {
            cancelHold();
            waiter.signal.removeEventListener("abort", abort);
          });
      });
    } finally {
      ticket.detach(waiter);
    }
  }

  card(token: string): Card | undefined {
    const ticket = this.#tickets.get(token);
    if (ticket && this.#isOver(ticket)) this.#expire(ticket);
    const card = ticket?.card(this.#o.pickupMs);
    if (card?.standing.is !== "approved" || card.standing.until !== undefined || card.standing.ended) return card;
    // "Just once" is over when it was used or nobody came; a use that is given back opens it again, so the grants are asked.
    return this.#o.grants.isOpen(ticket?.approval ?? "")
      ? card
      : { ...card, standing: { ...card.standing, ended: "over" } };
  }

  async answer(token: string, answer: Answer, by: { proof: "link" }): Promise<boolean> {
    const ticket = this.#tickets.get(token);
    if (!ticket || !ticket.isOpen || ticket.deciding) return false;
    if (this.#isOver(ticket)) {
      this.#expire(ticket);
      return false;
    }
    const { request } = ticket;
    const at = this.#o.clock.now();
    switch (answer.verdict) {
      case "approve":
        return this.#approve(ticket, answer.choice, by.proof);
      case "deny":
        this.#refusals.add(request);
        this.#end(ticket, { is: "denied", at }, { kind: "denied", proof: by.proof });
        break;
      case "again":
        this.#end(
          ticket,
          { is: "returned", at, note: answer.note },
          { kind: "returned", proof: by.proof, detail: answer.note },
        );
        break;
    }
    this.#slots.free(ticket.request.session, ticket.span);
    return true;
  }

  revoke(token: string): boolean {
    const ticket = this.#tickets.get(token);
    if (!ticket || !this.#o.grants.revoke(ticket.approval)) return false;
    const { approval } = ticket;
    this.#o.journal.note({ ...aboutRequest(ticket.request), kind: "revoked", at: this.#o.clock.now(), approval });
    this.#endWindows(approval, "revoked");
    return true;
  }

  changed(token: string, version: number, signal: AbortSignal): Promise<void> {
    return this.#tickets.get(token)?.changed(version, signal) ?? Promise.resolve();
  }

  /** A window ended by itself: its page says so. */
  windowOver(approval: string): void {
    this.#endWindows(approval, "over");
  }

  /** Ends everything that waits, as cancelled: the session is over. */
  close(detail: string): void {
    this.#closed = true;
    const at = this.#o.clock.now();
    for (const ticket of this.#waiting.values())
      this.#end(ticket, { is: "cancelled", at }, { kind: "cancelled", detail });
  }

  /** The number of requests that wait for a person. */
  get waiting(): number {
    return this.#waiting.size;
  }

  async #present(ticket: Ticket): Promise<void> {
    const { journal, door, clock } = this.#o;
    try {
      await journal.record([{ ...aboutRequest(ticket.request), kind: "requested", at: clock.now() }]);
      await door.open();
    } catch (error) {
      this.#drop(ticket);
      this.#tickets.delete(ticket.token);
      this.#slots.free(ticket.request.session, ticket.span);
      throw error;
    }
    void this.#bells.ring(ticket);
  }

  async #approve(ticket: Ticket, choice: "window" | "once", proof: "link"): Promise<boolean> {
    const { clock, journal, grants } = this.#o;
    const { request, offer } = ticket;
    const windowed = choice === "window" && offer.windowMs > 0 && request.action === "read";
    const span = new Span(clock, windowed ? offer.windowMs : 0);
    const at = clock.now();
    const until = windowed ? { until: span.endsAt } : {};
    const approved: Event = {
      ...aboutRequest(request),
      kind: "approved",
      at,
      approval: request.id,
      proof,
      scope: windowed ? offer.scope : "secret",
      ...until,
    };
    ticket.deciding = true;
    try {
      // The yes is in the log before it opens anything; if it cannot be, it was no yes.
      await journal.record([approved]);
    } finally {
      ticket.deciding = false;
    }
    // The process began to close while the log was being written.
    if (!ticket.isOpen) return false;
    const window = windowed ? { offer, span, asked: ticket.asked } : undefined;
    grants.open(request.id, request, { uses: Math.max(1, ticket.attached), ...(window && { window }) });
    const key = itemsKey(request);
    this.#approvals.set(key, (this.#approvals.get(key) ?? 0) + 1);
    this.#end(ticket, { is: "approved", at, ...until });
    this.#slots.free(ticket.request.session, ticket.span);
    if (windowed) this.#settleCovered(request.id, span.endsAt);
    return true;
  }

  /** A window that has just opened answers every other request that it covers completely: nobody is asked for what is open. */
  #settleCovered(approval: string, until: number): void {
    const at = this.#o.clock.now();
    for (const ticket of this.#waiting.values()) {
      if (ticket.deciding || ticket.request.action !== "read") continue;
      if (ticket.request.items.some((item) => this.#o.grants.openUntil(ticket.request, item) === undefined)) continue;
      ticket.approval = approval;
      this.#end(ticket, { is: "approved", at, until }, { kind: "covered", approval, until });
      this.#slots.free(ticket.request.session, ticket.span);
    }
  }

  #endWindows(approval: string, ended: "revoked" | "over"): void {
    for (const ticket of this.#tickets.values()) if (ticket.approval === approval) ticket.endWindow(ended);
  }

  #isOver(ticket: Ticket): boolean {
    return ticket.isOpen && !ticket.deciding && ticket.span.over() !== undefined;
  }

  #expire(ticket: Ticket): void {
    if (!ticket.isOpen) return;
    if (!this.#isOver(ticket)) {
      // An approval is just being written, or the wall clock and the timer disagree: look again in a moment.
      ticket.stop = this.#o.clock.after(Math.max(250, ticket.span.leftMs()), () => this.#expire(ticket));
      return;
    }
    this.#end(ticket, { is: "expired", at: this.#o.clock.now() }, { kind: "expired" });
  }

  #withdraw(ticket: Ticket): void {
    if (!ticket.isOpen || ticket.deciding) return;
    this.#end(ticket, { is: "withdrawn", at: this.#o.clock.now() }, { kind: "withdrawn" });
  }

  #end(
    ticket: Ticket,
    standing: Exclude<Standing, { is: "waiting" }>,
    event?: Partial<Event> & Pick<Event, "kind">,
  ): void {
    this.#drop(ticket);
    if (event) this.#o.journal.note({ ...aboutRequest(ticket.request), at: standing.at, ...event });
    ticket.settle(standing);
  }

  #drop(ticket: Ticket): void {
    ticket.stop();
    if (this.#waiting.get(ticket.request.key) === ticket) this.#waiting.delete(ticket.request.key);
  }

  #forgetOldest(): void {
    for (const [token, ticket] of this.#tickets) {
      if (this.#tickets.size <= REMEMBERED + this.#waiting.size) return;
      if (!ticket.isOpen && !this.#o.grants.isOpen(ticket.request.id)) this.#tickets.delete(token);
    }
  }
}

function itemsKey(request: AccessRequest): string {
  return JSON.stringify([request.vault, request.action, request.items.map((item) => item.handle.ref).toSorted()]);
}
