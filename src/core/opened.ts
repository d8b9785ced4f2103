import type { Card, Failure, Upstream } from "./card.ts";
import type { Clock } from "./clock.ts";
import { anew, type VaultError } from "./errors.ts";
import type { Grants } from "./grants.ts";
import type { Journal } from "./ports.ts";
import type { Approvers } from "./proof.ts";
import { aboutRequest } from "./records.ts";
import type { Ticket } from "./ticket.ts";
import type { Tickets } from "./tickets.ts";
import { outlived } from "./vouch.ts";

export interface OpenedOptions {
  readonly clock: Clock;
  readonly journal: Journal;
  readonly grants: Grants;
  readonly approvers: Approvers;
}

/** What yeses have opened: how it ends, and what the pages of the requests that rest on it say of it. */
export class Opened {
  readonly #o: OpenedOptions;
  readonly #tickets: Tickets;

  constructor(options: OpenedOptions, tickets: Tickets) {
    this.#o = options;
    this.#tickets = tickets;
  }

  /** A card with whether what it opened still is: a use that is given back opens "just once" again. */
  asItIs({ approval }: Ticket, card: Card): Card {
    const { standing } = card;
    if (standing.is !== "approved" || standing.ended || this.#o.grants.isOpen(approval)) return card;
    return { ...card, standing: { ...standing, ended: "over" } };
  }

  /** Ends what a request rests on. False when there is nothing open. */
  revoke({ approval, request }: Ticket): boolean {
    const { grants, journal, clock } = this.#o;
    if (!grants.revoke(approval)) return false;
    journal.note({ ...aboutRequest(request), kind: "revoked", at: clock.now(), approval });
    for (const id of approval.split(",")) this.#ended(id, "revoked");
    return true;
  }

  /** The same by the id of the approval. */
  revokeApproval(approval: string): boolean {
    const ticket = this.#origin(approval);
    return ticket !== undefined && this.revoke(ticket);
  }

  /** The proof of an approval counts no longer: what it opened ends, and says so. */
  disproved(approval: string, why: VaultError): void {
    const { grants, journal, clock } = this.#o;
    if (!grants.revoke(approval, () => anew(why))) return;
    const about = this.#origin(approval)?.request;
    const line = { kind: "revoked", at: clock.now(), approval, detail: why.message } as const;
    journal.note({ ...(about && aboutRequest(about)), ...line });
    this.#ended(approval, "revoked");
  }

  /** Ends what rests on a proof that counts no longer: what is shown as open is open. */
  endOutlived(): void {
    const { grants, approvers } = this.#o;
    const { serving } = grants;
    if (serving.length === 0) return;
    let over: readonly (readonly [approval: string, why: VaultError | undefined])[];
    try {
      const enrolled = approvers.all();
      const tickets = this.#tickets.byRequest();
      // The rules are those of a vault, and asking means looking into the store.
      const needed = new Map<string, boolean>();
      over = serving.map(({ approval, request: { vault }, warrant }) => {
        const isSignatureNeeded = needed.get(vault) ?? tickets.get(approval)?.needsSignature ?? false;
        if (tickets.has(approval)) needed.set(vault, isSignatureNeeded);
        return [approval, outlived(warrant, enrolled, isSignatureNeeded)];
      });
    } catch {
      // What cannot be known ends nothing. Nothing can be used then either: each use looks again.
      return;
    }
    for (const [approval, why] of over) if (why) this.disproved(approval, why);
  }

  /** A window ended by itself: its page says so, and cards that counted on it are asked anew. */
  over(approval: string): void {
    this.#ended(approval, "over");
  }

  /** Who an approved request waits for in the vault, or (undefined) no longer does: the pages it rests on say so. */
  upstream({ request, approval }: { request: string; approval: string }, upstream: Upstream | undefined): void {
    for (const id of approval.split(","))
      for (const ticket of this.#tickets.restingOn(id)) ticket.waitsFor(request, upstream);
  }

  /** Why nothing came of what a person approved, or (undefined) that something did after all: its page says so. */
  came(approval: string, failure: Failure | undefined): void {
    this.#origin(approval)?.cameTo(failure);
  }

  /** The request that an approval was given to. */
  #origin(approval: string): Ticket | undefined {
    return this.#tickets.restingOn(approval).find(({ request }) => request.id === approval);
  }

  #ended(approval: string, ended: "revoked" | "over"): void {
    for (const ticket of this.#tickets.restingOn(approval)) ticket.endWindow(ended);
    for (const ticket of this.#tickets.waiting()) ticket.refresh();
  }
}
