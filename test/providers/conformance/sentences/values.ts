import { codes, get, good, plan, verify, write } from "../outcomes.ts";
import { sentence } from "../sentence.ts";

/** Values that something on the way might change, by what is special about them. */
const VALUES: readonly (readonly [name: string, value: string])[] = [
  ["PLAIN", "hunter2-4711"],
  ["SCRIPTS", "pässwörd-ключ-鍵-\u{1F511}-e\u0301-\u202E-4712"],
  ["LINES", "-----BEGIN KEY-----\nhunter2-4713\n\tmore\n-----END KEY-----\n"],
  ["MARKS", 'a=b#c \'d\' "e" $F ${G} \\n \\ %20 &amp; <h> {"i":null} hunter2-4714'],
  ["BLANKS", "  hunter2-4715  "],
  ["EMPTY", ""],
  ["NUMBER", "0012345678901234567890"],
  ["WORD", "null"],
  ["LONG", "hunter2-4716-".repeat(6_000).slice(0, 65_536)],
  ["LONG_SCRIPTS", "鍵🔑".repeat(9_362)],
];

export const valuesComeWhole = sentence("hands out every kind of value exactly as it is kept", [], async (stage) => {
  const backend = await stage.start(VALUES);
  const provider = await stage.open(backend);
  for (const [name, value] of VALUES) verify(await get(stage, provider, name), name).toBe(value);
});

export const valuesGoWhole = sentence("saves every kind of value exactly as it is given", ["write"], async (stage) => {
  const backend = await stage.start([["EXISTING", stage.secret("existing")]]);
  const provider = await stage.open(backend);
  const plans = good(await plan(stage, provider, VALUES));
  verify(new Set(await write(stage, provider, plans, VALUES))).toEqual(new Set(["ok"]));
  const other = await stage.open(backend);
  for (const [name, value] of VALUES) verify(await get(stage, other, name), name).toBe(value);
  verify(codes(await other.resolve(["EXISTING"], stage.signal))).toEqual(["ok"]);
});
