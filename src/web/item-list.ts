import type { Card, CardItem } from "../core/card.ts";
import type { Preview } from "../core/secret.ts";
import { positionsToTick } from "./answer-form.ts";
import { called, fieldName, isAskedOtherwise } from "./card-parts.ts";
import { html, type Markup } from "./html.ts";
import { extent, type Row, rowsOf, secretsIn, split } from "./rows.ts";
import { count, moment } from "./words.ts";

/** How a list of items is shown, besides the items. */
interface Listing {
  readonly now: number;
  /** Whether each item asked for gets a box that can be unticked; `items` are those that begin ticked, absent: all. */
  readonly ticks?: { readonly items?: readonly number[] };
  /** Positions of what a person left out of the yes. */
  readonly leftOut?: readonly number[];
}

/** Every item and every field of it, never cut: first what is asked for, then quietly what was left out or is open already. */
export function itemList(card: Card, { now, ticks, leftOut = [] }: Listing): Markup {
  const { asked, open } = split(card);
  const kept = asked.filter((item) => !leftOut.includes(card.items.indexOf(item)));
  const without = asked.filter((item) => !kept.includes(item));
  const unchecked = card.standing.is === "waiting" ? asked.filter((item) => !item.checked) : [];
  const some = unchecked.length < asked.length ? unchecked : [];
  const how = without.length > 0 ? "some" : extent(card);
  const tickable = ticks === undefined ? [] : positionsToTick(card);
  const place = (item: CardItem): number => card.items.indexOf(item);
  const box = (at: number): Markup => tick(at, { on: ticks?.items?.includes(at) ?? true });
  return html`<section data-part="items" aria-label="Secrets">
    <ul class="items">
      ${rowsOf(kept).map((row) => {
        const isMarked = some.includes(row.item);
        if (tickable.length === 0) return askedRow(row, how, isMarked);
        const places = row.at.map((at) => place(kept[at] ?? row.item));
        return tickRow(row, { how, isMarked, places, box });
      })}
    </ul>
    ${tickable.length > 0 ? TALLY(tickable.length) : undefined} ${notChecked(card, secretsIn(unchecked))}
    ${quietly("Left out", without, () => undefined)}
    ${quietly("Already open", open, (item) => html`<span>open until ${moment(item.openUntil ?? now, now)}</span>`)}
  </section>`;
}

function quietly(
  title: string,
  items: readonly CardItem[],
  note: (item: CardItem) => Markup | undefined,
): Markup | undefined {
  if (items.length === 0) return undefined;
  return html`<h2>${title}</h2>
    <ul class="items quiet">
      ${rowsOf(items).map(({ item, fields }) => {
        const said = note(item);
        const notes = fields.length > 0 ? [fieldList(fields, "some")] : [];
        return listed(item, said === undefined ? notes : [...notes, said]);
      })}
    </ul>`;
}

/** Before anything is decided: the vault could not tell. */
function notChecked({ action }: Card, secrets: number): Markup | undefined {
  if (secrets === 0) return undefined;
  const done = action === "write" ? "saved" : "read";
  const when = secrets === 1 ? `it exists shows when it is ${done}` : `they exist shows when they are ${done}`;
  return html`<p class="fine">Not checked: whether ${when}.</p>`;
}

/** What unticking does, and how many are left; the script counts. */
function TALLY(all: number): Markup {
  return html`<p class="fine tally">
    <span class="for-all">Untick what it should not get.</span>
    <span class="for-some"
      ><span data-ticked="# of ${all} ticked.">Not all are ticked.</span> The rest counts as denied.</span
    >
    <span class="for-none">Tick at least one, or deny.</span>
  </p>`;
}

function tick(at: number, { on }: { readonly on: boolean }): Markup {
  const checked = on ? html` checked` : undefined;
  return html`<input
    type="checkbox"
    class="tick"
    name="item"
    value="${at}"
    id="item-${at}"
    form="decide"
    autocomplete="off"
    ${checked}
  />`;
}

interface Ticking {
  readonly how: ReturnType<typeof extent>;
  readonly isMarked: boolean;
  readonly places: readonly number[];
  readonly box: (at: number) => Markup;
}

/** One box for a secret, or one for each of its fields. */
function tickRow(row: Row, { how, isMarked, places, box }: Ticking): Markup {
  const { item, fields } = row;
  const [first = 0, ...more] = places;
  if (more.length === 0) {
    return html`<li class="pick">
      <label for="item-${first}">${box(first)}<span>${itemBody(item, notesOf(row, how, isMarked))}</span></label>
    </li>`;
  }
  const head = itemBody(item, isMarked ? [html`<span>not checked</span>`] : []);
  const last = fields.length - 1;
  return html`<li class="pick-fields">
    <div>${head}</div>
    <div class="picks" role="group" aria-label="Fields of ${item.title ?? item.name}">
      <span class="picks-words">${fieldWords(fields, how)}:</span>
      ${fields.map((field, n) => {
        const at = places[n] ?? first;
        const comma = n < last ? COMMA : undefined;
        return html`<label for="item-${at}" class="pick-field"
          >${box(at)}<span>${fieldName(field)}${comma}</span></label
        > `;
      })}
    </div>
  </li>`;
}

function askedRow(row: Row, how: ReturnType<typeof extent>, isMarked: boolean): Markup {
  return listed(row.item, notesOf(row, how, isMarked));
}

function notesOf({ item, fields }: Row, how: ReturnType<typeof extent>, isMarked: boolean): readonly Markup[] {
  const notes: Markup[] = [];
  if (item.write) notes.push(effect(item.write.effect, fields), preview(item.write.preview));
  else if (fields.length > 0) notes.push(fieldList(fields, how));
  if (isMarked) notes.push(html`<span>not checked</span>`);
  return notes;
}

function listed(item: CardItem, notes: readonly Markup[]): Markup {
  return html`<li>${itemBody(item, notes)}</li>`;
}

function itemBody(item: CardItem, notes: readonly Markup[]): Markup {
  const askedFor = isAskedOtherwise(item)
    ? html` <span class="ref">asked for as <bdi class="name" dir="ltr">${item.name}</bdi></span>`
    : undefined;
  const more = notes.length > 0 ? html` <span class="notes">${notes.map((note) => html`${note} `)}</span>` : undefined;
  return html`${called(item)}${askedFor}${more}`;
}

// To the eye the frames are enough; it is for ears and for what is copied.
const COMMA = html`<span class="unseen">,</span>`;

function fieldList(fields: readonly string[], how: ReturnType<typeof extent>): Markup {
  const last = fields.length - 1;
  return html`<span class="fields"
    ><span>${fieldWords(fields, how)}:</span>
    ${fields.map((field, at) => html`<span class="one">${fieldName(field)}${at < last ? COMMA : undefined}</span> `)}</span
  >`;
}

function fieldWords(fields: readonly string[], how: ReturnType<typeof extent>): string {
  return { every: "every field", others: "all other fields", some: fields.length === 1 ? "field" : "fields" }[how];
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
