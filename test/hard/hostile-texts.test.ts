import { expect, it } from "vitest";
import { HOSTILE_TEXTS } from "../support/hostile-texts.ts";
import { expectShown, expectClean, openStage, plainPages, sayEverywhere } from "../support/hostile-run.ts";
import { share } from "../support/share.ts";

const texts = HOSTILE_TEXTS.slice(0, share(HOSTILE_TEXTS.length));

it("500 hostile reasons, names, vaults, tools and arguments stay text on every surface", async () => {
  const stage = await openStage();
  const plain = await plainPages(stage);
  for (const text of texts) await sayEverywhere(stage, text, plain);
  await expectClean(stage);
  expect(texts.length).toBeGreaterThan(9);
});

it("500 hostile clients are shown as what they say they are, and only so", async () => {
  for (const text of texts) await expectShown(text);
  expect(texts.length).toBeGreaterThan(9);
});
