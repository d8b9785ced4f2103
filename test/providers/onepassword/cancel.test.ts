import { describe, expect, it } from "vitest";
import { VaultError } from "../../../src/core/errors.ts";
import { Secret } from "../../../src/core/secret.ts";
import { fakeOnePassword } from "../../support/fake-onepassword.ts";
import type { Plant } from "../../support/patched.ts";
import { errorOf, good, outcomesOf, SIGNAL, twinOf } from "./support.ts";
import { providerContext } from "../../support/provider-context.ts";

const OLD = { A: "hunter2-old", B: "hunter2-old", C: "hunter2-old" };
const NAMES = ["A", "B", "C", "NEW_1", "NEW_2"];

/** A batch of writes whose signal aborts when this call is made for the nth time. */
async function written(call: string, nth: number, plants: readonly Plant[] = []) {
  const fake = fakeOnePassword({ vaults: [{ title: "Work", items: OLD }] });
  const write = { vaultId: fake.vault("Work").id, category: "login" } as const;
  const provider = await twinOf(fake, plants, { write });
  const entries = NAMES.map((name) => ({ name, value: new Secret("hunter2-new") }));
  const plans = (await provider.planWrite?.(entries, SIGNAL)) ?? [];
  const planned = plans.map((plan) => ({ plan: good(plan), value: new Secret("hunter2-new") }));
  const cancel = new AbortController();
  fake.calls.clear();
  fake.before = (made) => {
    if (made === call && fake.calls.get(call) === nth) cancel.abort();
  };
  const outcomes = outcomesOf((await provider.write?.(planned, cancel.signal)) ?? []);
  const { items } = fake.vault("Work");
  const saved = items.filter(({ fields }) => fields[0]?.value === "hunter2-new").map(({ title }) => title);
  return { outcomes, saved };
}

const deaf: Plant = {
  file: "src/providers/onepassword/write.ts",
  from: "attempt(() => writeGroup(writing, group, signal))",
  to: "attempt(() => writeGroup(writing, group, new AbortController().signal))",
};

const ok = (n: number): string[] => NAMES.map((_, at) => (at < n ? "ok" : "cancelled"));

describe("a batch whose call or approval ends", () => {
  it.each([
    ["ItemsGet", 1, 0],
    ["ItemsPut", 1, 1],
    ["ItemsGet", 2, 1],
    ["ItemsPut", 2, 2],
    ["ItemsPut", 3, 3],
    ["ItemsList", 1, 3],
    ["ItemsCreate", 1, 4],
    ["ItemsCreate", 2, 5],
  ])("finishes what was sent, writes no more and says which is which: at %s %i", async (call, nth, done) => {
    expect(await written(call, nth)).toEqual({ outcomes: ok(done), saved: NAMES.slice(0, done) });
  });

  it("would go on with the next ones if nobody listened", async () => {
    expect(await written("ItemsPut", 1, [deaf])).toEqual({ outcomes: ok(5), saved: NAMES });
  });

  it("names each that was left out", async () => {
    const fields = ["one", "two"].map((title) => ({ title, id: title, value: "hunter2-old" }));
    const fake = fakeOnePassword({ vaults: [{ title: "Work", items: [{ title: "db", fields }] }] });
    const provider = await fake.open(providerContext());
    const entries = ["op://Work/db/one", "op://Work/db/two"].map((name) => ({
      name,
      value: new Secret("hunter2-new"),
    }));
    const plans = (await provider.planWrite?.(entries, SIGNAL)) ?? [];
    const planned = plans.map((plan) => ({ plan: good(plan), value: new Secret("hunter2-new") }));
    const outcomes = (await provider.write?.(planned, AbortSignal.abort())) ?? [];
    const messages = outcomes.map((each) => (each instanceof VaultError ? each.message : "saved"));
    expect(messages).toEqual(
      entries.map(({ name }) => `"${name}" was not saved: the call or its approval ended before its turn`),
    );
  });

  it("hands out nothing of what was being read", async () => {
    const items = Object.fromEntries(Array.from({ length: 100 }, (_, at) => [`KEY_${at}`, `hunter2-${at}`]));
    const fake = fakeOnePassword({ vaults: [{ title: "Work", items }] });
    const provider = await fake.open(providerContext());
    const handles = (await provider.resolve(Object.keys(items), SIGNAL)).map(good);
    const cancel = new AbortController();
    fake.before = (call) => {
      if (call === "ItemsGetAll") cancel.abort();
    };
    expect((await errorOf(provider.read(handles, cancel.signal))).code).toBe("cancelled");
  });
});
