import type { Event, EventKind } from "../core/event.ts";
import { visible } from "../core/text.ts";
import { html, type Markup } from "./html.ts";
import { count, moment } from "./words.ts";

/** What the log's kinds are called in the inbox; what says nothing to a person on the way is left out. */
const WORDS: Readonly<Record<EventKind, string | ((event: Event) => string) | undefined>> = {
  started: undefined,
  stopped: undefined,
  requested: ({ action }) => (action === "write" ? "Asked to save" : "Asked to read"),
  approved: ({ until }) => (until === undefined ? "Approved, just once" : "Approved, with a window"),
  covered: "Allowed by an open window",
  denied: "Denied",
  returned: "Sent back",
  expired: "Expired, nobody decided",
  withdrawn: "Withdrawn",
  cancelled: "Cancelled, the session ended",
  refused: ({ code }) => (code === "not_proven" ? "Not proven, so it did not count" : "Refused by the rules"),
  upstream_waiting: "Waits for the vault's own people",
  releasing: undefined,
  released: ({ action }) => (action === "write" ? "Saved" : "Handed over"),
  failed: ({ action }) => (action === "write" ? "Saving failed" : "Reading failed"),
  unknown_outcome: "Not known whether it arrived",
  revoked: "Revoked",
  window_ended: "Window closed",
  listed: "Names listed",
  approver_added: "Approver added",
  approver_removed: "Approver removed",
  channel_failed: "A message could not be sent",
  tunnel_failed: "The tunnel failed",
  log_gap: "Lines of the log were lost",
};
/** How many are shown. */
const MOST_EVENTS = 20;
const MOST_NAMES = 3;

/** The newest events in plain words: what, of which vault and names, who, when. */
export function eventList(events: readonly Event[], now: number): Markup {
  const told = events.filter(({ kind }) => WORDS[kind] !== undefined).slice(0, MOST_EVENTS);
  if (told.length === 0) return html`<p class="fine">Nothing has happened yet.</p>`;
  return html`<ol class="events">
    ${told.map((event) => eventRow(event, now))}
  </ol>`;
}

function eventRow(event: Event, now: number): Markup {
  const words = WORDS[event.kind];
  const what = typeof words === "function" ? words(event) : words;
  const times = event.count !== undefined && event.count > 1 ? html`, ${count(event.count, "time")}` : undefined;
  return html`<li>
    <p class="what"><span>${what}${times}</span> ${moment(event.at, now)}</p>
    ${subject(event)} ${who(event)}
  </li>`;
}

function subject({ vault, names = [] }: Event): Markup | undefined {
  if (vault === undefined) return undefined;
  return html`<p class="of"><bdi class="vault">${visible(vault)}</bdi> ${nameList(names.map(visible))}</p>`;
}

function who({ kind, approver, requester }: Event): Markup | undefined {
  // The name and, in brackets, the id of its passkey, which says nothing to a person.
  const person = approver && html`<bdi>${visible(approver.replace(/ \([\w-]+\)$/, ""))}</bdi>`;
  const client = requester && html`<bdi>${visible(requester.claims.client)}</bdi>`;
  if (!person && !client) return undefined;
  const both = person && client ? html`${person}, for ${client}` : (person ?? client);
  return html`<p class="fine">${kind === "approved" ? html`by ${both}` : both}</p>`;
}

/** Some names, and how many more there are: the page of the request shows all. */
export function nameList(names: readonly string[]): Markup {
  const more = names.length - MOST_NAMES;
  const shown = names.slice(0, more === 1 ? MOST_NAMES + 1 : MOST_NAMES);
  return html`<span class="names"
    >${shown.map((name, at) => html`${at > 0 ? ", " : ""}<bdi class="name" dir="ltr">${name}</bdi>`)}${
      more > 1 ? html` and ${more} more` : undefined
    }</span
  >`;
}
