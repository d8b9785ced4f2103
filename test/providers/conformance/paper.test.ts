import { describe, it } from "vitest";
import { paperWorld } from "./paper/world.ts";
import { SENTENCES } from "./sentences.ts";

// A real configuration knows registered vaults only.
const REGISTERED = "is configured as its documentation shows, and the token stays out of sight";

// That all of it can be kept at once is worth knowing of a list of demands, and so are the demands that nobody else meets.
describe("a provider that has everything", () => {
  const played = SENTENCES.filter(({ title }) => title !== REGISTERED);
  for (const { title, play } of played) it(`paper: ${title}`, () => play(paperWorld()));
});
