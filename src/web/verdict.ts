import type { Card, Failure, Standing, Upstream } from "../core/card.ts";
import { client, what } from "./card-parts.ts";
import { html, type Markup } from "./html.ts";
import { split, these } from "./rows.ts";
import { duration, moment, soFar } from "./words.ts";

/** How a request can stand once it no longer waits for a person. */
export type Decided = Exclude<Standing, { is: "waiting" }>;

/** What is now true of a settled request, in words. */
export interface Verdict {
  readonly mark: "yes" | "no" | "over";
  readonly headline: string;
  /** Set where the headline alone could be taken for the end of it. */
  readonly still?: string;
  readonly lines: readonly Markup[];
  /** What a screen reader is told besides the headline. */
  readonly news?: string;
  /** Set while something is open that can be taken back; `until` where a clock is to run. */
  readonly open?: { readonly until?: number };
}

type Approved = Extract<Standing, { is: "approved" }>;

export function verdictOf(card: Card, standing: Decided, now: number): Verdict {
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

/** What was left out of the yes is no part of what it opened, and is said. */
function approved(shown: Card, standing: Approved, now: number): Verdict {
  const { leftOut = [] } = standing;
  const verdict = given(keptOf(shown, leftOut), standing, now);
  if (leftOut.length === 0) return verdict;
  // The list below says which.
  return { ...verdict, lines: [...verdict.lines, html`${leftOut.length} left out; that counts as denied.`] };
}

/** The card as if only what stayed ticked had been asked for: then no yes is for a whole vault. */
function keptOf(card: Card, leftOut: readonly number[]): Card {
  if (leftOut.length === 0) return card;
  const items = card.items.filter((_item, at) => !leftOut.includes(at));
  return { ...card, items, everyField: false, offer: { ...card.offer, scope: "secret" } };
}

function given(card: Card, standing: Approved, now: number): Verdict {
  const { until, ended } = standing;
  const verb = verbOf(card);
  const object = opened(card, standing);
  if (ended === "revoked") {
    const kept = html`Anything it has already ${card.action === "write" ? "saved" : "read"} cannot be taken back.`;
    return { mark: "no", headline: "Revoked", lines: [html`${client(card)} can no longer ${verb} ${object}.`, kept] };
  }
  if (card.upstream) return waitsForVault(card, card.upstream, standing, now);
  if (card.failure) return failed(card, card.failure, standing, now);
  const term = termOf(until, now);
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

/** The person said yes; others still have to. Nothing about it may look finished. */
function waitsForVault(
  card: Card,
  { text, since }: Upstream,
  { until, ended, ...rest }: Approved,
  now: number,
): Verdict {
  // A window may end meanwhile; the call that waited when the person said yes is still owed its one use.
  const term = termOf(ended === "over" ? undefined : until, now);
  const object = opened(card, { ...rest, ...(until !== undefined && { until }) });
  return {
    mark: "over",
    headline: "You approved",
    still: "The vault has not yet",
    news: "You approved. The vault's own people have not answered yet.",
    lines: [
      html`Now <bdi>${text}</bdi>, for ${soFar(now - since)}.`,
      html`If the vault agrees, ${client(card)} can ${verbOf(card)} ${object}${term}.`,
    ],
    open: {},
  };
}

/** The person said yes and nothing came of it. What the yes still permits stays permitted, and is said. */
function failed(card: Card, { text, byVault }: Failure, { until, ended }: Approved, now: number): Verdict {
  const [headline, but] = byVault
    ? ["Refused by the vault", "the vault refused"]
    : card.action === "write"
      ? ["Saving failed", "saving failed"]
      : ["Reading failed", "reading failed"];
  const why = html`You approved, but ${but}: <bdi>${text}</bdi>.`;
  const released = byVault ? html`Nothing was released. ` : undefined;
  const told = html`${released}${client(card)} is told the same.`;
  if (ended === "over") return { mark: "no", headline, lines: [why, html`${told} It may ask you again.`] };
  const { asked } = split(card);
  const again = html`It may try ${asked.length > 1 ? html`${these(asked)} ` : undefined}again`;
  const left =
    until === undefined
      ? html`${again} within ${duration(card.pickupMs)} without asking you.`
      : card.offer.scope === "vault"
        ? html`It may try again, and ${verbOf(card)} ${wholeVault(card)}, until ${moment(until, now)} without asking
          you.`
        : html`${again} until ${moment(until, now)} without asking you.`;
  return { mark: "no", headline, lines: [why, html`${told} ${left}`], open: {} };
}

function verbOf({ action }: Card): string {
  return action === "write" ? "save" : "read";
}

/** What a yes opened, as the object of a sentence. */
function opened(card: Card, { until }: Pick<Approved, "until">): Markup {
  return until !== undefined && card.offer.scope === "vault" ? wholeVault(card) : what(card);
}

function wholeVault({ vault }: Card): Markup {
  return html`<strong>ALL of <bdi dir="ltr">${vault}</bdi></strong>`;
}

function termOf(until: number | undefined, now: number): Markup {
  return until === undefined ? html`, just this once` : html` until ${moment(until, now)}`;
}
