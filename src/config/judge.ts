import type { OptionProblem, ProviderDefinition } from "../providers/define.ts";
import { providerOf } from "../providers/registry.ts";
import type { Problem } from "./problem.ts";
import type { Part } from "./text.ts";
import { isObject, type Path } from "./tree.ts";
import { DEFAULT_VAULT_TYPE } from "./words.ts";

/**
 * What does not go together inside a vault although each part of it is right by itself. A vault that lacks a variable is
 * judged as far as the answer does not hang on what that variable would hold.
 */
export function judgeVaults(parts: readonly Part[]): Problem[] {
  return parts.filter(({ path, coming }) => path[0] === "vaults" && coming !== true).flatMap(judge);
}

function judge({ path, resolved }: Part): Problem[] {
  const vault = resolved.value;
  if (!isObject(vault)) return [];
  const type = vault["type"] ?? DEFAULT_VAULT_TYPE;
  const definition = typeof type === "string" ? providerOf(type) : undefined;
  if (definition === undefined) return [];
  const writable = vault["writable"] === true;
  const unset = resolved.unset.map((reference) => reference.path.slice(path.length));
  const found = [
    ...(writable && !definition.can.includes("write") ? [notWritable(definition)] : []),
    ...certain(definition, vault, unset, writable),
  ];
  return found.map(({ path: at, message, hint }) => ({ path: [...path, ...at], message, hint }));
}

function notWritable({ type }: ProviderDefinition): OptionProblem {
  return {
    path: ["writable"],
    message: `is true, and a vault of type ${JSON.stringify(type)} cannot be written to`,
    hint: "remove it: what agents save goes into another vault",
  };
}

/**
 * The problems that stay whatever the unset variables hold: reported while something stands there and also while nothing
 * does, where nothing may, and not at these places themselves.
 */
function certain(
  definition: ProviderDefinition,
  vault: Readonly<Record<string, unknown>>,
  unset: readonly Path[],
  writable: boolean,
): readonly OptionProblem[] {
  if (definition.problems === undefined) return [];
  const { shape } = definition.options;
  const own = Object.entries(vault).filter(([key]) => Object.hasOwn(shape, key));
  const isLacking = (key: string): boolean => unset.some(([first]) => first === key);
  const without = own.filter(([key]) => !(isLacking(key) && shape[key]?.safeParse(undefined).success === true));
  const read = (entries: readonly (readonly [string, unknown])[]): readonly OptionProblem[] | undefined => {
    const options = definition.options.safeParse(Object.fromEntries(entries));
    return options.success ? (definition.problems?.(options.data, { writable }) ?? []) : undefined;
  };
  const found = read(own) ?? [];
  if (unset.length === 0 || found.length === 0) return found;
  const others = read(without) ?? found;
  return found.filter(
    (problem) => others.some((other) => isSame(problem, other)) && !unset.some((path) => overlap(path, problem.path)),
  );
}

function isSame(a: OptionProblem, b: OptionProblem): boolean {
  return a.message === b.message && a.path.join("\0") === b.path.join("\0");
}

/** Whether one of two places lies inside the other, or both are one. */
function overlap(a: Path, b: Path): boolean {
  return a.slice(0, b.length).every((step, i) => String(step) === String(b[i]));
}
