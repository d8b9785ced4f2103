import type { Card, CardItem } from "../core/card.ts";
import type { Preview } from "../core/secret.ts";
import { called, fieldName, isAskedOtherwise } from "./card-parts.ts";
import { html, type Markup } from "./html.ts";
import { extent, type Row, rowsOf, secretsIn, split } from "./rows.ts";
import { count, moment } from "./words.ts";

/** Every item and every field of it, never cut: first what is asked for, then quietly what is open already. */
export function itemList(card: Card, now: number): Markup {
  const { asked, open } = split(card);
  const unchecked = card.standing.is === "waiting" ? asked.filter((item) => !item.checked) : [];
  const some = unchecked.length < asked.length ? unchecked : [];
  return html`<section data-part="items" aria-label="Secrets">
    <ul class="items">
      ${rowsOf(asked).map((row) => askedRow(row, extent(card), some.includes(row.item)))}
    </ul>
    ${notChecked(card, secretsIn(unchecked))}
    ${
      open.length > 0
        ? html`<h2>Already open</h2>
            <ul class="items quiet">
              ${rowsOf(open).map((row) => openRow(row, now))}
            </ul>`
        : undefined
    }
  </section>`;
}

/** Before anything is decided: the vault could not tell. */
function notChecked({ action }: Card, secrets: number): Markup | undefined {
  if (secrets === 0) return undefined;
  const done = action === "write" ? "saved" : "read";
  const when = secrets === 1 ? `it exists shows when it is ${done}` : `they exist shows when they are ${done}`;
  return html`<p class="fine">Not checked: whether ${when}.</p>`;
}

function askedRow({ item, fields }: Row, how: ReturnType<typeof extent>, isMarked: boolean): Markup {
  const notes: Markup[] = [];
  if (item.write) notes.push(effect(item.write.effect, fields), preview(item.write.preview));
  else if (fields.length > 0) notes.push(fieldList(fields, how));
  if (isMarked) notes.push(html`<span>not checked</span>`);
  return listed(item, notes);
}

function openRow({ item, fields }: Row, now: number): Markup {
  const until = html`<span>open until ${moment(item.openUntil ?? now, now)}</span>`;
  return listed(item, fields.length > 0 ? [fieldList(fields, "some"), until] : [until]);
}

function listed(item: CardItem, notes: readonly Markup[]): Markup {
  const askedFor = isAskedOtherwise(item)
    ? html` <span class="ref">asked for as <bdi class="name" dir="ltr">${item.name}</bdi></span>`
    : undefined;
  const more = notes.length > 0 ? html` <span class="notes">${notes.map((note) => html`${note} `)}</span>` : undefined;
  return html`<li>${called(item)}${askedFor}${more}</li>`;
}

// To the eye the frames are enough; it is for ears and for what is copied.
const COMMA = html`<span class="unseen">,</span>`;

function fieldList(fields: readonly string[], how: ReturnType<typeof extent>): Markup {
  const words = { every: "every field", others: "all other fields", some: fields.length === 1 ? "field" : "fields" }[
    how
  ];
  const last = fields.length - 1;
  return html`<span class="fields"
    ><span>${words}:</span>
    ${fields.map((field, at) => html`<span class="one">${fieldName(field)}${at < last ? COMMA : undefined}</span> `)}</span
  >`;
}

/** What a write does, and to which field. */
function effect(effect: "create" | "replace", fields: readonly string[]): Markup {
  const tag = effect === "create" ? html`<span class="tag">new</span>` : html`<span class="tag solid">replaces</span>`;
  const which = fields.map((field) => html` <span>field</span> <span class="one">${fieldName(field)}</span>`);
  return html`<span class="fields">${tag}${which}</span>`;
}

function preview({ length, head, tail }: Preview): Markup {
  const size = html`<span>${count(length, "character")}</span>`;
  if (head === undefined || tail === undefined) return size;
  return html`${size} <bdi class="mono" dir="ltr">${head}…${tail}</bdi>`;
}
