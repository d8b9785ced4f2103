import { Approvals, type ApprovalsOptions } from "./approvals.ts";
import { ApprovedBefore } from "./approved-before.ts";
import { attend } from "./attendance.ts";
import type { BellsOptions } from "./bells.ts";
import type { Answer, AnswerBy, Approval, Card } from "./card.ts";
import { Changes } from "./changes.ts";
import { Span } from "./clock.ts";
import { endingOf } from "./ending.ts";
import { VaultError } from "./errors.ts";
import type { Event } from "./event.ts";
import type { Grants } from "./grants.ts";
import { Opened } from "./opened.ts";
import type { Attended } from "./outcomes.ts";
import type { Overview } from "./overview.ts";
import { overviewOf } from "./overview-of.ts";
import { needsSignature, type Offer, type Rules } from "./policy.ts";
import type { Waiter } from "./ports.ts";
import type { Decision } from "./proof.ts";
import { aboutRequest } from "./records.ts";
import { Refusals } from "./refusals.ts";
import type { AccessRequest, Action } from "./request.ts";
import { Showing } from "./showing.ts";
import { Slots } from "./slots.ts";
import type { Statement } from "./statement.ts";
import { type Settled, Ticket } from "./ticket.ts";
import { Tickets } from "./tickets.ts";

export interface DeskOptions extends BellsOptions, Pick<ApprovalsOptions, "approvers" | "tally"> {
  readonly grants: Grants;
  readonly expireMs: number;
  readonly pickupMs: number;
  readonly denyCooldownMs: number;
  readonly maxWaiting: number;
  /** How many requests of one session are before a person at a time. */
  readonly maxCards: number;
  /** Digest of the configuration. */
  readonly configuration: string;
}

type Line = Partial<Event> & Pick<Event, "kind">;

/** Where requests wait for a person. Each request has one outcome, and nothing after it changes that. */
export class Desk {
  readonly #o: DeskOptions;
  /** What answers have opened. */
  readonly opened: Opened;
  readonly #tickets = new Tickets();
  readonly #refusals: Refusals;
  readonly #slots: Slots;
  readonly #approved = new ApprovedBefore();
  readonly #showing: Showing;
  readonly #approvals: Approvals;
  readonly #changes = new Changes();
  #closed = false;

  constructor(options: DeskOptions) {
    this.#o = options;
    this.#refusals = new Refusals(options.clock, options.denyCooldownMs);
    this.#slots = new Slots(options.maxWaiting);
    this.opened = new Opened(options, this.#tickets);
    options.grants.watch(() => this.#changes.bump());
    this.#showing = new Showing({ ...options, lost: (ticket) => this.#forget(ticket) });
    this.#approvals = new Approvals({
      ...options,
      refusals: this.#refusals,
      approved: this.#approved,
      ended: (ticket, standing) => this.#end(ticket, standing),
      settleCovered: () => this.#settleCovered(),
    });
  }

  /** Throws `denied` when a person has just denied any of these, by what they were asked by (`askedBy`) or by ref. */
  refuseDenied(session: string, vault: string, action: Action, things: readonly string[]): void {
    this.#refusals.refuse(session, vault, action, things);
  }

  /**
   * Throws `too_many_waiting` when the session has as many requests before people as it may, those on their way included,
   * and `denied` while it may ask for nothing.
   */
  refuseMore(session: string, coming = 0): void {
    const paused = this.#refusals.pause(session);
    if (paused) throw paused;
    this.#slots.refuseFull(session, coming);
  }

  /** The open ticket for the same request, if there is one. */
  find(key: string): Ticket | undefined {
    return this.#open(this.#tickets.waitingFor(key));
  }

