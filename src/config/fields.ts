import * as z from "zod";
import { configSchema } from "./schema.ts";
import { isObject, valueAt, type Path } from "./tree.ts";
import { DEFAULT_VAULT_TYPE } from "./words.ts";

/** A JSON Schema, as far as this house reads one. */
export interface Schema {
  readonly type?: string;
  readonly title?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | false;
  readonly propertyNames?: Schema;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
}

/** The JSON Schema of what a person writes. It is what editors get, and what hints and the documentation are made of. */
export function configJsonSchema(): Schema {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- zod's own type leaves more open than zod does
  return z.toJSONSchema(configSchema(), { io: "input", reused: "inline", target: "draft-7" }) as Schema;
}

/** What the schema knows about a place in a configuration; the type that stands there decides between alternatives. */
export function fieldAt(schema: Schema, path: Path, written: unknown): Schema | undefined {
  let at: Schema | undefined = choose(schema, written);
  for (const [i, step] of path.entries()) {
    at = typeof step === "number" ? at?.items : (property(at, step) ?? (at?.additionalProperties || undefined));
    at = at === undefined ? undefined : choose(at, valueAt(written, path.slice(0, i + 1)));
  }
  return at;
}

function property(schema: Schema | undefined, key: string): Schema | undefined {
  const properties = schema?.properties ?? {};
  return Object.hasOwn(properties, key) ? properties[key] : undefined;
}

function choose(schema: Schema, value: unknown): Schema {
  const typed = (schema.oneOf ?? schema.anyOf ?? []).filter((option) => option.properties?.["type"] !== undefined);
  const [first, ...more] = typed;
  if (first === undefined) return schema;
  const type = (isObject(value) ? value["type"] : undefined) ?? DEFAULT_VAULT_TYPE;
  return typed.find((option) => option.properties?.["type"]?.const === type) ?? shared(first, more);
}

/** What is known of a place whose type is not: the properties that all the alternatives have. */
function shared(first: Schema, more: readonly Schema[]): Schema {
  if (more.length === 0) return first;
  const common = Object.entries(first.properties ?? {}).filter(([key]) =>
    more.every(({ properties = {} }) => Object.hasOwn(properties, key)),
  );
  return { properties: Object.fromEntries(common) };
}
