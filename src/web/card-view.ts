import type { Card } from "../core/card.ts";

/** One look at one request. */
export interface CardView {
  readonly card: Card;
  readonly token: string;
  /** Goes into each form and comes back with each answer. */
  readonly seal: string;
  readonly now: number;
  /** Why the answer just given was not taken: another came first, or the card is no longer the one it answered. */
  readonly notTaken?: "late" | "changed";
}
