import { clip, visible } from "../core/text.ts";
import type { Path } from "./tree.ts";

/** Something a person should put right. Names the place and never the value that stands there. */
export interface Problem {
  readonly path: Path;
  /** 1-based, where the text has one. */
  readonly line?: number;
  readonly column?: number;
  readonly message: string;
  readonly hint?: string;
  /** Set where it is the key that is wrong, whatever its value. */
  readonly ofKey?: true;
}

const PLAIN_KEY = /^[A-Za-z_$][A-Za-z0-9_$-]*$/;
const LONGEST_KEY = 60;

/** `vaults.dev.ttl`, `webhooks[0].url`, `vaults["my vault"].file`; the empty path is "". Safe to print. */
export function pathText(path: Path): string {
  return path.map((step, i) => stepText(step, i)).join("");
}

function stepText(step: string | number, at: number): string {
  if (typeof step === "number") return `[${step}]`;
  if (PLAIN_KEY.test(step) && step.length <= LONGEST_KEY) return at === 0 ? step : `.${step}`;
  return `[${JSON.stringify(clip(visible(step), LONGEST_KEY))}]`;
}

/** One line: the place, what is wrong, and what to do. */
export function problemText(problem: Problem): string {
  const place = placeText(problem);
  const what = place === "" ? problem.message : `${place} ${problem.message}`;
  return problem.hint === undefined ? what : `${what}: ${problem.hint}`;
}

/** The place alone: `vaults.dev.ttl (line 4)`. */
export function placeText({ path, line, column }: Problem): string {
  const name = path.length === 0 && line !== undefined ? "the file" : pathText(path);
  if (line === undefined) return name;
  return column === undefined ? `${name} (line ${line})` : `${name} (line ${line}, column ${column})`;
}
