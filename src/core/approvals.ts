import type { ApprovedBefore } from "./approved-before.ts";
import { approvalLine, proofLine, Proofs, type Proven } from "./approving.ts";
import type { Approval } from "./card.ts";
import { chosenOf } from "./choice.ts";
import { type Clock, Span } from "./clock.ts";
import { asVaultError } from "./errors.ts";
import type { Grants } from "./grants.ts";
import type { Journal } from "./ports.ts";
import type { Approvers, Decision, Proof } from "./proof.ts";
import { aboutRequest } from "./records.ts";
import type { Refusals } from "./refusals.ts";
import type { Item } from "./request.ts";
import { type Chosen, hashOf, type Statement } from "./statement.ts";
import type { Tally } from "./tally.ts";
import type { Approved, Ticket } from "./ticket.ts";
import { leftOutError, NOTHING, type TurnedDown } from "./turned-down.ts";

export interface ApprovalsOptions {
  readonly clock: Clock;
  readonly journal: Journal;
  readonly tally: Tally;
  readonly grants: Grants;
  readonly approvers: Approvers;
  readonly refusals: Refusals;
  readonly approved: ApprovedBefore;
  /** Ends a request as approved. */
  readonly ended: (ticket: Ticket, standing: Approved) => void;
  /** What is open has changed, or a request waits again: others may be covered now, or no longer. */
  readonly settleCovered: () => void;
}

/** A yes that is in the log. */
interface Written {
  readonly proven: Proven;
  readonly at: number;
  readonly span: Span;
}

/** What a yes takes: what exactly it permits, its proof, its line in the log, and then the permission it opens. */
export class Approvals {
  readonly #o: ApprovalsOptions;
  readonly #proofs: Proofs;

  constructor(options: ApprovalsOptions) {
    this.#o = options;
    this.#proofs = new Proofs(options);
  }

  /** What a passkey has to sign for this yes; undefined when it cannot be given so (any more). */
  decision(ticket: Ticket, approval: Approval): Decision | undefined {
    const statement = this.statement(ticket, approval);
    return statement && { v: 1, decision: "approve", at: this.#o.clock.now(), hashes: [hashOf(statement)] };
  }

  /** All that such a yes permits; undefined when it cannot be given so (any more). */
  statement(ticket: Ticket, approval: Approval): Statement | undefined {
    const chosen = this.#chosen(ticket, approval);
    return chosen && ticket.statement(chosen);
  }

  /** False when it comes to nothing: it is for what the card no longer shows, or something else ended the request first. */
  async approve(ticket: Ticket, approval: Approval, proof: Proof): Promise<boolean> {
    const chosen = this.#chosen(ticket, approval);
    if (!chosen) return false;
    const proven = await this.#prove(ticket, chosen, proof);
    // Anybody with the link can have proofs looked at without end, so nothing is held back for it: denied, withdrawn, run
    // out, changed or decided meanwhile, there is nothing to write down.
    if (!ticket.isOpen || ticket.span.over() !== undefined || !this.#chosen(ticket, approval)) return false;
    const { asked } = ticket;
    ticket.deciding = true;
    let written: Written | undefined;
    try {
      written = await this.#write(ticket, chosen, proven);
    } finally {
      ticket.deciding = false;
      // Where it waits again, a window may have come to cover it meanwhile.
      if (!written) this.#o.settleCovered();
    }
    const why = hindrance(ticket);
    if (why !== undefined) {
      const { journal, clock } = this.#o;
      const about = { ...aboutRequest(ticket.request), approval: ticket.request.id, at: clock.now() };
      journal.note({ ...about, kind: "revoked", detail: `${why} before it was in force` });
      return false;
    }
    this.#open(
      ticket,
      chosen,
      written,
      asked.filter((item) => !chosen.items.includes(item)),
    );
    return true;
  }

  /** A yes to what the page no longer shows is no yes: the person sees the card again as it is now. */
  #chosen(ticket: Ticket, approval: Approval): Chosen | undefined {
    ticket.refresh();
    if (ticket.deciding || approval.revision !== ticket.revision) return undefined;
    return chosenOf(ticket, approval);
  }

  /** A proof that does not hold is in the log: somebody answers who may not. */
  async #prove(ticket: Ticket, chosen: Chosen, proof: Proof): Promise<Proven> {
    const { clock, tally } = this.#o;
    try {
      return await this.#proofs.check(ticket, ticket.statement(chosen), proof);
    } catch (error) {
      const { code, message } = asVaultError(error);
      tally.note({ ...aboutRequest(ticket.request), kind: "refused", at: clock.now(), code, detail: message });
      throw error;
    }
  }

  /** The yes is in the log before it opens anything; if it cannot be, it was no yes. */
  async #write({ request }: Ticket, chosen: Chosen, proven: Proven): Promise<Written> {
    const { clock, journal } = this.#o;
    const at = clock.now();
    const span = new Span(clock, chosen.windowMs);
    await journal.record([{ ...aboutRequest(request), ...approvalLine(request, chosen, proven, at, span) }]);
    return { proven, at, span };
  }

  #open(ticket: Ticket, { items, scope, windowMs }: Chosen, written: Written, out: readonly Item[]): void {
    const { request } = ticket;
    const { refusals, approved, grants, ended, settleCovered } = this.#o;
    const { proven, at, span } = written;
    const { statement, proof, approver } = proven;
    const hasWindow = windowMs > 0;
    const by = approver && { by: approver.name };
    refusals.approved(request, items);
    grants.open(request.id, request, {
      attached: ticket.attached,
      leftOut: this.#leaveOut(ticket, out, proven),
      warrant: { statement, proof, at, ...by },
      ...(hasWindow && { window: { scope, span, asked: items } }),
    });
    approved.add(request);
    ended(ticket, {
      is: "approved",
      at,
      ...by,
      ...(out.length > 0 && { leftOut: out.map((item) => request.items.indexOf(item)) }),
      ...(hasWindow && { until: span.endsAt }),
    });
    if (hasWindow) settleCovered();
  }

  /** What the person unticked is denied like what is denied by itself. */
  #leaveOut(ticket: Ticket, items: readonly Item[], proven: Proven): TurnedDown {
    if (items.length === 0) return NOTHING;
    const { refusals, journal, clock } = this.#o;
    const out = { ...ticket.request, items };
    refusals.leaveOut(out);
    journal.note({ ...aboutRequest(out), kind: "denied", at: clock.now(), ...proofLine(proven) });
    return new Map(items.map(({ handle }) => [handle.ref, leftOutError()]));
  }
}

/** What came between a yes and its being in force; undefined: nothing. */
function hindrance(ticket: Ticket): string | undefined {
  if (!ticket.isOpen) return "answered otherwise";
  // Law 7: a clock that steps back ends what waits. Time that merely ran out meanwhile does not: it was given in time.
  return ticket.span.over() === "clock" ? "the clock stepped back" : undefined;
}
