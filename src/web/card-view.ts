import type { Card } from "../core/card.ts";
import type { Draft } from "./draft.ts";
import type { Proving } from "./proving.ts";

/** One look at one request. */
export interface CardView {
  readonly card: Card;
  readonly token: string;
  /** Goes into each form and comes back with each answer. */
  readonly seal: string;
  /** How a yes given on this page can be proven. */
  readonly proving: Proving;
  /** What was chosen before, where that was not taken. */
  readonly draft: Draft;
  readonly now: number;
  /** Set where the device is signed in to the inbox. */
  readonly isSignedIn?: boolean;
  /**
   * Why the answer just given was not taken: another came first, or the card is no longer the one it answered. Or it was,
   * but not for all that shared the card, and this is one that waits on.
   */
  readonly notTaken?: "late" | "changed" | "others";
}
