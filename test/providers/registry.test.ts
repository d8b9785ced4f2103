import { expect, it } from "vitest";
import { PROVIDERS, providerOf } from "../../src/providers/registry.ts";

it("finds each kind of store under its type, and no other", () => {
  for (const definition of PROVIDERS) expect(providerOf(definition.type)).toBe(definition);
  for (const type of ["", "ENV", "nope", "__proto__", "toString"]) expect(providerOf(type)).toBeUndefined();
});

it("has types that differ and words for the documentation", () => {
  expect(new Set(PROVIDERS.map(({ type }) => type)).size).toBe(PROVIDERS.length);
  for (const { title, summary, options } of PROVIDERS) {
    expect(title).not.toBe("");
    expect(summary).toMatch(/\.$/);
    for (const option of Object.values(options.shape)) expect(option.description).toBeTruthy();
  }
});
