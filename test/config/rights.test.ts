import * as fc from "fast-check";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { loadPatched } from "../support/patched.ts";

type Load = typeof loadConfig;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "agent-vault-rights-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Values that a person, an editor or a bad merge could put where a rule stands. */
const odd = fc.oneof(
  fc.constantFrom<unknown>(
    "true",
    "false",
    "yes",
    "on",
    "1",
    "0",
    "",
    "15",
    "1440",
    "9e9",
    "soon",
    "vault",
    "env:W",
    "Vault",
    "all",
  ),
  fc.constantFrom<unknown>(null, 1, 0, -1, 1e15, 1441, 1440, 0.5, [], {}, [true], { writable: true }),
  fc.boolean(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.string({ maxLength: 6 }),
);
const key = fc.constantFrom(
  "Writable",
  "writeable",
  "writable ",
  "TTL",
  "tll",
  "type",
  "file",
  "__proto__",
  "constructor",
);
const or = (usual: fc.Arbitrary<unknown>) => fc.oneof({ arbitrary: usual, weight: 9 }, { arbitrary: odd, weight: 1 });
const orRarely = (usual: fc.Arbitrary<unknown>) =>
  fc.oneof({ arbitrary: usual, weight: 39 }, { arbitrary: odd, weight: 1 });
const vault = fc
  .tuple(
    fc.record(
      {
        ttl: or(fc.constantFrom(0, 1, 15, 1440)),
        ttlScope: or(fc.constantFrom("secret", "vault")),
        writable: or(fc.boolean()),
        require: orRarely(fc.constantFrom("link", "passkey")),
        minAssurance: orRarely(fc.constantFrom("passkey/other-user", "link/same-user")),
        file: or(fc.constant(".env")),
      },
      { requiredKeys: [] },
    ),
    fc.oneof(
      { arbitrary: fc.constant({}), weight: 9 },
      { arbitrary: fc.dictionary(key, odd, { maxKeys: 1 }), weight: 1 },
    ),
  )
  .map(([rules, more]) => ({ ...rules, ...more }));
const name = fc.oneof(
  { arbitrary: fc.constantFrom("a", "b", "A", "a b", "constructor", "toString"), weight: 9 },
  { arbitrary: fc.constantFrom("a/b", "__proto__", ""), weight: 1 },
);
const config = fc.record(
  {
    vaults: fc.dictionary(name, vault, { maxKeys: 3 }),
    port: or(fc.constant(9999)),
    approval: fc.record({ require: orRarely(fc.constantFrom("link", "passkey")) }, { requiredKeys: [] }),
  },
  { requiredKeys: ["vaults"] },
);

/** Text that is nearly a configuration: one that is right, with pieces cut out, doubled or put elsewhere. */
const RIGHT = JSON.stringify({
  vaults: {
    a: { type: "env", ttl: 15, ttlScope: "secret", writable: false },
    b: { ttl: 0 },
    c: { ttl: 5, ttlScope: "vault", writable: true },
  },
});
const PIECES = [
  '"writable":true',
  '"writable":false',
  '"ttl":1440',
  '"a":{',
  "}",
  ",",
  ":",
  "true",
  "//",
  "/*",
  "*/",
  '"',
  "\\",
  "0",
  "\n",
  "\ufeff",
];
const splice = fc.tuple(fc.nat({ max: RIGHT.length }), fc.nat({ max: 12 }), fc.constantFrom("", ...PIECES));
const text = fc
  .array(splice, { minLength: 1, maxLength: 3 })
  .map((splices) =>
    splices.reduce((whole, [at, cut, piece]) => whole.slice(0, at) + piece + whole.slice(at + cut), RIGHT),
  );

/** What the configuration gives that its text does not say in so many words. */
async function gained(load: Load, written: string): Promise<string[]> {
  writeFileSync(join(folder, "agent-vault.config.json"), written);
  const result = await load({ cwd: folder, variables: { HOME: folder, W: "true" }, platform: "linux" });
  if (!result.ok) return [];
  const said = parsed(written);
  return result.config.vaults.flatMap(({ name, rules }) => {
    const own = said === undefined ? undefined : (said[name] ?? {});
    const says = (rule: string, value: unknown): boolean =>
      own === undefined ? new RegExp(`"${rule}"[\\s:]*${JSON.stringify(value)}`).test(written) : own[rule] === value;
    return [
      ...(rules.writable && !says("writable", true) ? [`${name} became writable`] : []),
      ...(rules.ttlScope === "vault" && !says("ttlScope", "vault") ? [`${name} opens the whole vault`] : []),
      ...(rules.require === "link" &&
      !says("require", "link") &&
      (mentions(own, written, "require") || !isLinkForAll(written))
        ? [`${name} is content with the link`]
        : []),
      ...(mentions(own, written, "minAssurance") && rules.minAssurance === undefined
        ? [`${name} lost its least level`]
        : []),
      ...(rules.ttlMs > 86_400_000 ? [`${name} opens for more than a day`] : []),
      ...(rules.ttlMs > 0 && !isSaid(rules.ttlMs, own, written) ? [`${name} opens for longer than it says`] : []),
    ];
  });
}

function isLinkForAll(written: string): boolean {
  return /"approval"\s*:[^}]*"require"\s*:\s*"link"/.test(written);
}

