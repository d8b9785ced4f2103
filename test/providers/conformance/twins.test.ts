import { expect, it } from "vitest";
import { TWINS } from "./paper/bugs.ts";
import { paperWith } from "./paper/provider.ts";
import { paperWorld } from "./paper/world.ts";
import { SENTENCES, sentenceOf } from "./sentences.ts";

/** Sentences whose twins are in twins-alone.test.ts. */
const ELSEWHERE = [
  "loads nothing heavy and reaches for nothing before it is used",
  "lets the process end once it is closed",
  "lets the process end though the vault still owes an answer",
  "is configured as its documentation shows, and the token stays out of sight",
];

it.each(TWINS)("a provider that %s is caught by: %s", async (bug, title) => {
  await expect(sentenceOf(title).play(paperWorld(paperWith(bug)))).rejects.toThrow();
});

it("plants a bug for every sentence", () => {
  const caught = new Set<string>([...TWINS.map(([, title]) => title), ...ELSEWHERE]);
  expect(SENTENCES.map(({ title }) => title).filter((title) => !caught.has(title))).toEqual([]);
});
