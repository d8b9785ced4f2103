import type { Card } from "../core/card.ts";
import { decidedPage } from "./decided-page.ts";
import { waitingPage } from "./waiting-page.ts";

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

/** The page of a request, whatever its state. */
export function cardPage(view: CardView): string {
  const { standing } = view.card;
  return standing.is === "waiting" ? waitingPage(view) : decidedPage(view, standing);
}