/** Whether a vault says something by that name; where only the text is known, it is not held against it. */
function mentions(own: Record<string, unknown> | undefined, written: string, rule: string): boolean {
  return own !== undefined && written.includes(rule) && Object.hasOwn(own, rule);
}

function isSaid(ttlMs: number, own: Record<string, unknown> | undefined, written: string): boolean {
  const numbers =
    own === undefined
      ? [...written.matchAll(/"ttl"[\s:]*([\d.eE+-]+)/g)].map((match) => Number(match[1]))
      : [own["ttl"]];
  return numbers.some((ttl) => typeof ttl === "number" && Math.round(ttl * 60_000) >= ttlMs);
}

/** The vaults as plain JSON says them; undefined where it takes comments or trailing commas to read the text. */
function parsed(written: string): Record<string, Record<string, unknown>> | undefined {
  try {
    return (JSON.parse(written.replace(/^\ufeff/, "")) as { vaults: Record<string, Record<string, unknown>> }).vaults;
  } catch {
    return undefined;
  }
}

const written = fc.oneof(
  config.map((value) => JSON.stringify(value)),
  text,
);

/** The first right that some text gained, or "none". The seed is fixed: whoever breaks this sees it break each time. */
async function sweep(load: Load): Promise<string> {
  const property = fc.asyncProperty(written, async (one) => {
    const found = await gained(load, one);
    if (found.length > 0) throw new Error(`${found.join(", ")}: ${one}`);
  });
  const { failed, errorInstance } = await fc.check(property, { numRuns: 1_500, seed: 4711 });
  return failed ? String(errorInstance) : "none";
}

describe("a configuration that was mangled", () => {
  it("never gives a right that its text does not spell out", async () => {
    expect(await sweep(loadConfig)).toBe("none");
  });

  it("is often enough still a configuration for that to mean something", async () => {
    let right = 0;
    for (const one of fc.sample(written, { numRuns: 400, seed: 4711 })) {
      writeFileSync(join(folder, "agent-vault.config.json"), one);
      if ((await loadConfig({ cwd: folder, variables: { HOME: folder }, platform: "linux" })).ok) right += 1;
    }
    expect(right).toBeGreaterThan(40);
  });

  const schema = "src/config/schema.ts";
  it.each([
    [
      "a switch that takes any text for yes",
      [{ file: schema, from: "writable: z\n    .boolean()", to: "writable: z.coerce\n    .boolean()" }],
      "became writable",
    ],
    [
      "a number that is read out of a text",
      [{ file: schema, from: "ttl: z\n    .number()", to: "ttl: z.coerce\n    .number()" }],
      "opens for longer than it says",
    ],
    [
      "rules that may come from a variable",
      [
        { file: schema, from: "writable: z\n    .boolean()", to: "writable: z.stringbool().or(z.boolean())" },
        { file: "src/config/interpret.ts", from: '["type", ...ruleNames]', to: '["type"]' },
      ],
      "became writable",
    ],
    [
      "a word on all that counts before the vault's own",
      [
        {
          file: "src/config/build.ts",
          from: "const { ttl, ttlScope, writable, require = approval.require, minAssurance } = written;",
          to: "const { ttl, ttlScope, writable, minAssurance } = written;\n  const require = approval.require ?? written.require;",
        },
      ],
      "is content with the link",
    ],
    [
      "a least level that is dropped",
      [{ file: "src/config/build.ts", from: "{ minAssurance: least }", to: "{}" }],
      "lost its least level",
    ],
  ])("would be caught with %s", async (_, plants, wanted) => {
    const patched = (await loadPatched("src/config/load.ts", plants)) as { loadConfig: Load };
    expect(await sweep(patched.loadConfig)).toContain(wanted);
  });
});
