import type { Card } from "../core/card.ts";
import { html, type Markup } from "./html.ts";
import type { Proving } from "./proving.ts";
import { moment } from "./words.ts";

const MOST_NAMES = 3;

/** What a yes on this page is worth, said where it matters; and what the rules it follows are called. */
export function worth({ requester, expiresAt, configuration }: Card, proving: Proving, now: number): Markup {
  const { user, host } = requester.facts;
  return html`<div class="worth">
    ${
      proving.is === "link"
        ? html`<p class="fine">
            Whoever holds this link can approve, programs running as <bdi>${user}</bdi> on <bdi>${host}</bdi> included.
            With <code>agent-vault pair</code> only your phone can.
          </p>`
        : html`<p class="fine">Only a paired phone can approve${paired(proving)}. This link alone cannot.</p>`
    }
    <p class="fine">Configuration <bdi class="mono" dir="ltr">${configuration.slice(0, 12)}</bdi></p>
    <noscript
      ><p class="fine">
        This request waits until ${moment(expiresAt, now)}. Reload the page to see how it stands.
      </p></noscript
    >
  </div>`;
}

function paired(proving: Exclude<Proving, { is: "link" }>): Markup | undefined {
  if (proving.is === "unknown" || proving.by.length === 0) return undefined;
  const more = proving.by.length - MOST_NAMES;
  const names = proving.by.slice(0, MOST_NAMES).map((name, at) => html`${at > 0 ? ", " : ""}<bdi>${name}</bdi>`);
  return html` (${names}${more > 0 ? html` and ${more} more` : undefined})`;
}
