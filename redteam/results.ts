import { type About, ABOUT, type Level, LEVELS, type Outcome } from "./attack.ts";

/** What came of one attack. */
export interface Result {
  readonly id: string;
  readonly title: string;
  readonly about: About;
  readonly why: string;
  readonly outcomes: Readonly<Partial<Record<Level, Outcome>>>;
  /** Whether the same attack works against a program weakened for it; absent where there is none. */
  readonly control?: "works" | "fails";
}

/** The file that the tables in SECURITY.md are written from. */
export function resultsText(results: readonly Result[]): string {
  const $comment = "Written by npm run redteam -- --write: do not edit";
  return `${JSON.stringify({ $comment, levels: LEVELS, parts: ABOUT, results }, null, 2)}\n`;
}
