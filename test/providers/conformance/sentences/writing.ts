import { codes, get, good, must, plan, refusal, verify, write } from "../outcomes.ts";
import { door, sentence } from "../sentence.ts";
import type { Stage } from "../stage.ts";
import { type Backend, line } from "../world.ts";

const everything = async (backend: Backend): Promise<readonly string[]> => (await backend.everything()).toSorted();

/** A secret as the world's fields have it. */
const contentOf = ({ world }: Stage, value: string, beside: string): string | Record<string, string> =>
  world.fields ? { [world.fields.other]: beside, [world.fields.primary]: value } : value;

export const plansWriteNothing = sentence(
  "tells create from replace, and writes nothing to find out",
  ["write"],
  async (stage) => {
    const backend = await stage.start([["DB_PASSWORD", stage.secret("old")]]);
    const provider = await stage.open(backend);
    const before = await everything(backend);
    const plans = await plan(stage, provider, [
      ["STRIPE_KEY", stage.secret("new")],
      ["DB_PASSWORD", stage.secret("newer")],
    ]);
    verify(good(plans).map(({ name, effect }) => [name, effect])).toEqual([
      ["STRIPE_KEY", "create"],
      ["DB_PASSWORD", "replace"],
    ]);
    verify(new Set(good(plans).map(({ ref }) => ref)).size).toBe(2);
    verify(await everything(backend)).toEqual(before);
  },
);

export const plansFresh = sentence(
  "plans by what is there, not by what it remembers",
  ["list", "write"],
  async (stage) => {
    const backend = await stage.start([["DB_PASSWORD", stage.secret("old")]]);
    const provider = await stage.open(backend);
    await must(provider.list)(stage.signal);
    await backend.put("STRIPE_KEY", stage.secret("theirs"));
    await backend.remove("DB_PASSWORD");
    stage.clock.advance(10_000);
    const plans = await plan(stage, provider, [
      ["STRIPE_KEY", stage.secret("new")],
      ["DB_PASSWORD", stage.secret("newer")],
    ]);
    verify(good(plans).map(({ effect }) => effect)).toEqual(["replace", "create"]);
  },
);

export const replacesOnly = sentence("changes what was planned and nothing beside it", ["write"], async (stage) => {
  const [old, now] = [stage.secret("old"), stage.secret("now")];
  const backend = await stage.start([
    ["DB_PASSWORD", contentOf(stage, old, stage.secret("beside"))],
    ["STRIPE_KEY", contentOf(stage, stage.secret("other"), stage.secret("beside the other"))],
  ]);
  const provider = await stage.open(backend);
  const before = await everything(backend);
  const field = stage.world.fields?.primary;
  const values = [["DB_PASSWORD", now]] as const;
  verify(await write(stage, provider, good(await plan(stage, provider, values)), values)).toEqual(["ok"]);
  const expected = before.map((text) =>
    text === line("DB_PASSWORD", field, old) ? line("DB_PASSWORD", field, now) : text,
  );
  verify(expected.toSorted()).not.toEqual(before);
  verify(await everything(backend)).toEqual(expected.toSorted());
  verify(await get(stage, provider, "DB_PASSWORD"), "the provider sees its own write").toBe(now);
});

export const createsOnce = sentence("creates a secret that is there at once and once", ["write"], async (stage) => {
  const backend = await stage.start([]);
  const provider = await stage.open(backend);
  await must(provider.list)(stage.signal);
  const [one, two] = [stage.secret("one"), stage.secret("two")];
  const first = [["STRIPE_KEY", one]] as const;
  verify(await write(stage, provider, good(await plan(stage, provider, first)), first)).toEqual(["ok"]);
  verify(await get(stage, provider, "STRIPE_KEY")).toBe(one);
  verify(await must(provider.list)(stage.signal)).toEqual(["STRIPE_KEY"]);
  const second = [["STRIPE_KEY", two]] as const;
  const plans = good(await plan(stage, provider, second));
  verify(plans[0]?.effect).toBe("replace");
  verify(await write(stage, provider, plans, second)).toEqual(["ok"]);
  verify(valuesOf(stage, await everything(backend), "STRIPE_KEY")).toEqual([two]);
});

export const changedMeanwhile = sentence(
  "loses nothing that changed between the plan and the write",
  ["write"],
  async (stage) => {
    const backend = await stage.start([["DB_PASSWORD", stage.secret("old")]]);
    const provider = await stage.open(backend);
    const values = [["DB_PASSWORD", stage.secret("ours")]] as const;
    const plans = good(await plan(stage, provider, values));
    await backend.put("DB_PASSWORD", stage.secret("theirs"));
    const before = await everything(backend);
    verify(await write(stage, provider, plans, values)).toEqual(["conflict"]);
    verify(await everything(backend)).toEqual(before);
  },
);

export const createdMeanwhile = sentence(
  "never makes a second of what somebody else has created",
  ["write"],
  async (stage) => {
    const backend = await stage.start([]);
    const provider = await stage.open(backend);
    const values = [["STRIPE_KEY", stage.secret("ours")]] as const;
    const plans = good(await plan(stage, provider, values));
    await backend.put("STRIPE_KEY", stage.secret("theirs"));
    const before = await everything(backend);
    verify(await write(stage, provider, plans, values)).toEqual(["conflict"]);
    verify(await everything(backend)).toEqual(before);
  },
);

