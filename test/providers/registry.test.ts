import { expect, it } from "vitest";
import type { ProviderDefinition } from "../../src/providers/define.ts";
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

it("says what each can do, in words there are and each once", () => {
  for (const { can } of PROVIDERS) {
    expect(["list", "fields", "prepare", "write"]).toEqual(expect.arrayContaining([...can]));
    expect(new Set(can).size).toBe(can.length);
  }
});

it("shows an example of each that fits its options, with nothing in it that has to stay secret", () => {
  for (const { options, ...definition } of PROVIDERS) {
    const { example = {} } = definition as ProviderDefinition;
    expect(options.safeParse(example).error).toBeUndefined();
    for (const [name, value] of Object.entries(example))
      if (/token|key|password|secret/i.test(name)) expect(value).toMatch(/^env:[A-Z0-9_]+$/);
  }
});
