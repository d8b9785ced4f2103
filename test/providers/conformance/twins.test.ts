import { expect, it } from "vitest";
import { BUGS, type Bug } from "./paper/bugs.ts";
import { paperWith } from "./paper/provider.ts";
import { paperWorld } from "./paper/world.ts";
import { sentenceOf } from "./sentences.ts";

it.each(Object.entries(BUGS) as [Bug, string][])("a provider that %s is caught by: %s", async (bug, title) => {
  await expect(sentenceOf(title).play(paperWorld(paperWith(bug)))).rejects.toThrow();
});
