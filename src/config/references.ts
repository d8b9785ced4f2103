import type { Problem } from "./problem.ts";
import { isObject, type Path } from "./tree.ts";

const MARK = "env:";
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** A `"env:NAME"` that was found. */
export interface Reference {
  readonly path: Path;
  readonly name: string;
}

/** A piece of the configuration with its references replaced by what stands behind them. */
export interface Resolved {
  readonly value: unknown;
  /** Where a value came from elsewhere; such a value is not the file's mistake, and not a literal secret. */
  readonly taken: readonly Reference[];
  /** References to variables that are not set; they stand in `value` as they were written. */
  readonly unset: readonly Reference[];
  readonly problems: readonly Problem[];
}

/** The variable a text refers to; "" when it says `env:` and names none that could exist. */
export function referenceIn(value: unknown): string | undefined {
  if (typeof value !== "string" || !value.startsWith(MARK)) return undefined;
  const name = value.slice(MARK.length);
  return VARIABLE.test(name) ? name : "";
}

/**
 * Replaces every `"env:NAME"` below `path`, however deep, except under the keys in `fixed`. What a variable holds is
 * taken as it is: it is text, never a number or a switch, and a reference inside it is not followed.
 */
export function resolveReferences(
  value: unknown,
  path: Path,
  fixed: readonly string[],
  lookup: (name: string) => string | undefined,
): Resolved {
  const taken: Reference[] = [];
  const unset: Reference[] = [];
  const problems: Problem[] = [];

  const walk = (value: unknown, path: Path): unknown => {
    if (Array.isArray(value)) return value.map((item, i) => walk(item, [...path, i]));
    if (isObject(value)) {
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, walk(item, [...path, key])]));
    }
    const name = referenceIn(value);
    if (name === undefined) return value;
    if (name === "") {
      const hint = 'write "env:" and the name of a variable: letters, digits and _, like "env:OP_TOKEN"';
      problems.push({ path, message: "refers to no variable", hint });
      return value;
    }
    const found = lookup(name);
    if (found === undefined) unset.push({ path, name });
    else taken.push({ path, name });
    return found ?? value;
  };

  const whole = isObject(value)
    ? Object.fromEntries(
        Object.entries(value).map(([key, item]) => [key, fixed.includes(key) ? item : walk(item, [...path, key])]),
      )
    : walk(value, path);
  return { value: whole, taken, unset, problems };
}

/** Every variable that a configuration refers to anywhere; so the `.env` beside it is read only when it is needed. */
export function referencedNames(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(referencedNames);
  if (isObject(value)) return Object.values(value).flatMap(referencedNames);
  const name = referenceIn(value);
  return name === undefined || name === "" ? [] : [name];
}
