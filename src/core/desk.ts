import { ApprovedBefore } from "./approved-before.ts";
import { attend } from "./attendance.ts";
import { Bells, type BellsOptions } from "./bells.ts";
import type { Answer, Card, Failure, Front, Proof, Standing, Upstream } from "./card.ts";
import { Span } from "./clock.ts";
import { asVaultError, VaultError } from "./errors.ts";
import type { Event } from "./event.ts";
import type { Grants } from "./grants.ts";
import type { Offer } from "./policy.ts";
import type { Wait, Waiter } from "./ports.ts";
import { aboutRequest } from "./records.ts";
import { Refusals } from "./refusals.ts";
import type { AccessRequest, Action } from "./request.ts";
import { Slots } from "./slots.ts";
import { Ticket } from "./ticket.ts";
import { Tickets } from "./tickets.ts";

export interface DeskOptions extends BellsOptions {
  readonly grants: Grants;
  readonly expireMs: number;
  readonly pickupMs: number;
  readonly denyCooldownMs: number;
  readonly maxWaiting: number;
}

type Settled = Exclude<Standing, { is: "waiting" }>;
type Line = Partial<Event> & Pick<Event, "kind">;

/** How an attended request ended for one call. */
export type Attended =
  | { readonly is: "settled"; readonly standing: Settled }
  /** The client cannot be kept any longer; the request stays open. */
  | { readonly is: "pending"; readonly wait: Wait }
  /** The call was cancelled; the request stays open unless the user stopped the agent. */
  | { readonly is: "detached" };

/** Where requests wait for a person. Each request has one outcome, and nothing after it changes that. */
export class Desk implements Front {
  readonly #o: DeskOptions;
  readonly #tickets = new Tickets();
  readonly #refusals: Refusals;
  readonly #slots: Slots;
  readonly #bells: Bells;
  readonly #approved = new ApprovedBefore();
  #closed = false;

  constructor(options: DeskOptions) {
    this.#o = options;
    this.#refusals = new Refusals(options.clock, options.denyCooldownMs);
    this.#slots = new Slots(options.maxWaiting);
    this.#bells = new Bells(options);
  }

  /** Throws `denied` when a person has just denied any of these, by what they were asked by (`askedBy`) or by ref. */
  refuseDenied(session: string, vault: string, action: Action, things: readonly string[]): void {
    this.#refusals.refuse(session, vault, action, things);
  }

  /** Throws `too_many_waiting` when the session has as many requests before people as it may, those on their way included. */
  refuseFull(session: string, coming = 0): void {
    this.#slots.refuseFull(session, coming);
  }

  /** The open ticket for the same request, if there is one. */
  find(key: string): Ticket | undefined {
    const ticket = this.#tickets.waitingFor(key);
    if (ticket) this.#expireIfOver(ticket);
    return ticket?.isOpen ? ticket : undefined;
  }

