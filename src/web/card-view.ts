import type { Card } from "../core/card.ts";

/** One look at one request. */
export interface CardView {
  readonly card: Card;
  readonly token: string;
  /** Goes into each form and comes back with each answer. */
  readonly seal: string;
  readonly now: number;
  /** Whether the person just answered something that was already decided. */
  readonly late: boolean;
}
