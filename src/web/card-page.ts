import type { CardView } from "./card-view.ts";
import { decidedPage } from "./decided-page.ts";
import { waitingPage } from "./waiting-page.ts";

/** The page of a request, whatever its state. */
export function cardPage(view: CardView): string {
  const { standing } = view.card;
  return standing.is === "waiting" ? waitingPage(view) : decidedPage(view, standing);
}