  /**
   * Puts a request before a person, or joins the same request that already waits. `rules` say, at each moment, what proof
   * a yes needs. Throws as `refuseMore` does.
   */
  ask(request: AccessRequest, offer: Offer, rules: Rules): Ticket {
    const same = this.find(request.key);
    if (same) return same;
    if (this.#closed) throw new VaultError("cancelled", "agent-vault is closing");
    this.refuseMore(request.session);
    const { clock, expireMs, grants, configuration, approvers } = this.#o;
    const ticket = new Ticket(request, offer, new Span(clock, expireMs), {
      openUntil: (item) => grants.openUntil(request, item),
      approvedBefore: this.#approved.times(request),
      configuration,
      since: clock.now(),
      behind: (ticket) => this.#showing.behind(ticket),
      needsSignature: () => needsSignature(rules, approvers),
      onChange: () => this.#changes.bump(),
    });
    this.#tickets.add(ticket, ({ approval }) => grants.isOpen(approval));
    this.#slots.take(request.session, ticket.span);
    ticket.stop = clock.after(expireMs, () => this.#expire(ticket));
    void this.#showing.present(ticket);
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

  /** The links that people were given lead nowhere any more: they are given the ones of now. */
  moved(): void {
    for (const ticket of this.#tickets.waiting()) this.#showing.showAgain(ticket);
  }

  card(token: string): Card | undefined {
    const ticket = this.#tickets.at(token);
    if (!ticket) return undefined;
    this.#expireIfOver(ticket);
    this.opened.endOutlived();
    ticket.refresh();
    return this.opened.asItIs(ticket, ticket.card(this.#o.pickupMs));
  }

  /** What a passkey has to sign for this yes; undefined when it cannot be given so (any more). */
  decision(token: string, approval: Approval): Decision | undefined {
    const ticket = this.#answerable(token);
    return ticket && this.#approvals.decision(ticket, approval);
  }

  /** All that such a yes permits. */
  statement(token: string, approval: Approval): Statement | undefined {
    const ticket = this.#answerable(token);
    return ticket && this.#approvals.statement(ticket, approval);
  }

  async answer(token: string, answer: Answer, { proof, signedIn }: AnswerBy): Promise<boolean> {
    const ticket = this.#answerable(token);
    if (!ticket) return false;
    if (answer.verdict === "approve") return this.#approvals.approve(ticket, answer, proof);
    // A no needs no log and no proof to count, and no yes that is just being written stands against it.
    ticket.refresh();
    if (answer.verdict === "deny") {
      this.#refusals.add(ticket.request);
      // Enough was denied: what nobody has seen yet of the session is not put before them one after the other.
      const paused = this.#refusals.pause(ticket.request.session);
      if (paused) this.#showing.turnAway(ticket.request.session, paused);
    }
    const at = this.#o.clock.now();
    const { standing, line, ...how } = endingOf(ticket, answer, { at, ...(signedIn && { signedIn }) });
    this.#end(ticket, standing, line, how);
    return true;
  }

  revoke(token: string): boolean {
    const ticket = this.#tickets.at(token);
    return ticket !== undefined && this.opened.revoke(ticket);
  }

  overview(): Overview {
    this.opened.endOutlived();
    return overviewOf(this.#tickets, this.#o.grants, this.#changes.version);
  }

  overviewChanged(version: number, signal: AbortSignal): Promise<void> {
    return this.#changes.after(version, signal);
  }

  changed(token: string, version: number, signal: AbortSignal): Promise<void> {
    return this.#tickets.at(token)?.changed(version, signal) ?? Promise.resolve();
  }

  /** Ends everything that waits, as cancelled: the session is over. */
  close(detail: string): void {
    this.#closed = true;
    this.#showing.close();
    const at = this.#o.clock.now();
    // The last first, so that none comes forward on the way.
    for (const ticket of this.#tickets.waiting().toReversed())
      this.#end(ticket, { is: "cancelled", at }, { kind: "cancelled", detail });
  }

  /** A session begins: what was denied to those that have ended is refused to it. */
  beginSession(session: string): void {
    this.#refusals.begin(session);
  }

  /** Ends what waits of one session, as cancelled. How many slots it held: requests put before people and not answered. */
  endSession(session: string, detail: string): number {
    const at = this.#o.clock.now();
    const held = this.#slots.forget(session);
    this.#refusals.handOn(session);
    // The last first, so that none comes to its turn on the way.
    const theirs = this.#tickets.waiting().filter(({ request }) => request.session === session);
    for (const ticket of theirs.toReversed()) this.#end(ticket, { is: "cancelled", at }, { kind: "cancelled", detail });
    return held;
  }

  /** Whether a person may still want a page: a request waits, or something is open that could be revoked. */
  isNeeded(): boolean {
    return this.#tickets.waiting().length > 0 || this.#o.grants.anyOpen;
  }

  #answerable(token: string): Ticket | undefined {
    return this.#open(this.#tickets.at(token));
  }

  #open(ticket: Ticket | undefined): Ticket | undefined {
    if (ticket) this.#expireIfOver(ticket);
    return ticket?.isOpen ? ticket : undefined;
  }

  #forget(ticket: Ticket): void {
    this.#tickets.forget(ticket);
    this.#slots.free(ticket.request.session, ticket.span);
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
    if (!ticket.isOpen) return;
    this.#end(ticket, { is: "withdrawn", at: this.#o.clock.now() }, { kind: "withdrawn" }, { keepsSlot: true });
  }

  /** What an agent itself can have ended keeps its slot, or it could ring without end. */
  #end(ticket: Ticket, standing: Settled, line?: Line, how?: { readonly keepsSlot: boolean }): void {
    this.#tickets.end(ticket);
    this.#showing.leave(ticket);
    if (!how?.keepsSlot) this.#slots.free(ticket.request.session, ticket.span);
    if (line) this.#note(ticket, { ...line, at: standing.at });
    ticket.settle(standing);
  }

  #note(ticket: Ticket, line: Line): void {
    this.#o.journal.note({ ...aboutRequest(ticket.request), at: this.#o.clock.now(), ...line });
  }
}
