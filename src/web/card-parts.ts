import type { Card, CardItem } from "../core/card.ts";
import type { Preview } from "../core/secret.ts";
import { html, type Markup } from "./html.ts";
import { count, countdown, moment } from "./words.ts";

/** The items an approval is asked for, and those an open window already covers. */
export function split(card: Card): { readonly asked: readonly CardItem[]; readonly open: readonly CardItem[] } {
  return {
    asked: card.items.filter((item) => item.openUntil === undefined),
    open: card.items.filter((item) => item.openUntil !== undefined),
  };
}

/** The client by the name it gives itself. `bdi` keeps a right-to-left name from reordering the sentence around it. */
export function client(card: Card): Markup {
  const name = card.requester.claims.client.trim();
  return name === "" ? html`An agent without a name` : html`<bdi>${name}</bdi>`;
}

/** What is asked for, as the object of a sentence. */
export function what(card: Card): Markup {
  const { asked } = split(card);
  const [only] = asked;
  if (asked.length === 1 && only !== undefined) return name(only.name);
  return html`these ${count(asked.length, "secret")}`;
}

/** Time that runs. The script counts it down; without script it is what was left when the page was made. */
export function clockFace(leftMs: number): Markup {
  const left = Math.max(0, leftMs);
  return html`<span class="left" role="timer" data-part="left" data-left="${left}">${countdown(left)} left</span>`;
}

/** Every item, never cut: first what is asked for, then quietly what is open already. */
export function itemList(card: Card, now: number): Markup {
  const { asked, open } = split(card);
  const unchecked = asked.some((item) => !item.checked);
  return html`<section data-part="items" aria-label="Secrets">
    <ul class="items">
      ${asked.map((item) => row(item))}
    </ul>
    ${unchecked ? html`<p class="fine">Not checked: this vault does not tell beforehand whether a secret exists.</p>` : undefined}
    ${
      open.length > 0
        ? html`<h2>Already open</h2>
            <ul class="items quiet">
              ${open.map((item) => openRow(item, now))}
            </ul>`
        : undefined
    }
  </section>`;
}

function row(item: CardItem): Markup {
  const notes: Markup[] = [];
  if (item.write) notes.push(effect(item.write.effect), preview(item.write.preview));
  if (item.field !== undefined) notes.push(html`<span>field: <bdi class="mono" dir="ltr">${item.field}</bdi></span>`);
  if (!item.checked) notes.push(html`<span>not checked</span>`);
  return listed(item, notes);
}

function openRow(item: CardItem, now: number): Markup {
  const until = html`<span>open until ${moment(item.openUntil ?? now, now)}</span>`;
  return listed(item, [until]);
}

function listed(item: CardItem, notes: readonly Markup[]): Markup {
  if (notes.length === 0) return html`<li>${name(item.name)}</li>`;
  return html`<li>${name(item.name)} <span class="notes">${notes.map((note) => html`${note} `)}</span></li>`;
}

function name(text: string): Markup {
  return html`<bdi class="name" dir="ltr">${text}</bdi>`;
}

function effect(effect: "create" | "replace"): Markup {
  return effect === "create" ? html`<span class="tag">new</span>` : html`<span class="tag solid">replaces</span>`;
}

function preview({ length, head, tail }: Preview): Markup {
  const size = html`<span>${count(length, "character")}</span>`;
  if (head === undefined || tail === undefined) return size;
  return html`${size} <bdi class="mono" dir="ltr">${head}…${tail}</bdi>`;
}
