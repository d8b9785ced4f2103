import type { Card, CardItem } from "../core/card.ts";
import { count } from "./words.ts";

/** What the page shows as one entry: a secret, or those fields of it that stand alike. */
export interface Row {
  readonly item: CardItem;
  /** In the order they were asked for; empty where the secret is one value without a field. */
  readonly fields: readonly string[];
  /** Where its items stand in the list given, one for each field; one alone where it has none. */
  readonly at: readonly number[];
}

/** The items an approval is asked for, and those an open window already covers. */
export function split(card: Card): { readonly asked: readonly CardItem[]; readonly open: readonly CardItem[] } {
  return {
    asked: card.items.filter((item) => item.openUntil === undefined),
    open: card.items.filter((item) => item.openUntil !== undefined),
  };
}

/** Brings the fields of one secret together under its name. Nothing is left out, and nothing else is joined. */
export function rowsOf(items: readonly CardItem[]): readonly Row[] {
  const rows = new Map<string, { item: CardItem; fields: string[]; at: number[] }>();
  items.forEach((item, at) => {
    const { name, title, field, checked, openUntil, write } = item;
    const alone = write !== undefined || field === undefined;
    const key = JSON.stringify(alone ? at : [name, title, checked, openUntil]);
    const row = rows.get(key) ?? { item, fields: [], at: [] };
    row.at.push(at);
    if (field !== undefined) row.fields.push(field);
    rows.set(key, row);
  });
  return [...rows.values()];
}

/** How many different secrets the items are of. */
export function secretsIn(items: readonly CardItem[]): number {
  return new Set(items.map((item) => item.name)).size;
}

/** "this secret", "these 2 secrets", "these 3 fields": what is opened and no more; "these 2" where it is some of each. */
export function these(items: readonly CardItem[]): string {
  const noun = nounFor(items);
  if (items.length === 1) return `this ${noun ?? "secret"}`;
  return noun === undefined ? `these ${items.length}` : `these ${count(items.length, noun)}`;
}

/** What each of the items is; undefined where they differ in that. One field of each of several secrets: the secrets. */
export function nounFor(items: readonly CardItem[]): "field" | "secret" | undefined {
  const fields = items.filter((item) => item.field !== undefined).length;
  if (fields === items.length && fields > 0) {
    return fields > 1 && secretsIn(items) === fields ? "secret" : "field";
  }
  return fields === 0 ? "secret" : undefined;
}

/** How much of its secret a card asks for: "every" field, all "others" besides those that are open, or "some". */
export function extent(card: Card): "every" | "others" | "some" {
  if (!card.everyField) return "some";
  return split(card).open.length === 0 ? "every" : "others";
}
