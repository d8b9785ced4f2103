import { expect, it } from "vitest";
import { channels, findChannel } from "../../src/channels/registry.ts";

it("has ntfy to configure, and finds nothing else", () => {
  expect(channels.map(({ type }) => type)).toEqual(["ntfy"]);
  expect(findChannel("ntfy")).toBe(channels[0]);
  expect(findChannel("constructor")).toBeUndefined();
});

it("describes each option, and says that a topic is a password", () => {
  for (const { options } of channels) {
    for (const field of Object.values(options.shape)) expect(field.description).toMatch(/^[A-Z].{15,}/);
  }
  expect(findChannel("ntfy")?.options.shape["topic"]?.description).toContain("essentially a password");
});
