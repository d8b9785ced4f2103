import { parseTree, printParseErrorCode, type Node, type ParseError } from "jsonc-parser";
import type { Problem } from "./problem.ts";
import type { Path } from "./tree.ts";

/** A JSON text with comments, read: its value, and where in the text each part of it stands. */
export interface Jsonc {
  readonly value: unknown;
  /** The 1-based line of the deepest part of this path that the text has. */
  readonly lineOf: (path: Path) => number | undefined;
  /** A key written twice, or one that no program should accept. */
  readonly problems: readonly Problem[];
}

/**
 * Reads JSON with comments and trailing commas. A text that is not even that comes back as the first thing wrong with
 * it: what follows the first slip is mostly its consequence. Nothing of the text is repeated in a problem but its keys.
 */
export function readJsonc(text: string): Jsonc | { readonly broken: Problem } {
  const lines = lineStarts(text);
  const errors: ParseError[] = [];
  let root: Node | undefined;
  try {
    root = parseTree(text, errors, { allowTrailingComma: true });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { broken: { path: [], message: "is nested too deeply", hint: "a configuration has about four levels" } };
  }
  const first = errors[0];
  if (first !== undefined || root === undefined) return { broken: slip(first, { nothing: root === undefined, lines }) };

  const problems: Problem[] = [];
  const value = valueOf(root, [], (path, key, offset) => {
    const proto = key === "__proto__";
    problems.push({
      path: [...path, key],
      line: lineAt(lines, offset),
      message: proto ? "is not a key that can be used" : "is written twice",
      hint: proto ? "choose another name" : "keep one of the two: which one counts is anybody's guess",
    });
  });
  return { value, problems, lineOf: (path) => lineAt(lines, nearest(root, path).offset) };
}

/** What the parser calls its errors, in words a person can act on. */
const SLIPS: Record<string, readonly [message: string, hint: string]> = {
  InvalidSymbol: ["has a word where none can stand", 'text goes in double quotes: "like this"'],
  InvalidNumberFormat: ["has a number that is not written as one", "write it like 15 or 0.5"],
  PropertyNameExpected: ["has something else where a key should be", 'keys go in double quotes: "ttl": 15'],
  ValueExpected: ["has a key without a value", "add the value after the colon, or remove the key"],
  ColonExpected: ["has a key that no colon follows", 'write "key": value'],
  CommaExpected: ["lacks a comma", "put a comma between this and what stands before it"],
  CloseBraceExpected: ["has a { that is never closed", "add the missing }"],
  CloseBracketExpected: ["has a [ that is never closed", "add the missing ]"],
  EndOfFileExpected: ["goes on after its end", "everything stands inside one pair of { and }"],
  UnexpectedEndOfComment: ["has a comment that is never closed", "add the missing */"],
  UnexpectedEndOfString: ["has a text that is never closed", "add the missing double quote"],
  UnexpectedEndOfNumber: ["has a number that breaks off", "write it like 15 or 0.5"],
  InvalidUnicode: ["has a \\u that four hexadecimal digits do not follow", "a backslash is written \\\\"],
  InvalidEscapeCharacter: ["has a backslash in a text", 'write it twice, or use slashes: "C:/secrets/.env"'],
  InvalidCharacter: ["has a character that cannot stand there", 'text goes in double quotes: "like this"'],
};

function slip(
  error: ParseError | undefined,
  { nothing, lines }: { nothing: boolean; lines: readonly number[] },
): Problem {
  const code = error === undefined ? "ValueExpected" : printParseErrorCode(error.error);
  if (error === undefined || (nothing && code === "ValueExpected")) {
    return { path: [], message: "is empty", hint: "run agent-vault init in an empty folder to see one that works" };
  }
  const [message, hint] = SLIPS[code] ?? ["is not JSON", "compare it with the example"];
  const line = lineAt(lines, error.offset);
  return { path: [], line, column: error.offset - (lines[line - 1] ?? 0) + 1, message, hint };
}

type Refuse = (path: Path, key: string, offset: number) => void;

function valueOf(node: Node, path: Path, refuse: Refuse): unknown {
  if (node.type === "array") return (node.children ?? []).map((child, i) => valueOf(child, [...path, i], refuse));
  if (node.type !== "object") return node.value;
  const object: Record<string, unknown> = {};
  for (const property of node.children ?? []) {
    const [name, value] = property.children ?? [];
    if (name === undefined || value === undefined) continue;
    const key = String(name.value);
    if (key === "__proto__" || Object.hasOwn(object, key)) refuse(path, key, name.offset);
    else object[key] = valueOf(value, [...path, key], refuse);
  }
  return object;
}

function nearest(root: Node, path: Path): Node {
  let at = root;
  for (const step of path) {
    const next =
      typeof step === "number"
        ? at.children?.[step]
        : at.children?.find((property) => property.children?.[0]?.value === step)?.children?.[1];
    if (next === undefined) {
      const named = at.children?.find((property) => property.children?.[0]?.value === step)?.children?.[0];
      return named ?? at;
    }
    at = next;
  }
  // A value that opens on the line below its key is looked for at its key.
  return at.parent?.type === "property" ? (at.parent.children?.[0] ?? at) : at;
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (const match of text.matchAll(/\r\n|\r|\n/g)) starts.push(match.index + match[0].length);
  return starts;
}

function lineAt(starts: readonly number[], offset: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return low + 1;
}
