import type { Card, Standing } from "../core/card.ts";
import type { CardView } from "./card-view.ts";
import { client, clockFace, what } from "./card-parts.ts";
import { html, type Markup } from "./html.ts";
import { mark } from "./icon.ts";
import { itemList } from "./item-list.ts";
import { page } from "./page.ts";
import { duration, moment, soFar } from "./words.ts";

type Decided = Exclude<Standing, { is: "waiting" }>;

interface Verdict {
  readonly mark: "yes" | "no" | "over";
  readonly headline: string;
  readonly lines: readonly Markup[];
  /** What a screen reader is told besides the headline. */
  readonly news?: string;
  /** Set while something is open: it can be taken back, and it may still end by itself. */
  readonly open?: { readonly until?: number };
}

/** A request that is settled: what is now true, and what can still be done about it. */
export function decidedPage({ card, token, seal, now, notTaken }: CardView, standing: Decided): string {
  const verdict = verdictOf(card, standing, now);
  const { open } = verdict;
  const path = `/approve/${token}`;
  return page({
    title: `${verdict.headline} - agent-vault`,
    look: card.action,
    standing: standing.is === "approved" && !open ? "over" : standing.is,
    news: verdict.news ?? verdict.headline,
    ...(open ? { live: { path: `${path}/live`, version: card.version } } : {}),
    ...(open?.until === undefined ? {} : { header: clockFace(open.until - now) }),
    main: html`<main>
      ${notTaken ? html`<p class="note">Already decided at ${moment(standing.at, now)}. Your tap changed nothing.</p>` : undefined}
      <h1 class="verdict" tabindex="-1">${mark(verdict.mark)}<span>${verdict.headline}</span></h1>
      <div class="lines" data-part="lines">${verdict.lines.map((line) => html`<p class="line">${line}</p>`)}</div>
      ${open ? revoke(path, seal) : undefined}
      <section class="asked">
        <h2>${card.action === "write" ? "To save to" : "From"} <bdi class="vault">${card.vault}</bdi></h2>
        ${itemList(card, now)}
      </section>
      <p class="fine">
        ${decidedAt(standing, now)} You can close this page${open ? "; its link leads back here" : ""}.
      </p>
    </main>`,
  });
}

function decidedAt(standing: Decided, now: number): Markup {
  const by = standing.is === "approved" || standing.is === "denied" || standing.is === "returned";
  return html`${by ? "Decided" : "Ended"} at ${moment(standing.at, now)}.`;
}

function verdictOf(card: Card, standing: Decided, now: number): Verdict {
  if (standing.is === "approved") return approved(card, standing, now);
  if (standing.is === "returned")
    return { mark: "no", headline: "Sent back", lines: returnedLines(card, standing.note) };
  return { ...CLOSED[standing.is], lines: [html`${CLOSED[standing.is].says(card)} Nothing was released.`] };
}

/** The endings that opened nothing and say nothing more. */
const CLOSED = {
  denied: { mark: "no", headline: "Denied", says: (card: Card) => html`${client(card)} was told no.` },
  expired: { mark: "over", headline: "Expired", says: () => html`Nobody decided in time.` },
  withdrawn: {
    mark: "over",
    headline: "Withdrawn",
    says: (card: Card) => html`${client(card)} no longer asks for this.`,
  },
  cancelled: { mark: "over", headline: "Cancelled", says: (card: Card) => html`The session of ${client(card)} ended.` },
} as const;

function returnedLines(card: Card, note: string): readonly Markup[] {
  const first = html`${client(card)} was told to ask differently. Nothing was released.`;
  return note === "" ? [first] : [first, html`<span class="label">Your note</span><q dir="auto">${note}</q>`];
}

function approved(card: Card, standing: Extract<Standing, { is: "approved" }>, now: number): Verdict {
  const { until, ended } = standing;
  const verb = card.action === "write" ? "save" : "read";
  const object =
    until !== undefined && card.offer.scope === "vault"
      ? html`<strong>ALL of <bdi dir="ltr">${card.vault}</bdi></strong>`
      : what(card);

  if (ended === "revoked") {
    const kept = html`Anything it has already ${card.action === "write" ? "saved" : "read"} cannot be taken back.`;
    return { mark: "no", headline: "Revoked", lines: [html`${client(card)} can no longer ${verb} ${object}.`, kept] };
  }
  const term = until === undefined ? html`, just this once` : html` until ${moment(until, now)}`;
  if (card.upstream?.refused) return refusedByVault(card, card.upstream, standing, now);
  if (card.upstream) {
    // A window may end meanwhile; the call that waited when the person said yes is still owed its one use.
    const then = ended === "over" ? html`, just this once` : term;
    return {
      mark: "yes",
      headline: "Approved",
      news: "Approved. The vault's own people have not answered yet.",
      lines: [
        html`Now <bdi>${card.upstream.text}</bdi>, for ${soFar(now - card.upstream.since)}.`,
        html`If the vault agrees, ${client(card)} can ${verb} ${object}${then}.`,
      ],
      open: until === undefined || ended === "over" ? {} : { until },
    };
  }
  if (ended === "over") {
    const past = html`${client(card)} was allowed to ${verb} ${object}${term}. Next time it has to ask again.`;
    if (until === undefined) return { mark: "yes", headline: "Approved", lines: [past] };
    return { mark: "over", headline: "Window closed", lines: [past] };
  }
  const lines = [html`${client(card)} can ${verb} ${object}${term}.`];
  // Whether a call is being served at this moment or will come again is not known here, so both are said.
  if (until === undefined) {
    lines.push(html`If it no longer waits, its next try within ${duration(card.pickupMs)} goes through.`);
  }
  return { mark: "yes", headline: "Approved", lines, open: until === undefined ? {} : { until } };
}

/** The person said yes and the vault's own people said no. A window over the rest stays what it is. */
function refusedByVault(
  card: Card,
  { text }: NonNullable<Card["upstream"]>,
  { until, ended }: Extract<Standing, { is: "approved" }>,
  now: number,
): Verdict {
  const lines = [html`You approved, and the vault refused: <bdi>${text}</bdi>.`, html`Nothing was released.`];
  if (until === undefined || ended !== undefined) return { mark: "no", headline: "Refused by the vault", lines };
  lines.push(html`Your window is open until ${moment(until, now)}.`);
  return { mark: "no", headline: "Refused by the vault", lines, open: { until } };
}

function revoke(path: string, seal: string): Markup {
  return html`<form method="post" action="${path}" class="revoke">
    <input type="hidden" name="seal" value="${seal}" />
    <button class="button quiet" id="revoke" type="submit" name="verdict" value="revoke">Revoke</button>
  </form>`;
}
