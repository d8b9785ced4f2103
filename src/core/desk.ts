import { ApprovedBefore } from "./approved-before.ts";
import { attend } from "./attendance.ts";
import { Bells, type BellsOptions } from "./bells.ts";
import { approvalLine, checkProof, type Proven } from "./approving.ts";
import type { Answer, Approval, Card, Failure, Standing, Upstream } from "./card.ts";
import { Changes } from "./changes.ts";
import { chosenOf } from "./choice.ts";
import { Span } from "./clock.ts";
import { asVaultError, VaultError } from "./errors.ts";
import type { Event } from "./event.ts";
import type { Grants } from "./grants.ts";
import type { Overview } from "./overview.ts";
import type { Offer } from "./policy.ts";
import type { Wait, Waiter } from "./ports.ts";
import type { Approvers, Decision, Proof } from "./proof.ts";
import { aboutRequest } from "./records.ts";
import { Refusals } from "./refusals.ts";
import type { AccessRequest, Action, Item } from "./request.ts";
import { Slots } from "./slots.ts";
import { type Chosen, hashOf } from "./statement.ts";
import { Ticket } from "./ticket.ts";
import { Tickets } from "./tickets.ts";
import { leftOutError, NOTHING, type TurnedDown } from "./turned-down.ts";
import { Turns } from "./turns.ts";
import { overviewOf } from "./overview-of.ts";

export interface DeskOptions extends BellsOptions {
  readonly grants: Grants;
  readonly expireMs: number;
  readonly pickupMs: number;
  readonly denyCooldownMs: number;
  readonly maxWaiting: number;
  /** How many requests of one session are before a person at a time. */
  readonly maxCards: number;
  readonly approvers: Approvers;
  /** Digest of the configuration. */
  readonly configuration: string;
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
export class Desk {
  readonly #o: DeskOptions;
  readonly #tickets = new Tickets();
  readonly #refusals: Refusals;
  readonly #slots: Slots;
  readonly #bells: Bells;
  readonly #approved = new ApprovedBefore();
  readonly #turns: Turns;
  readonly #changes = new Changes();
  #closed = false;

