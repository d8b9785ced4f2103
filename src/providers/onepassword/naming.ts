import { fold } from "./catalog.ts";
import type { Field, Shape } from "./shape.ts";

/** A way to name a field: by these texts of it, with or without regard to capitals. */
interface Way {
  readonly texts: (field: Field) => readonly string[];
  readonly keyOf: (text: string) => string;
}

const exactly = (text: string): string => text;

/** The strongest first: a later way is tried when the ones before it find nothing. */
const WAYS: readonly Way[] = [
  { texts: ({ id }) => [id], keyOf: exactly },
  { texts: ({ title }) => [title], keyOf: exactly },
  { texts: inSection, keyOf: exactly },
  { texts: ({ title }) => [title], keyOf: fold },
  { texts: inSection, keyOf: fold },
];

type Index = readonly { readonly keyOf: Way["keyOf"]; readonly fields: ReadonlyMap<string, readonly Field[]> }[];

/** Made once for each shape: an item may have thousands of fields, and each is looked for. */
const indexes = new WeakMap<Shape, Index>();

/** The fields that a text means: several if it does not tell them apart, none if there is none of that name. */
export function fieldsCalled(shape: Shape, wanted: string): readonly Field[] {
  const index = indexes.get(shape) ?? indexOf(shape);
  indexes.set(shape, index);
  for (const { keyOf, fields } of index) {
    const found = fields.get(keyOf(wanted));
    if (found) return found;
  }
  return [];
}

/** What a field can be asked for as, the shortest first. */
export function namesOf(field: Field): readonly string[] {
  return [field.title, ...inSection(field), field.id].filter((name) => name !== "" && !name.endsWith("/"));
}

/** Fields first, then the notes: they are meant only when no field has that name. */
function indexOf({ fields }: Shape): Index {
  const pools = [fields.filter(({ kind }) => kind !== "Notes"), fields.filter(({ kind }) => kind === "Notes")];
  return pools.flatMap((pool) => WAYS.map((way) => ({ keyOf: way.keyOf, fields: grouped(pool, way) })));
}

function grouped(pool: readonly Field[], { texts, keyOf }: Way): ReadonlyMap<string, readonly Field[]> {
  const groups = new Map<string, Field[]>();
  for (const field of pool) {
    for (const key of new Set(texts(field).map(keyOf))) {
      const group = groups.get(key);
      if (group) group.push(field);
      else groups.set(key, [field]);
    }
  }
  return groups;
}

function inSection({ id, title, sectionId, sectionTitle }: Field): readonly string[] {
  if (sectionId === undefined || sectionTitle === undefined) return [];
  return [`${sectionTitle}/${title}`, `${sectionId}/${title}`, `${sectionTitle}/${id}`, `${sectionId}/${id}`];
}
