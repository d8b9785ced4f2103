import type { Card, CardItem } from "../core/card.ts";
import { html, type Markup } from "./html.ts";
import { extent, rowsOf, split, these } from "./rows.ts";
import { countdown } from "./words.ts";

/** No word that somebody chose is as long as this and stands alone among others in a title. */
const SURELY_AN_ID = 20;

/** The client by the name it gives itself. `bdi` keeps a right-to-left name from reordering the sentence around it. */
export function client(card: Card): Markup {
  const name = card.requester.claims.client.trim();
  return name === "" ? html`An agent without a name` : html`<bdi>${name}</bdi>`;
}

/** What is asked for, as the object of a sentence. */
export function what(card: Card): Markup {
  const { asked } = split(card);
  const [only, ...more] = rowsOf(asked);
  if (only === undefined || more.length > 0) return html`${these(asked)}`;
  const { item, fields } = only;
  const [field] = fields;
  if (field === undefined) return called(item);
  if (extent(card) === "every") return html`every field of ${called(item)}`;
  if (fields.length === 1) return html`field ${fieldName(field)} of ${called(item)}`;
  return html`${these(asked)} of ${called(item)}`;
}

/** Time that runs. The script counts it down; without script it is what was left when the page was made. */
export function clockFace(leftMs: number): Markup {
  const left = Math.max(0, leftMs);
  return html`<span class="left" role="timer" data-part="left" data-left="${left}">${countdown(left)} left</span>`;
}

/** What a person can read: the vault's own name for it, where the one asked for is an id or a reference. */
export function called(item: CardItem): Markup {
  return hasTitle(item)
    ? html`<bdi class="title">${item.title}</bdi>`
    : html`<bdi class="name" dir="ltr">${item.name}</bdi>`;
}

function hasTitle({ title, name }: CardItem): boolean {
  return title !== undefined && title.trim() !== "" && title !== name;
}

/** Whether what was asked for is to be shown beside the vault's own name: not where that holds it, "Stripe (Work)". */
export function isAskedOtherwise(item: CardItem): boolean {
  const { title = "", name } = item;
  if (!hasTitle(item) || (title.startsWith(`${name} (`) && title.endsWith(")"))) return false;
  // What has no name is called by its id: nobody reads that twice.
  return (
    name.length < SURELY_AN_ID ||
    !title
      .toLowerCase()
      .split(/[\s,;:()"]+/)
      .includes(name.toLowerCase())
  );
}

/** A field's name, in a frame: a comma inside it is not one between two. */
export function fieldName(field: string): Markup {
  return html`<bdi class="field" dir="ltr">${field}</bdi>`;
}
