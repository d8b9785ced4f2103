import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { asVaultError, VaultError } from "../../src/core/errors.ts";
import { newCommitmentKey, Secret } from "../../src/core/secret.ts";
import { visibleProse } from "../../src/core/text.ts";

const CANARY = "hunter2-4711-secret";

describe("a secret", () => {
  it.each([
    ["String", (secret: unknown) => String(secret)],
    ["a template", (secret: unknown) => `it is ${secret as string}`],
    ["JSON", (secret: unknown) => JSON.stringify({ secret })],
    ["inspect, all of it", (secret: unknown) => inspect({ secret }, { showHidden: true, depth: 9, getters: true })],
    ["Object.entries", (secret: unknown) => JSON.stringify(Object.entries(secret as object))],
    ["a clone", (secret: unknown) => inspect(structuredClone(secret))],
    ["an error that carries it", (secret: unknown) => inspect(new Error(`no: ${secret as string}`, { cause: secret }))],
    ["our own error", (secret: unknown) => inspect(new VaultError("internal", "no", { cause: secret }), { depth: 9 })],
    ["a table", (secret: unknown) => inspect(new Map([[secret, secret]]))],
  ])("is not told by %s", (_, tell) => {
    expect(tell(new Secret(CANARY))).not.toContain("hunter2");
  });

  it("that an error of somebody else quotes does not come through ours", () => {
    const known = asVaultError(new Error(`refused: ${CANARY}`));
    expect([known.message, known.hint, JSON.stringify(known), String(known)].join("\n")).not.toContain("hunter2");
  });

  it("of several lines is found in a reason as it is shown", () => {
    const key = "-----BEGIN KEY-----\nMHcCAQEEIB4711\tx\r\nhunter2==\n-----END KEY-----\n";
    const value = new Secret(key);
    expect(value.isIn(visibleProse(`save this: ${key} please`))).toBe(true);
    expect(value.isIn(visibleProse(`save this: ${key.replace("hunter2", "hunter3")} please`))).toBe(false);
    expect(new Secret("pass\u202Eword⟦").isIn(visibleProse("it is pass\u202Eword⟦"))).toBe(true);
  });

  it("that is huge and odd is looked for without ado", () => {
    const value = new Secret("\u202E\n ".repeat(40_000));
    for (let text = 0; text < 500; text++) expect(value.isIn(visibleProse("\u202E".repeat(1_000)))).toBe(false);
  });

  it("has another commitment than any other, malformed text included", () => {
    const key = newCommitmentKey();
    const values = ["", "a", "\uD800", "\uD801", "\uDC00", "\uFFFD", "a\0", "\uD800\uDC00"];
    expect(new Set(values.map((value) => new Secret(value).commitment(key))).size).toBe(values.length);
  });
});
