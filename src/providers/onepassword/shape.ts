import type { Item, ItemCategory, ItemField, ItemFieldType } from "@1password/sdk";

/** What 1Password calls the notes of an item in a reference. They are not among its fields. */
export const NOTES_ID = "notesPlain";
export const NOTES_TITLE = "notes";

/** A field without its value. */
export interface Field {
  readonly id: string;
  readonly title: string;
  /** Absent for built-in fields and those of the section without a name. */
  readonly sectionId?: string;
  readonly sectionTitle?: string;
  readonly kind: `${ItemFieldType}` | "Notes";
  readonly filled: boolean;
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
  return {
    id,
    vaultId,
    title,
    category,
    version,
    fields: [...known.map((field) => fieldOf(field, sections)), notes],
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

/** Whether this field of an item has this place. */
export function isAt(field: ItemField, place: { readonly sectionId?: string; readonly fieldId: string }): boolean {
  return field.id === place.fieldId && (field.sectionId ?? "") === (place.sectionId ?? "");
}
