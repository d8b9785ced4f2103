import type { z } from "zod";
import { fieldAt, type Schema } from "./fields.ts";
import { VAULT_NAME_HINT } from "./names.ts";
import { nearestWord } from "../core/near.ts";
import { pathText, placeText, type Problem } from "./problem.ts";
import { valueAt, type Path } from "./tree.ts";
import { COMING_TYPES } from "./words.ts";

type Issue = z.core.$ZodIssue;

const MANY_WORDS = 4;
/** The hint where a reference stands and no text can. */
export const NOT_FROM_VARIABLE = "this is written in the file itself, it cannot come from a variable";

/** What stands in the file, and what the schema says about it. */
export interface Context {
  /** The value the file holds, as it was written. */
  readonly written: unknown;
  /** The JSON Schema of the same schema: what is known about each place. */
  readonly schema: Schema;
}

/** Turns what zod found into what a person can act on. Never repeats a value: it might be a token in the wrong place. */
export function explain(issues: readonly Issue[], context: Context): Problem[] {
  const found = issues.flatMap((issue) => explainOne(issue, context));
  // A text that is empty, say, breaks each rule about it, and is empty once.
  return [...new Map(found.map((problem) => [`${placeText(problem)}\n${problem.message}`, problem])).values()];
}

function explainOne(issue: Issue, context: Context): Problem[] {
  const path = pathOf(issue.path);
  const there = valueAt(context.written, path);
  const field = fieldAt(context.schema, path, context.written);
  // An entry of a list, or under a name of one's own, means what the whole of it says.
  const meaning = field?.description ?? fieldAt(context.schema, path.slice(0, -1), context.written)?.description;
  const problem = (message: string, hint: string | undefined): Problem[] => [
    { path, message, ...(hint === undefined ? {} : { hint }) },
  ];

  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => unknownKey(path, key, knownIn(field)));
    case "invalid_key":
      return wrongName(issue, path, context);
    case "invalid_union":
      // zod 4 names the known discriminators beside the issue; its type does not.
      if (issue.discriminator !== undefined) return problem(...unknownType(there, Reflect.get(issue, "options")));
      return explainAlternatives(issue, path, there, meaning, context);
    case "invalid_type":
      if (there === undefined) return problem("is missing", meaning);
      return problem(
        wrongKind(there, wanted(issue.expected)),
        correction(there, issue.expected) ?? inside(field) ?? meaning,
      );
    case "invalid_value":
      return problem(...unknownWord(there, issue.values.map(String), meaning));
    case "too_small":
      return problem(size("at least", issue.origin, Number(issue.minimum)), meaning);
    case "too_big":
      return problem(size("at most", issue.origin, Number(issue.maximum)), meaning);
    case "invalid_format":
    case "custom":
      if (there === "") return problem("is empty", meaning);
      if (issue.code === "invalid_format" && issue.format === "url")
        return problem("is not an address like https://example.com/path", meaning);
      // What the schema's author says either follows the path in a sentence or is a sentence of its own.
      if (/^(?:must|is|has|needs|cannot) /.test(issue.message)) return problem(issue.message, meaning);
      return problem("is not written as it must be", said(issue.message) ?? meaning);
    case "not_multiple_of":
    case "invalid_element":
    default:
      return problem("is not what can stand there", meaning);
  }
}

/** A key that a person chose, and that cannot be one. */
function wrongName(issue: Extract<Issue, { code: "invalid_key" }>, path: Path, context: Context): Problem[] {
  if (path.length === 2) return [{ path, message: "is not a name for a vault", hint: VAULT_NAME_HINT, ofKey: true }];
  const hint = fieldAt(context.schema, path.slice(0, -1), context.written)?.description ?? "choose another name";
  const inner = issue.issues.map((one) => ({ ...one, path: issue.path }));
  return explain(inner, context).map(({ message }) => ({
    path,
    message: `has a name that ${message}`,
    hint,
    ofKey: true,
  }));
}

/** Of several things that could stand there, the one that was meant: a list's entries, or one of the words. */
function explainAlternatives(
  issue: Extract<Issue, { code: "invalid_union" }>,
  path: Path,
  there: unknown,
  meaning: string | undefined,
  context: Context,
): Problem[] {
  const inside = issue.errors.find((issues) => issues.some((inner) => inner.path.length > 0));
  const words = issue.errors.flat().find((inner) => inner.code === "invalid_value" && inner.path.length === 0);
  const meant = Array.isArray(there) ? inside : typeof there === "string" && words !== undefined ? [words] : undefined;
  if (meant !== undefined)
    return explain(
      meant.map((inner) => ({ ...inner, path: [...path, ...inner.path] })),
      context,
    );
  const hint = meaning === undefined ? {} : { hint: meaning };
  return [{ path, message: there === undefined ? "is missing" : `cannot be ${kindOf(there)}`, ...hint }];
}

