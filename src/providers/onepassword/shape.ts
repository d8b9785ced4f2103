import { fold } from "./catalog.ts";
import type { Item, ItemCategory, ItemField, ItemFieldType } from "@1password/sdk";

/** What 1Password calls the notes of an item in a reference. They are not among its fields. */
export const NOTES_ID = "notesPlain";
export const NOTES_TITLE = "notes";

/** Where a field is in its item, by ids. */
export interface Place {
  readonly sectionId?: string;
  readonly fieldId: string;
}

/** A field without its value. */
export interface Field {
  readonly id: string;
  readonly title: string;
  /** Absent for built-in fields and those of the section without a name. */
  readonly sectionId?: string;
  readonly sectionTitle?: string;
  readonly kind: `${ItemFieldType}` | "Notes";
  readonly filled: boolean;
  /** Another one of the item has the same ids: no address tells them apart. */
  readonly doubled?: true;
}

/** An item without its values. There is no call that returns the one without the other. */
export interface Shape {
  readonly id: string;
  readonly vaultId: string;
  readonly title: string;
  readonly category: `${ItemCategory}`;
  readonly version: number;
  /** Those that can be read, in the item's order; the notes last. */
  readonly fields: readonly Field[];
  /** Titles of those that the SDK does not know: they cannot be read, and the item cannot be saved. */
  readonly unsupported: readonly string[];
  /** Names of the files in it. */
  readonly files: readonly string[];
}

/** What remains of an item when its values are taken away. */
export function shapeOf(item: Item): Shape {
  const sections = new Map(item.sections.map(({ id, title }) => [id, title]));
  const known = item.fields.filter((field) => !isUnsupported(field));
  const { id, vaultId, title, category, version } = item;
  const notes: Field = { id: NOTES_ID, title: NOTES_TITLE, kind: "Notes", filled: item.notes !== "" };
  const at = placesIn(item);
  const seen = (field: Field): Field =>
    at({ ...field, fieldId: field.id }) === "many" ? { ...field, doubled: true } : field;
  return {
    id,
    vaultId,
    title,
    category,
    version,
    fields: [...known.map((field) => fieldOf(field, sections)), notes].map(seen),
    unsupported: item.fields.filter(isUnsupported).map((field) => field.title),
    files: [...(item.document ? [item.document.name] : []), ...item.files.map(({ attributes }) => attributes.name)],
  };
}

function fieldOf({ id, title, sectionId, fieldType, value }: ItemField, sections: ReadonlyMap<string, string>): Field {
  const own = { id, title, kind: fieldType, filled: value !== "" };
  if (sectionId === undefined || sectionId === "") return own;
  return { ...own, sectionId, sectionTitle: sections.get(sectionId) ?? "" };
}

function isUnsupported({ fieldType }: ItemField): boolean {
  const kind: `${ItemFieldType}` = fieldType;
  return kind === "Unsupported";
}

/** Where there is more than one, none of them is meant. */
export type There = ItemField | "notes" | "none" | "many";

/** What a place means in an item: the one field with exactly these ids, or the notes. Made once for many places. */
export function placesIn(item: Item): (place: Place) => There {
  const there = new Map<string, There>([[spell({ fieldId: NOTES_ID }), "notes"]]);
  for (const field of item.fields) {
    const place = spell({ ...field, fieldId: field.id });
    there.set(place, there.has(place) ? "many" : field);
  }
  return (place) => there.get(spell(place)) ?? "none";
}

/** Whether a reference to this id can mean nothing else in the item: references mean titles, and files, as well. */
export function isOnlyOneCalled({ fields, files, document }: Item, id: string): boolean {
  const called = [
    ...fields.flatMap((field) => [...new Set([fold(field.id), fold(field.title)])]),
    ...files.flatMap(({ fieldId, attributes }) => [fold(fieldId), fold(attributes.name), fold(attributes.id)]),
    ...(document ? [fold(document.name), fold(document.id)] : []),
  ];
  return called.filter((name) => name === fold(id)).length === 1;
}

function spell({ sectionId = "", fieldId }: Place): string {
  return JSON.stringify([sectionId, fieldId]);
}
