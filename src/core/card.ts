import type { Overview } from "./overview.ts";
import type { PairingStep, PairingView } from "./pairing.ts";
import type { Offer } from "./policy.ts";
import type { Decision, Proof } from "./proof.ts";
import type { Action, Requester } from "./request.ts";
import type { Preview } from "./secret.ts";
import type { Statement } from "./statement.ts";

/** How a request stands. Exactly one of the others follows `waiting`, and nothing follows those. */
export type Standing =
  | { readonly is: "waiting" }
  | {
      readonly is: "approved";
      readonly at: number;
      readonly until?: number;
      readonly ended?: "revoked" | "over";
      /** Positions in the card's items of what was unticked, and with that denied; absent: nothing. */
      readonly leftOut?: readonly number[];
      /** Name of the approver whose passkey signed it; absent where the link was enough. */
      readonly by?: string;
    }
  | { readonly is: "denied"; readonly at: number }
  | {
      readonly is: "returned";
      readonly at: number;
      readonly note: string;
      /** Set where it came by a link that reaches agents: nobody knows from whom. */
      readonly byAnyone?: true;
    }
  | { readonly is: "expired"; readonly at: number }
  | { readonly is: "withdrawn"; readonly at: number }
  | { readonly is: "cancelled"; readonly at: number };

/** Everything the page shows of one request. Text from the agent is already visible (see text.ts), not yet HTML. */
export interface Card {
  readonly vault: string;
  readonly provider: string;
  readonly action: Action;
  readonly items: readonly CardItem[];
  /** True when the items are every field that one secret has. */
  readonly everyField: boolean;
  readonly reason: string;
  readonly requester: Requester;
  /** Other sessions that wait for exactly the same: one answer is for all of them. */
  readonly alsoAsking?: readonly Asking[];
  readonly offer: Offer;
  /** Digest of the configuration that the rules come from. */
  readonly configuration: string;
  readonly standing: Standing;
  /** Set while an approved request waits for the vault's own people. */
  readonly upstream?: Upstream;
  /** Set when nothing came of the latest delivery after the approval; gone again when one succeeds. */
  readonly failure?: Failure;
  /** How many tool calls wait right now; 0 means approving lets the next identical call through. */
  readonly attached: number;
  /** How often this session has already been approved for exactly these items. */
  readonly approvedBefore: number;
  readonly expiresAt: number;
  /** For how long an approval stays good when no call is attached, ms. */
  readonly pickupMs: number;
  /** Grows with every change; hand it to `changed` to be told of the next one. */
  readonly version: number;
  /** Grows when what approving opens has changed, or the proof it needs; an approval of an older one is not taken. */
  readonly revision: number;
}

/** Who an approved request waits for in the vault: a sentence without a full stop, like "waiting for the approvers of 12Port". */
export interface Upstream {
  readonly text: string;
  /** Epoch ms. */
  readonly since: number;
}

/** Why an approved request came to nothing: what the agent was told too, without a full stop. */
export interface Failure {
  readonly text: string;
  /** Set when it was the vault's own people, or its rules for them, that refused. */
  readonly byVault?: true;
}

export interface CardItem {
  readonly name: string;
  /** What the vault calls it, where the name asked for is not that. */
  readonly title?: string;
  readonly field?: string;
  /** False where the vault could not tell that the secret exists. */
  readonly checked: boolean;
  /** Set when an open window already covers it: it is listed, not asked for. Epoch ms. */
  readonly openUntil?: number;
  readonly write?: { readonly effect: "create" | "replace"; readonly preview: Preview };
}

/** One of several sessions that ask for the same. */
export interface Asking {
  readonly reason: string;
  readonly requester: Requester;
}

/**
 * A yes. "window" opens what the offer says, "once" only this use. `revision` is that of the card the person saw. A
 * person may permit less than was asked for, never more.
 */
export interface Approval {
  readonly verdict: "approve";
  readonly choice: "window" | "once";
  readonly revision: number;
  /** Positions in the card's items of those that stay ticked; absent: all. What is unticked counts as denied. */
  readonly items?: readonly number[];
  /** A window shorter than the one offered, ms. */
  readonly windowMs?: number;
}

/** What a person answers. */
export type Answer = Approval | { readonly verdict: "deny" } | { readonly verdict: "again"; readonly note: string };

/** What stands behind an answer. */
export interface AnswerBy {
  readonly proof: Proof;
  /**
   * Set when it came from a device that is signed in to the inbox: a no, or a note, is then a person's even where links
   * reach agents.
   */
  readonly signedIn?: true;
}

/**
 * The desk as the person's side sees it, wherever the process lives that asked. Tokens are the 128 random bits in the
 * link. Everything that goes in and comes out is JSON, but for the signals.
 */
export interface Front {
  readonly card: (token: string) => Promise<Card | undefined>;
  /** What a passkey has to sign for this yes, made now; undefined when it cannot be given so (any more). */
  readonly decision: (token: string, approval: Approval) => Promise<Decision | undefined>;
  /**
   * Settles a waiting request. False when nothing changed: the token is unknown, the request is already decided, or
   * what was approved is no longer what the card shows. Rejects with `audit_unavailable` when an approval could not be
   * recorded, and with `not_proven` when it needs a better proof; then the request still waits.
   */
  readonly answer: (token: string, answer: Answer, by: AnswerBy) => Promise<boolean>;
  /** Ends what the approval opened. False when there is nothing open. */
  readonly revoke: (token: string) => Promise<boolean>;
  /** Resolves when the card's version is past `version`, or the signal aborts. */
  readonly changed: (token: string, version: number, signal: AbortSignal) => Promise<void>;
  /** Everything that waits and everything that is open. */
  readonly overview: () => Promise<Overview>;
  /** Resolves when the overview's version is past `version`, or the signal aborts. */
  readonly overviewChanged: (version: number, signal: AbortSignal) => Promise<void>;
  /** Ends what one approval opened, by its id. False when there is nothing open. */
  readonly endApproval: (approval: string) => Promise<boolean>;
  /** One step on the page where an approver is enrolled or removed; undefined when there is no such page. */
  readonly pairing: (token: string, step: PairingStep) => Promise<PairingView | undefined>;
}

/** The desk of one process, as the host of its page sees it. */
export interface OwnFront extends Front {
  /** All that such a yes permits: what `decision` has the digest of. Undefined when it cannot be given so (any more). */
  readonly statement: (token: string, approval: Approval) => Promise<Statement | undefined>;
}