/** The keys that can say anything there. */
function knownIn(field: Schema | undefined): string[] {
  return Object.entries(field?.properties ?? {}).flatMap(([key, { const: only }]) => (only === false ? [] : [key]));
}

function unknownKey(path: Path, key: string, known: readonly string[]): Problem {
  const near = nearestWord(key, known);
  const here = pathText(path) || "the top level";
  const hint =
    near === undefined
      ? `${here} knows ${known.filter((name) => name !== "$schema").join(", ")}`
      : `did you mean ${JSON.stringify(near)}?`;
  return { path: [...path, key], message: "is not a known key", hint, ofKey: true };
}

function unknownType(there: unknown, options: unknown): [string, string] {
  const known = (Array.isArray(options) ? options : []).filter((name) => typeof name === "string");
  const list = `known here: ${known.map((name) => JSON.stringify(name)).join(", ")}`;
  if (there === undefined) return ["is missing", list];
  if (typeof there !== "string") return [wrongKind(there, "a text"), list];
  if (COMING_TYPES.includes(there) && known.includes("env")) {
    return [`is ${JSON.stringify(there)}, which this version does not have yet`, list];
  }
  const near = nearestWord(there, [...known, ...(known.includes("env") ? COMING_TYPES : [])]);
  const later = near !== undefined && !known.includes(near) ? "this version does not have it yet; " : "";
  const meant = near === undefined ? "" : `did you mean ${JSON.stringify(near)}? `;
  return ["is not a type this version knows", `${meant}${later}${list}`];
}

function unknownWord(
  there: unknown,
  known: readonly string[],
  meaning: string | undefined,
): [string, string | undefined] {
  const words = known.map((word) => JSON.stringify(word));
  const list = words.length > MANY_WORDS ? `one of ${words.join(", ")}` : words.join(" or ");
  if (there === undefined) return ["is missing", meaning ?? `write ${list}`];
  if (typeof there !== "string") return [wrongKind(there, list), switchWord(there, known) ?? meaning];
  if (there.startsWith("env:")) return [`must be ${list}`, NOT_FROM_VARIABLE];
  const near = nearestWord(there, known);
  return [`must be ${list}`, near === undefined ? meaning : `did you mean ${JSON.stringify(near)}?`];
}

function switchWord(there: unknown, known: readonly string[]): string | undefined {
  if (typeof there !== "boolean" || !known.includes("never")) return undefined;
  return `write ${there ? '"always"' : '"never"'}`;
}

/** What to type instead, where that is plain from what stands there. */
function correction(there: unknown, expected: string): string | undefined {
  if (expected === "array" && typeof there === "string") return "put it between [ and ]";
  if (typeof there === "string" && there.startsWith("env:")) return NOT_FROM_VARIABLE;
  const number = expected === "number" || expected === "int";
  if (number && typeof there === "string" && /^\s*-?\d{1,6}(?:\.\d{1,3})?\s*$/.test(there)) {
    return `write ${there.trim()} without quotes`;
  }
  if (expected === "boolean" && (there === "true" || there === "false")) return `write ${there} without quotes`;
  if (expected === "boolean") return "write true or false, without quotes";
  if (expected === "string" && (typeof there === "number" || typeof there === "boolean"))
    return "put it in double quotes";
  return undefined;
}

/** What an object of this kind may hold. */
function inside(field: Schema | undefined): string | undefined {
  const keys = Object.keys(field?.properties ?? {}).filter((key) => key !== "$schema");
  return keys.length === 0 ? undefined : `it holds ${keys.join(", ")}`;
}

function wrongKind(there: unknown, wanted: string): string {
  return `must be ${wanted}, not ${kindOf(there)}`;
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "string") return "a text";
  if (typeof value === "boolean") return "true or false";
  if (typeof value !== "number") return "an object";
  if (!Number.isFinite(value)) return "a number this large";
  return Number.isInteger(value) ? "a number" : "a number with a fraction";
}

function wanted(expected: string): string {
  switch (expected) {
    case "string":
      return "a text";
    case "number":
      return "a number";
    case "int":
      return "a whole number";
    case "boolean":
      return "true or false";
    case "array":
      return "a list";
    default:
      return "an object between { and }";
  }
}

/** What the schema's author says about it; zod's own words begin with "Invalid". */
function said(message: string): string | undefined {
  return message.startsWith("Invalid") ? undefined : message;
}

function size(bound: string, origin: string, limit: number): string {
  if (origin === "string") return limit === 1 ? "is empty" : `must have ${bound} ${limit} characters`;
  if (origin === "array" || origin === "record")
    return limit === 1 ? "is empty" : `must have ${bound} ${limit} entries`;
  return `must be ${bound} ${limit}`;
}

function pathOf(path: readonly PropertyKey[]): Path {
  return path.map((step) => (typeof step === "symbol" ? String(step) : step));
}