  /** Puts a request before a person, or joins the same request that already waits. Throws `too_many_waiting`. */
  ask(request: AccessRequest, offer: Offer): Ticket {
    const same = this.find(request.key);
    if (same) return same;
    if (this.#closed) throw new VaultError("cancelled", "agent-vault is closing");
    this.refuseFull(request.session);
    const { clock, expireMs, grants } = this.#o;
    const ticket = new Ticket(request, offer, new Span(clock, expireMs), {
      openUntil: (item) => grants.openUntil(request, item),
      approvedBefore: this.#approved.times(request),
    });
    this.#tickets.add(ticket, ({ approval }) => grants.isOpen(approval));
    this.#slots.take(request.session, ticket.span);
    ticket.stop = clock.after(expireMs, () => this.#expire(ticket));
    void this.#present(ticket).catch((error: unknown) => ticket.fail(error));
    return ticket;
  }

  /** Keeps one call waiting at a ticket until it is settled, the client cannot wait any longer, or the call is cancelled. */
  async attend(ticket: Ticket, waiter: Waiter): Promise<Attended> {
    if (waiter.signal.aborted) return { is: "detached" };
    ticket.attach(waiter);
    try {
      const attended = await attend<Attended>(this.#o.clock, waiter, {
        listen: (resolve, reject) => {
          ticket.settled.then((standing) => resolve({ is: "settled", standing }), reject);
        },
        isOpen: () => ticket.isOpen,
        holdMs: waiter.holdMs,
        pending: () => {
          // A yes in the same moment is for the next call.
          ticket.detach(waiter);
          return { is: "pending", wait: ticket.wait() };
        },
        cancelled: ({ byUser }) => {
          if (byUser && ticket.attached === 0) this.#withdraw(ticket);
          return { is: "detached" };
        },
      });
      if (attended.is === "settled") waiter.answered();
      return attended;
    } finally {
      ticket.detach(waiter);
    }
  }

  card(token: string): Card | undefined {
    const ticket = this.#tickets.at(token);
    if (!ticket) return undefined;
    this.#expireIfOver(ticket);
    ticket.refresh();
    const card = ticket.card(this.#o.pickupMs);
    // A use that is given back opens "just once" again, so the grants are asked, each time.
    if (card.standing.is !== "approved" || card.standing.ended || this.#o.grants.isOpen(ticket.approval)) return card;
    return { ...card, standing: { ...card.standing, ended: "over" } };
  }

  async answer(token: string, answer: Answer, by: { proof: Proof }): Promise<boolean> {
    const ticket = this.#tickets.at(token);
    if (!ticket) return false;
    this.#expireIfOver(ticket);
    if (!ticket.isOpen) return false;
    if (answer.verdict === "approve") {
      // A yes to what the page no longer shows is no yes: the person sees the card again as it is now.
      ticket.refresh();
      if (ticket.deciding || answer.revision !== ticket.revision) return false;
      return this.#approve(ticket, answer.choice, by.proof);
    }
    // A no needs no log to count, and no yes that is just being written stands against it.
    const at = this.#o.clock.now();
    if (answer.verdict === "deny") {
      this.#refusals.add(ticket.request);
      this.#end(ticket, { is: "denied", at }, { kind: "denied", ...by });
    } else {
      const { note } = answer;
      this.#end(ticket, { is: "returned", at, note }, { kind: "returned", ...by, detail: note });
    }
    return true;
  }

  revoke(token: string): boolean {
    const ticket = this.#tickets.at(token);
    if (!ticket || !this.#o.grants.revoke(ticket.approval)) return false;
    this.#note(ticket, { kind: "revoked", approval: ticket.approval });
    for (const id of ticket.approval.split(",")) this.#windowEnded(id, "revoked");
    return true;
  }

  changed(token: string, version: number, signal: AbortSignal): Promise<void> {
    return this.#tickets.at(token)?.changed(version, signal) ?? Promise.resolve();
  }

  /** A window ended by itself: its page says so, and cards that counted on it are asked anew. */
  windowOver(approval: string): void {
    this.#windowEnded(approval, "over");
  }

  /** Who an approved request waits for in the vault, or (undefined) no longer does: the pages it rests on say so. */
  upstream({ request, approval }: { request: string; approval: string }, upstream: Upstream | undefined): void {
    for (const id of approval.split(","))
      for (const ticket of this.#tickets.restingOn(id)) ticket.waitsFor(request, upstream);
  }

  /** Why nothing came of what a person approved, or (undefined) that something did after all: its page says so. */
  came(approval: string, failure: Failure | undefined): void {
    this.#tickets
      .restingOn(approval)
      .find(({ request }) => request.id === approval)
      ?.cameTo(failure);
  }

  /** Ends everything that waits, as cancelled: the session is over. */
  close(detail: string): void {
    this.#closed = true;
    const at = this.#o.clock.now();
    for (const ticket of this.#tickets.waiting())
      this.#end(ticket, { is: "cancelled", at }, { kind: "cancelled", detail });
  }

  /** Whether a person may still want a page: a request waits, or something is open that could be revoked. */
  isNeeded(): boolean {
    return this.#tickets.waiting().length > 0 || this.#o.grants.anyOpen;
  }

  async #present(ticket: Ticket): Promise<void> {
    const { journal, door, clock } = this.#o;
    let recorded = false;
    try {
      await journal.record([{ ...aboutRequest(ticket.request), kind: "requested", at: clock.now() }]);
      recorded = true;
      await door.open();
    } catch (error) {
      this.#tickets.forget(ticket);
      this.#slots.free(ticket.request.session, ticket.span);
      if (recorded && ticket.isOpen) this.#note(ticket, { kind: "cancelled", detail: asVaultError(error).message });
      throw error;
    }
    void this.#bells.ring(ticket);
  }

  async #approve(ticket: Ticket, choice: "window" | "once", proof: Proof): Promise<boolean> {
    const { clock, journal, grants } = this.#o;
    const { request, offer, asked } = ticket;
    const windowed = choice === "window" && offer.windowMs > 0 && request.action === "read";
    const span = new Span(clock, windowed ? offer.windowMs : 0);
    const at = clock.now();
    const until = windowed ? { until: span.endsAt } : {};
    const scope = windowed ? offer.scope : "secret";
    const approved = { kind: "approved", at, approval: request.id, proof, scope, ...until } as const;
    ticket.deciding = true;
    try {
      // The yes is in the log before it opens anything; if it cannot be, it was no yes.
      await journal.record([{ ...aboutRequest(request), ...approved }]);
    } catch (error) {
      ticket.deciding = false;
      // It waits again, and a window may have come to cover it meanwhile.
      this.#settleCovered();
      throw error;
    }
    ticket.deciding = false;
    if (!ticket.isOpen) {
      // Denied, sent back or cancelled while the yes was being written: the log says that it came to nothing.
      this.#note(ticket, {
        kind: "revoked",
        approval: request.id,
        detail: "answered otherwise before it was in force",
      });
      return false;
    }
    grants.open(request.id, request, {
      attached: ticket.attached,
      ...(windowed && { window: { scope: offer.scope, span, asked } }),
    });
    this.#approved.add(request);
    this.#end(ticket, { is: "approved", at, ...until });
    if (windowed) this.#settleCovered();
    return true;
  }

  /** An open window answers every request that it covers completely: nobody is asked for what is open. */
  #settleCovered(): void {
    const at = this.#o.clock.now();
    for (const ticket of this.#tickets.waiting()) {
      if (ticket.deciding) continue;
      const cover = this.#o.grants.coverOf(ticket.request);
      if (!cover) {
        ticket.refresh();
        continue;
      }
      ticket.approval = cover.approval;
      this.#end(ticket, { is: "approved", at, until: cover.until }, { kind: "covered", ...cover });
    }
  }

  #windowEnded(approval: string, ended: "revoked" | "over"): void {
    for (const ticket of this.#tickets.restingOn(approval)) ticket.endWindow(ended);
    for (const ticket of this.#tickets.waiting()) ticket.refresh();
  }

  #expireIfOver(ticket: Ticket): void {
    if (!ticket.isOpen || ticket.deciding || ticket.span.over() === undefined) return;
    this.#end(ticket, { is: "expired", at: this.#o.clock.now() }, { kind: "expired" });
  }

  #expire(ticket: Ticket): void {
    this.#expireIfOver(ticket);
    if (!ticket.isOpen) return;
    // An approval is just being written, or the wall clock and the timer disagree: look again in a moment.
    ticket.stop = this.#o.clock.after(Math.max(250, ticket.span.leftMs()), () => this.#expire(ticket));
  }

  #withdraw(ticket: Ticket): void {
    if (!ticket.isOpen || ticket.deciding) return;
    this.#end(ticket, { is: "withdrawn", at: this.#o.clock.now() }, { kind: "withdrawn" }, { byAgent: true });
  }

  #end(ticket: Ticket, standing: Settled, line?: Line, { byAgent }: { byAgent: boolean } = { byAgent: false }): void {
    this.#tickets.end(ticket);
    // Withdrawing frees no slot, or an agent could ring without end.
    if (!byAgent) this.#slots.free(ticket.request.session, ticket.span);
    if (line) this.#note(ticket, { ...line, at: standing.at });
    ticket.settle(standing);
  }

  #note(ticket: Ticket, line: Line): void {
    this.#o.journal.note({ ...aboutRequest(ticket.request), at: this.#o.clock.now(), ...line });
  }
}
