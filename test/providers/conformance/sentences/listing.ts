import { codes, must, verify } from "../outcomes.ts";
import { door, sentence } from "../sentence.ts";

export const listsNames = sentence("lists every name there is, and no value", ["list"], async (stage) => {
  const backend = await stage.start([
    ["DB_PASSWORD", stage.secret("one")],
    ["STRIPE_KEY", stage.secret("two")],
  ]);
  const provider = await stage.open(backend);
  const names = await must(provider.list)(stage.signal);
  verify(names.toSorted()).toEqual(["DB_PASSWORD", "STRIPE_KEY"]);
});

export const listFetchesNothing = sentence("fetches no value to list the names", ["list"], async (stage) => {
  const backend = await stage.start([["DB_PASSWORD", stage.secret("one")]]);
  const calls = door(backend, "calls");
  const provider = await stage.open(backend);
  await must(provider.list)(stage.signal);
  verify(calls().all, "the vault was asked").toBeGreaterThan(0);
  verify(calls().value).toBe(0);
});

export const resolveFetchesNothing = sentence("fetches no value to find what a name means", [], async (stage) => {
  const backend = await stage.start([["DB_PASSWORD", stage.secret("one")]]);
  const calls = door(backend, "calls");
  const provider = await stage.open(backend);
  const outcomes = await provider.resolve(["DB_PASSWORD", "NO_SUCH_NAME"], stage.signal);
  verify(codes(outcomes)).toEqual(["ok", "secret_not_found"]);
  verify(calls().all, "the vault was asked").toBeGreaterThan(0);
  verify(calls().value).toBe(0);
});

export const checkReadsNothing = sentence("says how it stands without fetching a value", [], async (stage) => {
  const backend = await stage.start([["DB_PASSWORD", stage.secret("one")]]);
  const calls = door(backend, "calls");
  const provider = await stage.open(backend);
  const lines = await must(provider.check)(stage.signal);
  verify(lines.length).toBeGreaterThan(0);
  for (const text of lines) verify(text).toMatch(/^\S.*\S$/);
  verify(calls().value).toBe(0);
});

export const namesAreKept = sentence("keeps names for a minute, and looks again after it", ["list"], async (stage) => {
  const backend = await stage.start([["DB_PASSWORD", stage.secret("one")]]);
  const calls = door(backend, "calls");
  const provider = await stage.open(backend);
  const list = must(provider.list);
  await list(stage.signal);
  const { list: once } = calls();
  verify(once).toBeGreaterThan(0);
  await backend.put("STRIPE_KEY", stage.secret("two"));
  stage.clock.advance(stage.world.namesKeptMs - 1_000);
  await list(stage.signal);
  verify(calls().list, "within the minute").toBe(once);
  stage.clock.advance(2_000);
  verify(await list(stage.signal)).toContain("STRIPE_KEY");
  verify(calls().list, "after it").toBe(2 * once);
});

export const manyAskOnce = sentence(
  "asks for the names once when twenty ask at the same time",
  ["list"],
  async (stage) => {
    const backend = await stage.start([["DB_PASSWORD", stage.secret("one")]]);
    const calls = door(backend, "calls");
    const [alone, together] = [await stage.open(backend), await stage.open(backend)];
    await must(alone.list)(stage.signal);
    const { list: once } = calls();
    verify(once).toBeGreaterThan(0);
    const list = must(together.list);
    await Promise.all(Array.from({ length: 20 }, () => list(new AbortController().signal)));
    verify(calls().list - once).toBe(once);
  },
);

export const manyFindOnce = sentence("finds twenty names among those it knows", ["list"], async (stage) => {
  const names = Array.from({ length: 20 }, (_, at) => `DB_PASSWORD_${at}`);
  const backend = await stage.start(names.map((name) => [name, stage.secret(name)] as const));
  const calls = door(backend, "calls");
  const provider = await stage.open(backend);
  await must(provider.list)(stage.signal);
  const { list: once } = calls();
  const each = await Promise.all(names.map((name) => provider.resolve([name], new AbortController().signal)));
  verify(new Set(each.flatMap(codes))).toEqual(new Set(["ok"]));
  verify(calls().list).toBe(once);
});