  constructor(options: DeskOptions) {
    this.#o = options;
    this.#refusals = new Refusals(options.clock, options.denyCooldownMs);
    this.#slots = new Slots(options.maxWaiting);
    this.#bells = new Bells(options);
    this.#turns = new Turns(options.maxCards);
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
    const { clock, expireMs, grants, configuration } = this.#o;
    const ticket = new Ticket(request, offer, new Span(clock, expireMs), {
      openUntil: (item) => grants.openUntil(request, item),
      approvedBefore: this.#approved.times(request),
      configuration,
      since: clock.now(),
      behind: (ticket) => this.#turns.behind(ticket),
      onChange: () => this.#changes.bump(),
    });
    this.#tickets.add(ticket, ({ approval }) => grants.isOpen(approval));
    this.#slots.take(request.session, ticket.span);
    ticket.stop = clock.after(expireMs, () => this.#expire(ticket));
    void this.#present(ticket, this.#turns.join(ticket)).catch((error: unknown) => ticket.fail(error));
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

  /** What a passkey has to sign for this yes; undefined when it cannot be given so (any more). */
  decision(token: string, approval: Approval): Decision | undefined {
    const ticket = this.#answerable(token);
    ticket?.refresh();
    if (!ticket || ticket.deciding || approval.revision !== ticket.revision) return undefined;
    const chosen = chosenOf(ticket, approval);
    if (!chosen) return undefined;
    const hashes = [hashOf(ticket.statement(chosen))];
    return { v: 1, decision: "approve", at: this.#o.clock.now(), hashes };
  }

  async answer(token: string, answer: Answer, { proof }: { readonly proof: Proof }): Promise<boolean> {
    const ticket = this.#answerable(token);
    if (!ticket) return false;
    if (answer.verdict === "approve") {
      // A yes to what the page no longer shows is no yes: the person sees the card again as it is now.
      ticket.refresh();
      if (ticket.deciding || answer.revision !== ticket.revision) return false;
      const chosen = chosenOf(ticket, answer);
      return chosen !== undefined && this.#approve(ticket, chosen, proof);
    }
    // A no needs no log and no proof to count, and no yes that is just being written stands against it.
    const at = this.#o.clock.now();
    if (answer.verdict === "deny") {
      this.#refusals.add(ticket.request);
      this.#end(ticket, { is: "denied", at }, { kind: "denied", proof: "link" });
    } else {
      const { note } = answer;
      this.#end(ticket, { is: "returned", at, note }, { kind: "returned", proof: "link", detail: note });
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

  /** Ends what one approval opened, by its id. False when there is nothing open. */
  revokeApproval(approval: string): boolean {
    const ticket = this.#tickets.restingOn(approval).find(({ request }) => request.id === approval);
    return ticket !== undefined && this.revoke(ticket.token);
  }

  overview(): Overview {
    return overviewOf(this.#tickets.waiting(), this.#o.grants, this.#changes.version);
  }

  overviewChanged(version: number, signal: AbortSignal): Promise<void> {
    return this.#changes.after(version, signal);
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

  /** Ends what waits of one session, as cancelled; how many requests that were. */
  endSession(session: string, detail: string): number {
    const at = this.#o.clock.now();
    // The last first, so that none comes to its turn on the way.
    const theirs = this.#tickets.waiting().filter(({ request }) => request.session === session);
    for (const ticket of theirs.toReversed()) this.#end(ticket, { is: "cancelled", at }, { kind: "cancelled", detail });
    this.#slots.forget(session);
    return theirs.length;
  }

  /** Whether a person may still want a page: a request waits, or something is open that could be revoked. */
  isNeeded(): boolean {
    return this.#tickets.waiting().length > 0 || this.#o.grants.anyOpen;
  }

  #answerable(token: string): Ticket | undefined {
    const ticket = this.#tickets.at(token);
    if (ticket) this.#expireIfOver(ticket);
    return ticket?.isOpen ? ticket : undefined;
  }

  async #present(ticket: Ticket, isTurn: boolean): Promise<void> {
    const { journal, clock } = this.#o;
    try {
      await journal.record([{ ...aboutRequest(ticket.request), kind: "requested", at: clock.now() }]);
    } catch (error) {
      this.#forget(ticket);
      throw error;
    }
    if (isTurn || this.#turns.behind(ticket) === 0) await this.#show(ticket);
  }

  /** Opens the page for it and rings. */
  async #show(ticket: Ticket): Promise<void> {
    try {
      await this.#o.door.open();
    } catch (error) {
      if (ticket.isOpen) this.#note(ticket, { kind: "cancelled", detail: asVaultError(error).message });
      this.#forget(ticket);
      throw error;
    }
    void this.#bells.ring(ticket);
  }

  #forget(ticket: Ticket): void {
    this.#tickets.forget(ticket);
    this.#slots.free(ticket.request.session, ticket.span);
    this.#next(ticket);
  }

  /** Whoever waited behind it comes to their turn. */
  #next(ticket: Ticket): void {
    const next = this.#turns.leave(ticket);
    if (!next || this.#closed) return;
    next.itsTurn();
    void this.#show(next).catch((error: unknown) => next.fail(error));
  }

  async #approve(ticket: Ticket, chosen: Chosen, proof: Proof): Promise<boolean> {
    const { clock, journal, grants } = this.#o;
    const { request, asked } = ticket;
    ticket.deciding = true;
    let proven: Proven;
    let at: number;
    let span: Span;
    try {
      const statement = ticket.statement(chosen);
      proven = await checkProof(ticket.offer, statement, proof, this.#o);
      at = clock.now();
      span = new Span(clock, chosen.windowMs);
      // The yes is in the log before it opens anything; if it cannot be, it was no yes.
      await journal.record([{ ...aboutRequest(request), ...approvalLine(request, chosen, proven, at, span) }]);
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
    const windowed = chosen.windowMs > 0;
    const { items, scope } = chosen;
    const unticked = asked.filter((item) => !items.includes(item));
    const leftOut = this.#leaveOut(ticket, unticked);
    grants.open(request.id, request, {
      attached: ticket.attached,
      leftOut,
      warrant: { statement: proven.statement, proof, at, ...(proven.approver && { by: proven.approver.name }) },
      ...(windowed && { window: { scope, span, asked: items } }),
    });
    this.#approved.add(request);
    const by = proven.approver && { by: proven.approver.name };
    this.#end(ticket, {
      is: "approved",
      at,
      ...by,
      ...(unticked.length > 0 && { leftOut: unticked.map((item) => request.items.indexOf(item)) }),
      ...(windowed && { until: span.endsAt }),
    });
    if (windowed) this.#settleCovered();
    return true;
  }

  /** What the person unticked is denied like what is denied by itself. */
  #leaveOut(ticket: Ticket, items: readonly Item[]): TurnedDown {
    if (items.length === 0) return NOTHING;
    const denied = { ...ticket.request, items };
    this.#refusals.add(denied);
    this.#o.journal.note({ ...aboutRequest(denied), kind: "denied", at: this.#o.clock.now(), proof: "link" });
    return new Map(items.map(({ handle }) => [handle.ref, leftOutError()]));
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
    this.#next(ticket);
    // Withdrawing frees no slot, or an agent could ring without end.
    if (!byAgent) this.#slots.free(ticket.request.session, ticket.span);
    if (line) this.#note(ticket, { ...line, at: standing.at });
    ticket.settle(standing);
  }

  #note(ticket: Ticket, line: Line): void {
    this.#o.journal.note({ ...aboutRequest(ticket.request), at: this.#o.clock.now(), ...line });
  }
}
