import type { Asking, Card } from "../core/card.ts";
import { html, type Markup } from "./html.ts";
import { count } from "./words.ts";

/** Other sessions that the same answer is for: who they are and what they say. */
export function alsoAsking({ alsoAsking = [] }: Card): Markup {
  // The script exchanges parts where the page has the same ones before and after.
  if (alsoAsking.length === 0) return html`<div data-part="also"></div>`;
  return html`<div data-part="also">
    <section class="said">
      <h2>One answer is for all of them</h2>
      <ul class="items quiet also">
        ${alsoAsking.map(asking)}
      </ul>
      <p class="fine">Names of agents are what they call themselves.</p>
    </section>
  </div>`;
}

/** "2 more sessions ask for the same". */
export function alsoWords(others: readonly Asking[]): string {
  return `${count(others.length, "more session")} ${others.length === 1 ? "asks" : "ask"} for the same`;
}

function asking({ reason, requester }: Asking): Markup {
  const { claims, facts } = requester;
  const name = claims.client.trim();
  return html`<li>
    <span class="title">${name === "" ? "An agent without a name" : html`<bdi>${name}</bdi>`}</span>
    ${place(facts.folder, "")}${facts.folder === undefined ? place(claims.folder, "says it works in ") : undefined}
    <q dir="auto">${reason}</q>
  </li>`;
}

function place(folder: string | undefined, said: string): Markup | undefined {
  return folder === undefined
    ? undefined
    : html`<span class="ref">${said}<bdi class="mono" dir="ltr">${folder}</bdi></span>`;
}
