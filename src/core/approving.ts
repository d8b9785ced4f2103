import { Cooldown } from "./cooldown.ts";
import type { Clock, Span } from "./clock.ts";
import type { Event } from "./event.ts";
import { type Approver, type Approvers, challengeOf, FRESH_MS, isFresh, type Proof, proofName } from "./proof.ts";
import { type AccessRequest, labelOf } from "./request.ts";
import { type Chosen, hashOf, type Statement } from "./statement.ts";
import type { Ticket } from "./ticket.ts";
import { visible } from "./text.ts";
import { notProven } from "./vouch.ts";

/** A yes whose proof was found good. */
export interface Proven {
  readonly statement: Statement;
  readonly proof: Proof;
  /** Who signed it; absent where the link was enough. */
  readonly approver?: Approver;
}

/** Looks at the proof of each yes. One signature may be for several requests, and counts once for each. */
export class Proofs {
  readonly #approvers: Approvers;
  readonly #clock: Clock;
  /** What was decided already: by challenge and statement, since of one signature others can be made. */
  readonly #used: Cooldown<true>;

  constructor({ approvers, clock }: { readonly approvers: Approvers; readonly clock: Clock }) {
    this.#approvers = approvers;
    this.#clock = clock;
    this.#used = new Cooldown(clock, 2 * FRESH_MS);
  }

  /**
   * Whether a yes is proven as it has to be: signed a moment ago, over exactly this statement, by an approver who counts.
   * Whether the link suffices is looked at here once more. Rejects with `not_proven`, or `approvers_unavailable` when that cannot be known.
   */
  async check(ticket: Pick<Ticket, "offer" | "needsSignature">, statement: Statement, proof: Proof): Promise<Proven> {
    if (proof === "link") {
      const needed = ticket.offer.proof ?? (ticket.needsSignature ? "passkey" : undefined);
      if (needed !== undefined) throw notProven("it has to be signed by the passkey of an approver");
      return { statement, proof };
    }
    const { decision } = proof;
    const hash = hashOf(statement);
    if (!isFresh(decision, "approve", hash, this.#clock.now())) {
      throw notProven("what was signed is not this request as it stands, or was signed too long ago");
    }
    const use = JSON.stringify([challengeOf(decision), hash]);
    if (this.#used.find(use)) throw notProven("its signature was used already");
    const approver = await this.#approvers.accept(proof);
    // Two answers may have come at the same moment.
    if (this.#used.find(use)) throw notProven("its signature was used already");
    this.#used.add([use], true);
    return { statement, proof, approver };
  }
}

/** What the log says of a yes. */
export function approvalLine(
  { id }: AccessRequest,
  { items, open, scope, windowMs }: Chosen,
  proven: Proven,
  at: number,
  span: Span,
): Pick<Event, "kind" | "at"> & Partial<Event> {
  const permitted = [...items, ...open].map(({ handle }) => handle);
  return {
    kind: "approved",
    at,
    approval: id,
    ...proofLine(proven),
    names: permitted.map((handle) => visible(labelOf(handle))),
    refs: permitted.map(({ ref }) => ref),
    scope,
    ...(windowMs > 0 && { until: span.endsAt }),
  };
}

/** What the log says of how an answer was proven. */
export function proofLine({ statement, proof, approver }: Proven): Pick<Event, "proof" | "approver" | "statement"> {
  if (!approver) return { proof: proofName(proof) };
  return { proof: proofName(proof), approver: `${approver.name} (${approver.id})`, statement: hashOf(statement) };
}
