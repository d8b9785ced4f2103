import { z } from "zod";
import type { Path } from "./problem.ts";
import { configSchema } from "./schema.ts";
import { DEFAULT_VAULT_TYPE } from "./words.ts";

/** A JSON Schema, as far as this house reads one. */
export interface Schema {
  readonly type?: string;
  readonly title?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
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
  const made = z.toJSONSchema(configSchema(), { io: "input", reused: "inline" });
  return made as Schema; // zod's own type says less about what it made
}

/** What the schema knows about a place in a configuration; the type that stands there decides between alternatives. */
export function fieldAt(schema: Schema, path: Path, written: unknown): Schema | undefined {
  let at: Schema | undefined = choose(schema, written);
  let value = written;
  for (const step of path) {
    const own: unknown =
      typeof value === "object" && value !== null && Object.hasOwn(value, step) ? Reflect.get(value, step) : undefined;
    value = own;
    at = typeof step === "number" ? at?.items : (property(at, step) ?? (at?.additionalProperties || undefined));
    at = at === undefined ? undefined : choose(at, value);
  }
  return at;
}

function property(schema: Schema | undefined, key: string): Schema | undefined {
  const properties = schema?.properties ?? {};
  return Object.hasOwn(properties, key) ? properties[key] : undefined;
}

function choose(schema: Schema, value: unknown): Schema {
  const alternatives = (schema.oneOf ?? schema.anyOf)?.filter((option) => option.properties?.["type"] !== undefined);
  if (alternatives === undefined || alternatives.length === 0) return schema;
  const type: unknown = typeof value === "object" && value !== null ? Reflect.get(value, "type") : undefined;
  const named = alternatives.find((option) => option.properties?.["type"]?.const === (type ?? DEFAULT_VAULT_TYPE));
  return named ?? (alternatives.length === 1 ? (alternatives[0] as Schema) : schema);
}
