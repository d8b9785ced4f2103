import type { Answer, AnswerBy } from "./card.ts";
import type { Event } from "./event.ts";
import type { Settled, Ticket } from "./ticket.ts";

/** How a request ends, and what the log says of it. */
export interface Ending {
  readonly standing: Settled;
  readonly line: Partial<Event> & Pick<Event, "kind">;
  /** Set where an agent itself may have ended it: its slot stays taken, or it could ring without end. */
  readonly keepsSlot: boolean;
}

/**
 * How a request ends by an answer that is no yes. Where a yes is signed agents have the links too, and what came by one
 * is not known to be a person's.
 */
export function endingOf(ticket: Ticket, answer: Exclude<Answer, { verdict: "approve" }>, by: By): Ending {
  const { at, signedIn } = by;
  const byAnyone = ticket.offer.proof !== undefined && signedIn !== true;
  if (answer.verdict === "deny") {
    return { standing: { is: "denied", at }, line: { kind: "denied", proof: "link" }, keepsSlot: byAnyone };
  }
  const { note } = answer;
  return {
    standing: { is: "returned", at, note, ...(byAnyone && { byAnyone }) },
    line: { kind: "returned", proof: "link", detail: note },
    keepsSlot: byAnyone,
  };
}

type By = Pick<AnswerBy, "signedIn"> & { readonly at: number };