export const createdTwice = sentence(
  "never makes two of one name when two create it at once",
  ["write"],
  async (stage) => {
    const backend = await stage.start([]);
    const provider = await stage.open(backend);
    const [ours, theirs] = [stage.secret("ours"), stage.secret("theirs")];
    const attempts = [ours, theirs].map((value) => [["STRIPE_KEY", value]] as const);
    const plans = await Promise.all(attempts.map(async (values) => good(await plan(stage, provider, values))));
    const outcomes = await Promise.all(
      attempts.map((values, index) => write(stage, provider, must(plans[index]), values)),
    );
    verify(outcomes.flat().toSorted()).toEqual(["conflict", "ok"]);
    const winner = outcomes.findIndex(([code]) => code === "ok");
    verify(valuesOf(stage, await everything(backend), "STRIPE_KEY")).toEqual([winner === 0 ? ours : theirs]);
  },
);

export const goneMeanwhile = sentence(
  "does not bring back what was deleted after the plan",
  ["write"],
  async (stage) => {
    const backend = await stage.start([
      ["DB_PASSWORD", stage.secret("old")],
      ["STRIPE_KEY", stage.secret("stays")],
    ]);
    const provider = await stage.open(backend);
    const values = [["DB_PASSWORD", stage.secret("ours")]] as const;
    const plans = good(await plan(stage, provider, values));
    await backend.remove("DB_PASSWORD");
    const before = await everything(backend);
    verify(await write(stage, provider, plans, values)).toEqual(["conflict"]);
    verify(await everything(backend)).toEqual(before);
  },
);

export const ambiguousWrites = sentence("writes to no name that several secrets have", ["write"], async (stage) => {
  const backend = await stage.start([["DB_PASSWORD", stage.secret("one")]]);
  await door(backend, "add")("DB_PASSWORD", stage.secret("two"));
  const provider = await stage.open(backend);
  const before = await everything(backend);
  verify((await refusal(plan(stage, provider, [["DB_PASSWORD", stage.secret("ours")]]))).code).toBe("ambiguous");
  verify(await everything(backend)).toEqual(before);
});

export const becameAmbiguous = sentence(
  "writes to the secret that was planned, or not, once its name means two",
  ["write"],
  async (stage) => {
    const [old, now] = [stage.secret("old"), stage.secret("ours")];
    const backend = await stage.start([["DB_PASSWORD", old]]);
    const provider = await stage.open(backend);
    const values = [["DB_PASSWORD", now]] as const;
    const plans = good(await plan(stage, provider, values));
    await door(backend, "add")("DB_PASSWORD", stage.secret("theirs"));
    const before = await everything(backend);
    const [code] = await write(stage, provider, plans, values);
    const field = stage.world.fields?.primary;
    const written = before.map((text) =>
      text === line("DB_PASSWORD", field, old) ? line("DB_PASSWORD", field, now) : text,
    );
    verify(code).toBeOneOf(["ok", "conflict"]);
    verify(await everything(backend)).toEqual(code === "ok" ? written.toSorted() : before);
  },
);

export const batchesOfWrites = sentence(
  "saves a batch in order and tells what of it was not saved",
  ["write"],
  async (stage) => {
    const backend = await stage.start([
      ["DB_PASSWORD", stage.secret("old")],
      ["STRIPE_KEY", stage.secret("old too")],
    ]);
    const provider = await stage.open(backend);
    const [one, two, three] = [stage.secret("one"), stage.secret("two"), stage.secret("three")];
    const values = [
      ["API_TOKEN", one],
      ["DB_PASSWORD", two],
      ["STRIPE_KEY", three],
    ] as const;
    const plans = good(await plan(stage, provider, values));
    verify(plans.map(({ name }) => name)).toEqual(values.map(([name]) => name));
    const theirs = stage.secret("theirs");
    await backend.put("DB_PASSWORD", theirs);
    verify(await write(stage, provider, plans, values)).toEqual(["ok", "conflict", "ok"]);
    const after = await everything(backend);
    verify(valuesOf(stage, after, "API_TOKEN")).toEqual([one]);
    verify(valuesOf(stage, after, "DB_PASSWORD")).toEqual([theirs]);
    verify(valuesOf(stage, after, "STRIPE_KEY")).toEqual([three]);
  },
);

export const sameNameTwice = sentence("refuses a batch that gives one name two values", ["write"], async (stage) => {
  const backend = await stage.start([]);
  const provider = await stage.open(backend);
  const plans = await plan(stage, provider, [
    ["STRIPE_KEY", stage.secret("one")],
    ["API_TOKEN", stage.secret("two")],
    ["STRIPE_KEY", stage.secret("three")],
  ]);
  verify(codes(plans)).toEqual(["invalid_arguments", "ok", "invalid_arguments"]);
});

/** The primary values of every secret of that name. */
function valuesOf({ world }: Stage, lines: readonly string[], name: string): string[] {
  const field = world.fields?.primary ?? null;
  const found = lines.map((text) => JSON.parse(text) as [string, string | null, string]);
  return found.filter((one) => one[0] === name && one[1] === field).map(([, , value]) => value);
}
