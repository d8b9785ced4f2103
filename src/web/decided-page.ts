import type { CardView } from "./card-view.ts";
import { clockFace } from "./card-parts.ts";
import { html, type Markup } from "./html.ts";
import { mark } from "./icon.ts";
import { itemList } from "./item-list.ts";
import { page } from "./page.ts";
import { type Decided, type Verdict, verdictOf } from "./verdict.ts";
import { moment } from "./words.ts";

/** A request that is settled: what is now true, and what can still be done about it. */
export function decidedPage({ card, token, seal, now, notTaken, isSignedIn }: CardView, standing: Decided): string {
  const leftOut = standing.is === "approved" ? (standing.leftOut ?? []) : [];
  const verdict = verdictOf(card, standing, now);
  const { open } = verdict;
  const path = `/approve/${token}`;
  return page({
    title: `${verdict.headline}${verdict.still === undefined ? "" : `. ${verdict.still}`} - agent-vault`,
    look: card.action,
    standing: standing.is === "approved" && !open ? "over" : standing.is,
    news: verdict.news ?? verdict.headline,
    ...(open && {
      live: { path: `${path}/live`, version: card.version },
      header: open.until === undefined ? NO_CLOCK : clockFace(open.until - now),
    }),
    main: html`<main>
      ${notTaken ? html`<p class="note">Already decided at ${moment(standing.at, now)}. Your tap changed nothing.</p>` : undefined}
      ${heading(verdict)}
      <div class="lines" data-part="lines">${verdict.lines.map((line) => html`<p class="line">${line}</p>`)}</div>
      ${open ? revoke(path, seal) : undefined}
      <section class="asked">
        <h2>${card.action === "write" ? "To save to" : "From"} <bdi class="vault">${card.vault}</bdi></h2>
        ${itemList(card, { now, leftOut })}
      </section>
      ${isSignedIn ? html`<p><a class="more" href="/inbox">See what is open</a></p>` : undefined}
      <p class="fine" data-part="end">${decidedAt(standing, now)} ${leaving(verdict)}</p>
    </main>`,
  });
}

/** Keeps the place of one: the script exchanges parts where the page has the same ones before and after. */
const NO_CLOCK = html`<span data-part="left"></span>`;

function heading({ mark: shape, headline, still }: Verdict): Markup {
  return html`<h1 class="verdict" id="verdict" tabindex="-1" data-part="verdict">
    ${mark(shape)}<span
      >${headline} ${still === undefined ? undefined : html`<span class="still">${still}</span>`}</span
    >
  </h1>`;
}

function decidedAt(standing: Decided, now: number): Markup {
  const isSigned = standing.is === "approved" && standing.by !== undefined;
  if (isSigned) return html`Approved by <bdi>${standing.by}</bdi> at ${moment(standing.at, now)}.`;
  const isDecided = standing.is === "approved" || standing.is === "denied" || standing.is === "returned";
  return html`${isDecided ? "Decided" : "Ended"} at ${moment(standing.at, now)}.`;
}

function leaving({ open, still }: Verdict): string {
  if (still !== undefined) return "You can close this page; its link shows what the vault decides.";
  return open ? "You can close this page; its link leads back here." : "You can close this page.";
}

function revoke(path: string, seal: string): Markup {
  return html`<form method="post" action="${path}" class="revoke">
    <input type="hidden" name="seal" value="${seal}" />
    <button class="button quiet" id="revoke" type="submit" name="verdict" value="revoke">Revoke</button>
  </form>`;
}
