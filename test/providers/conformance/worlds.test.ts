import { expect, it } from "vitest";
import { PROVIDERS } from "../../../src/providers/registry.ts";
import { SENTENCES } from "./sentences.ts";
import { WORLDS } from "./worlds.ts";

it("has a world for every kind of vault there is", () => {
  const worlds = new Map(WORLDS.map((world) => [world.definition.type, world]));
  expect(worlds.size).toBe(WORLDS.length);
  for (const definition of PROVIDERS) expect(worlds.get(definition.type)?.definition).toBe(definition);
  expect([...worlds.keys()].toSorted()).toEqual(PROVIDERS.map(({ type }) => type).toSorted());
});

it("has a title of its own for every sentence", () => {
  const titles = SENTENCES.map(({ title }) => title);
  expect(new Set(titles).size).toBe(titles.length);
  expect(titles.length).toBeGreaterThan(50);
});
