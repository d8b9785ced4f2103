/** Most schemas that are looked into for values, in one document. */
const MOST_SCHEMAS = 200;
/** Most values that are taken from one schema. */
const MOST_VALUES = 200;
const LONGEST_REFERENCE = 1_000;

/** A server's document, looked into by its references. What a look costs does not grow with what the document holds. */
export interface Document {
  /** What a reference stands for, else the thing itself. Nothing outside of the document is ever fetched. */
  readonly resolved: (thing: unknown) => unknown;
  /** The texts that a schema permits, where it lists them; none once 200 schemas were looked into. */
  readonly textsOf: (schema: unknown) => readonly string[];
}

/** Makes a document of what was parsed from JSON. */
export function createDocument(json: unknown): Document {
  let left = MOST_SCHEMAS;

  const resolved = (thing: unknown): unknown => {
    const ref = child(thing, "$ref");
    return typeof ref === "string" ? follow(json, ref) : thing;
  };

  const textsOf = (schema: unknown): string[] => {
    // Schemas may hold each other, and the same one any number of times.
    if (left-- <= 0) return [];
    const whole = resolved(schema);
    const own = listAt(whole, "enum")
      .slice(0, MOST_VALUES)
      .filter((value) => typeof value === "string");
    if (own.length > 0) return own;
    const texts: string[] = [];
    for (const key of ["allOf", "oneOf", "anyOf"]) {
      for (const part of listAt(whole, key)) {
        if (left <= 0 || texts.length >= MOST_VALUES) return texts;
        texts.push(...textsOf(part));
      }
    }
    return texts;
  };

  return { resolved, textsOf };
}

/** What an object holds under a key by itself; undefined for whatever is no object. */
export function child(thing: unknown, key: string): unknown {
  return isObject(thing) && Object.hasOwn(thing, key) ? thing[key] : undefined;
}

function isObject(thing: unknown): thing is Readonly<Record<string, unknown>> {
  return typeof thing === "object" && thing !== null;
}

/** The list that an object holds under a key; empty where it holds none. */
export function listAt(thing: unknown, key: string): readonly unknown[] {
  const list = child(thing, key);
  return Array.isArray(list) ? (list as readonly unknown[]) : [];
}

/** What a JSON pointer within the document names. */
function follow(json: unknown, ref: string): unknown {
  if (!ref.startsWith("#/") || ref.length > LONGEST_REFERENCE) return undefined;
  const steps = ref.slice(2).split("/");
  return steps.reduce<unknown>((thing, step) => child(thing, step.replaceAll("~1", "/").replaceAll("~0", "~")), json);
}
