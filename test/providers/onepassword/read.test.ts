import { describe, expect, it } from "vitest";
import { fakeOnePassword, type ItemSeed } from "../../support/fake-onepassword.ts";
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
    expect(Object.fromEntries(fake.calls)).toEqual({ ItemsGetAll: 1 });
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
