import { describe, expect, it } from "vitest";
import { SENTENCES } from "./sentences.ts";
import type { Sentence } from "./sentence.ts";
import type { ProviderWorld } from "./world.ts";

/** Whether a sentence says something about this provider, and is not exempted by its world. */
export function applies({ title, needs }: Sentence, { definition, exempt }: ProviderWorld): boolean {
  return needs.every((what) => definition.can.includes(what)) && !Object.hasOwn(exempt, title);
}

/**
 * Puts one provider to the test: every sentence that means something for it. `exemptions` repeats what its world exempts,
 * so that nobody adds one in passing.
 */
export function conformance(world: ProviderWorld, exemptions: readonly string[]): void {
  const { type, title: vault } = world.definition;
  describe(`${vault} as a provider`, () => {
    const played = SENTENCES.filter((sentence) => applies(sentence, world));
    for (const { title, play } of played) it(`${type}: ${title}`, () => play(world));
  });

  it(`exempts ${vault} from these sentences and no others, each with a reason`, () => {
    expect(Object.keys(world.exempt).toSorted()).toEqual(exemptions.toSorted());
    const titles = SENTENCES.filter(({ needs }) => needs.every((what) => world.definition.can.includes(what)));
    for (const [title, reason] of Object.entries(world.exempt)) {
      expect(
        titles.map((sentence) => sentence.title),
        "a sentence that would be played",
      ).toContain(title);
      expect(reason.split(" ").length, `a reason for: ${title}`).toBeGreaterThan(5);
    }
  });
}
