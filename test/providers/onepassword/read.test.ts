import { describe, expect, it } from "vitest";
import type { Secret } from "../../../src/core/secret.ts";
import type { Each, Provider } from "../../../src/core/ports.ts";
import type { ProviderContext } from "../../../src/providers/define.ts";
import { type FakeOnePassword, fakeOnePassword, type ItemSeed } from "../../support/fake-onepassword.ts";
import { loadPatched } from "../../support/patched.ts";
import { providerContext } from "../../support/provider-context.ts";
import { errorOf, get, handleOf, SIGNAL, texts } from "./support.ts";

async function opened(...items: ItemSeed[]) {
  const fake = fakeOnePassword({ vaults: [{ title: "Work", items }] });
  return { fake, provider: await fake.open(providerContext()) };
}

describe("reading from 1Password", () => {
  it("reads a batch by ids in one call", async () => {
    const { fake, provider } = await opened(
      { title: "a", password: "hunter2-a" },
      { title: "b", password: "hunter2-b" },
    );
    const handles = [await handleOf(provider, "a"), await handleOf(provider, "b")];
    fake.calls.clear();
    expect(texts(await provider.read(handles, SIGNAL))).toEqual(["hunter2-a", "hunter2-b"]);
    expect(Object.fromEntries(fake.calls)).toEqual({ SecretsResolveAll: 1 });
  });

  it("reads the secret that was shown after a rename, though another has its name now", async () => {
    const { fake, provider } = await opened({ title: "a", password: "hunter2-a" });
    const handle = await handleOf(provider, "a");
    fake.rename("a", "z");
    fake.add("Work", { title: "a", password: "hunter2-other" });
    expect(texts(await provider.read([handle], SIGNAL))).toEqual(["hunter2-a"]);
  });

  it("is a conflict for what has gone, is archived, or lost its field; and reads the rest", async () => {
    const seeds = ["a", "b", "c", "d"].map((title) => ({ title, password: `hunter2-${title}` }));
    const { fake, provider } = await opened(...seeds);
    const handles = await Promise.all(["a", "b", "c", "d"].map((name) => handleOf(provider, name)));
    fake.remove("a");
    fake.item("b").state = "archived";
    fake.item("c").fields = [];
    expect(texts(await provider.read(handles, SIGNAL))).toEqual(["conflict", "conflict", "conflict", "hunter2-d"]);
  });

  it("reads a value that became empty as an empty value", async () => {
    const { fake, provider } = await opened({ title: "a", password: "hunter2-a" });
    const handle = await handleOf(provider, "a");
    for (const field of fake.item("a").fields) field.value = "";
    expect(texts(await provider.read([handle], SIGNAL))).toEqual([""]);
  });

  it.each([
    ["unicode", "clé – ключ 鍵 \u{1F511} e\u0301"],
    ["line breaks", "-----BEGIN X-----\r\nhunter2\n\n\tend\n"],
    ["64 KB", "hunter2-4711-".repeat(5_042)],
    ["what looks like a reference", "op://Work/a/password?attribute=otp"],
    ["what looks like a date to the SDK", "2026-01-01T00:00:00Z"],
  ])("reads %s as it is", async (_, value) => {
    const { provider } = await opened({ title: "a", password: value, fields: [{ title: "b@c", id: "odd@id", value }] });
    expect(await get(provider, "op://Work/a/password", "op://Work/a/b@c")).toEqual([value, value]);
  });

  it("opens the item for a field whose id no reference can spell", async () => {
    const { fake, provider } = await opened({ title: "a", fields: [{ title: "x", id: "é/?%", value: "hunter2-odd" }] });
    const handle = await handleOf(provider, "a");
    fake.calls.clear();
    expect(texts(await provider.read([handle], SIGNAL))).toEqual(["hunter2-odd"]);
    expect(Object.fromEntries(fake.calls)).toEqual({ ItemsGet: 1 });
  });

  it("takes no answer about another item", async () => {
    const { fake, provider } = await opened({ title: "a", password: "hunter2-a" });
    const handle = await handleOf(provider, "a");
    fake.before = (call) => {
      // Between question and answer the reference comes to lead elsewhere.
      if (call !== "SecretsResolveAll") return;
      const item = fake.item("a");
      fake.add("Work", { title: item.id, password: "hunter2-other" });
      fake.remove("a");
    };
    expect(texts(await provider.read([handle], SIGNAL))).toEqual(["conflict"]);
  });

  it("reads the shown field or none, when another one of the item has its id for a title", async () => {
    expect(await shadowed((fake, context) => fake.open(context))).toEqual(["conflict"]);
  });

  it("would notice if it did not look at which field answers", async () => {
    const twin = (await loadPatched("src/providers/onepassword/provider.ts", [
      {
        file: "src/providers/onepassword/handles.ts",
        from: "if (isShadowed(shape, field)) shadowed(ref);",
        to: "",
      },
    ])) as { openOnePassword: (...args: unknown[]) => Promise<Provider> };
    const open: Opening = (fake, context) => twin.openOnePassword({ ...fake.options }, context, fake.loadSdk);
    expect(await shadowed(open)).toEqual(["hunter2-admin"]);
  });

  it("would notice if the answer's item were not compared", async () => {
    const { fake } = await opened({ title: "a", password: "hunter2-a" });
    const twin = (await loadPatched("src/providers/onepassword/provider.ts", [
      {
        file: "src/providers/onepassword/read.ts",
        from: "answer.itemId === address.itemId && answer.vaultId === address.vaultId",
        to: "true",
      },
    ])) as { openOnePassword: (...args: unknown[]) => Promise<Provider> };
    const provider = await twin.openOnePassword({ ...fake.options }, providerContext(), fake.loadSdk);
    const handle = await handleOf(provider, "a");
    fake.before = (call) => {
      if (call !== "SecretsResolveAll") return;
      const item = fake.item("a");
      fake.add("Work", { title: item.id, password: "hunter2-other" });
      fake.remove("a");
    };
    const outcomes = (await provider.read([handle], SIGNAL)) as unknown as { reveal?: () => string }[];
    expect(outcomes[0]?.reveal?.()).toBe("hunter2-other");
  });

  it("does nothing for a call that was cancelled, and answers at once when it is", async () => {
    const { fake, provider } = await opened({ title: "a", password: "hunter2-a" });
    const handle = await handleOf(provider, "a");
    const before = fake.total();
    const gone = AbortSignal.abort();
    for (const work of [provider.list?.(gone), provider.resolve(["a"], gone), provider.read([handle], gone)])
      expect((await errorOf(work ?? Promise.resolve())).code).toBe("cancelled");
    expect(fake.total()).toBe(before);
    fake.fail("silent");
    const cancel = new AbortController();
    fake.before = () => queueMicrotask(() => cancel.abort());
    expect((await errorOf(provider.read([handle], cancel.signal))).code).toBe("cancelled");
  });
});

type Opening = (fake: FakeOnePassword, context: ProviderContext) => Promise<Provider>;

/** The built-in password was shown; by the time it is read it is gone, and "Admin/password" is the only password left. */
async function shadowed(open: Opening): Promise<string[]> {
  const { fake } = await opened({
    title: "a",
    password: "hunter2-main",
    fields: [{ title: "password", value: "hunter2-admin", section: "Admin" }],
  });
  const provider = await open(fake, providerContext());
  const handle = await handleOf(provider, "a");
  fake.item("a").fields = fake.item("a").fields.filter(({ id }) => id !== "password");
  const outcomes: Each<Secret> = await provider.read([handle], SIGNAL);
  // A twin has error classes of its own.
  return outcomes.map((outcome) => ("reveal" in outcome ? outcome.reveal() : outcome.code));
}
