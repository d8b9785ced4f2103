import type { Config } from "../config/config.ts";
import type { PairingView } from "../core/pairing.ts";
import type { Link } from "../core/ports.ts";
import type { Approver } from "../core/proof.ts";

/** One who may approve, with what a list says of them. */
export interface ListedApprover extends Approver {
  readonly transports: readonly string[];
  readonly backedUp: boolean;
}

/** Those enrolled, oldest first, and what the log says of them otherwise than the store: one sentence each, without a full stop. */
export interface Roll {
  readonly approvers: readonly ListedApprover[];
  readonly oddities: readonly string[];
  /** Why the two could not be compared. */
  readonly unknown?: string;
}

/** A change of who may approve that is under way: what the terminal sees of it. */
export interface Underway {
  /** Where its page is. */
  readonly link: Link;
  /** How it stands, without the code. */
  readonly view: () => PairingView;
  /** Resolves to the stage as soon as it is another than this one. */
  readonly after: (stage: PairingView["stage"]) => Promise<PairingView["stage"]>;
  /** Who signed for it; absent where nobody did (yet). */
  readonly signer: () => Approver | undefined;
  /** Ends it where it stands, and lets go of the page once the device has seen how it ended. */
  readonly close: () => Promise<void>;
}

/** The enrolment of one more approver. */
export interface PairingUnderway extends Underway {
  /** What was typed. True when it was the code: the approver counts now. The third other one ends the pairing. */
  readonly confirm: (typed: string) => Promise<boolean>;
}

/** Changes who may approve. Everything is recorded before it counts. */
export interface Enrolment {
  /** `nameFor`: what it is to be called, once it is known from what kind of device the page can be reached. */
  readonly pair: (config: Config, nameFor: (device: "phone" | "computer") => string) => Promise<PairingUnderway>;
  /** `lastOne`: what the removal of the last one means here. */
  readonly remove: (config: Config, id: string, lastOne: string) => Promise<Underway>;
}
