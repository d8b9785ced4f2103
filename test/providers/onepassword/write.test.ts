import { describe, expect, it } from "vitest";
import { VaultError } from "../../../src/core/errors.ts";
import type { Provider } from "../../../src/core/ports.ts";
import { Secret } from "../../../src/core/secret.ts";
import type { CategoryName } from "../../../src/providers/onepassword/categories.ts";
import type { OnePasswordOptions } from "../../../src/providers/onepassword/provider.ts";
import { fakeOnePassword, type FakeOnePassword, type ItemSeed } from "../../support/fake-onepassword.ts";
import type { Plant } from "../../support/patched.ts";
import { providerContext } from "../../support/provider-context.ts";
import { errorOf, get, good, plan, save, SIGNAL, twinOf } from "./support.ts";

const WORK = "7aaaaaaaaaaaaaaaaaaaaawork";

async function opened(items: readonly ItemSeed[] = [], own: Partial<OnePasswordOptions> = {}, readOnly = false) {
  const fake = fakeOnePassword({
    vaults: [
      { title: "Work", id: WORK, items, readOnly },
      { title: "Home", items: { elsewhere: "hunter2-elsewhere" } },
    ],
  });
  const options: Partial<OnePasswordOptions> = { write: { vaultId: WORK, category: "login" }, ...own };
  return { fake, provider: await fake.open(providerContext(), options) };
}

const titles = (fake: FakeOnePassword): string[] => fake.vault("Work").items.map(({ title }) => title);

describe("writing to 1Password", () => {
  it("replaces exactly the field that reading means, and leaves the rest of the item", async () => {
    const { fake, provider } = await opened([
      {
        title: "db",
        password: "hunter2-old",
        notes: "keep",
        fields: [
          { id: "username", title: "username", value: "maria", type: "Text" },
          { title: "password", value: "hunter2-admin", section: "Admin" },
        ],
      },
    ]);
    const before = structuredClone(fake.item("db"));
    const planned = good(await plan(provider, "db", "hunter2-new"));
    expect(planned).toMatchObject({ effect: "replace", field: "password", version: "1" });
    expect(await save(provider, planned, "hunter2-new")).toEqual({ saved: true });
    const after = fake.item("db");
    expect(after.fields.map(({ value }) => value)).toEqual(["hunter2-new", "maria", "hunter2-admin"]);
    expect(after.version).toBe(2);
    for (const field of before.fields) if (field.id === "password") field.value = "hunter2-new";
    expect({ ...after, version: 1, updatedAt: before.updatedAt }).toEqual(before);
    expect(await get(provider, "db")).toEqual(["hunter2-new"]);
  });

  it.each([
    ["op://Work/db/Admin/password", 1],
    ["op://Work/db/notes", "notes"],
    ["op://Work/db/username", 2],
  ])("replaces what %s names", async (name, at) => {
    const { fake, provider } = await opened([
      {
        title: "db",
        password: "p",
        fields: [
          { title: "password", value: "a", section: "Admin" },
          { id: "username", title: "username", value: "u", type: "Text" },
        ],
      },
    ]);
    await save(provider, await plan(provider, name, "hunter2-new"), "hunter2-new");
    const { fields, notes } = fake.item("db");
    const values = fields.map(({ value }) => value);
    expect(typeof at === "number" ? values[at] : notes).toBe("hunter2-new");
    expect([...values, notes].filter((value) => value === "hunter2-new")).toHaveLength(1);
  });

  it("writes several fields of one item as one change", async () => {
    const { fake, provider } = await opened([
      { title: "db", password: "p", fields: [{ id: "username", title: "username", value: "u", type: "Text" }] },
    ]);
    const entries = ["op://Work/db/password", "op://Work/db/username"].map((name) => ({
      name,
      value: new Secret(`hunter2 ${name}`),
    }));
    const plans = (await provider.planWrite?.(entries, SIGNAL)) ?? [];
    const planned = plans.map((each, at) => ({ plan: good(each), value: entries[at]?.value ?? new Secret("") }));
    expect(await provider.write?.(planned, SIGNAL)).toEqual([{ saved: true }, { saved: true }]);
    expect(fake.calls.get("ItemsPut")).toBe(1);
    expect(fake.item("db").fields.map(({ value }) => value)).toEqual(entries.map(({ value }) => value.reveal()));
  });

  it.each<[CategoryName, string, string]>([
    ["login", "Login", "password"],
    ["password", "Password", "password"],
    ["apiCredentials", "ApiCredentials", "credential"],
    ["database", "Database", "password"],
    ["server", "Server", "password"],
    ["secureNote", "SecureNote", "notes"],
  ])("makes a new item as %s, and reads the value back under its name", async (category, sdk, field) => {
    const { fake, provider } = await opened([], { write: { vaultId: WORK, category } });
    const planned = good(await plan(provider, "NEW_KEY", "hunter2-new"));
    expect(planned).toMatchObject({ effect: "create", field, title: "NEW_KEY (Work)" });
    expect(await save(provider, planned, "hunter2-new")).toEqual({ saved: true });
    expect(fake.vault("Work").items).toMatchObject([{ title: "NEW_KEY", category: sdk }]);
    expect(await provider.list?.(SIGNAL)).toContain("NEW_KEY");
    expect(await get(provider, "NEW_KEY")).toEqual(["hunter2-new"]);
  });

  it("makes it in the only vault of vaultIds where no other is named", async () => {
    const { fake, provider } = await opened([], { vaultIds: [WORK], write: undefined });
    await save(provider, await plan(provider, "NEW", "hunter2"), "hunter2");
    expect(titles(fake)).toEqual(["NEW"]);
  });

  it.each([
    ["", "an empty value"],
    ["a\r\nb\n", "lines"],
    ["clé 鍵 \u{1F511}", "unicode"],
    ["x".repeat(65_536), "64 KB"],
  ])("saves %j (%s) as it is", async (value) => {
    const { provider } = await opened([{ title: "db", password: "old" }]);
    await save(provider, await plan(provider, "db", value), value);
    good(await save(provider, await plan(provider, "NEW", value), value));
    expect(await get(provider, "db", "NEW")).toEqual([value, value]);
  });

  it("finds what differs in capitals instead of making a second one", async () => {
    const { fake, provider } = await opened([{ title: "DB", password: "old" }]);
    const planned = good(await plan(provider, "db", "hunter2"));
    expect(planned).toMatchObject({ effect: "replace", title: "DB (Work)" });
    await save(provider, planned, "hunter2");
    expect(titles(fake)).toEqual(["DB"]);
  });

  it.each([
    ["op://Work/missing", "secret_not_found"],
    ["op://Work", "invalid_name"],
    ["db (op://Work/abcdefghijklmnopqrstuvwxyz)", "secret_not_found"],
    ["op://Nowhere/x/y", "secret_not_found"],
    ["op://Work/db/token", "secret_not_found"],
    ["abcdefghijklmnopqrstuvwxyz", "secret_not_found"],
    [" padded", "invalid_name"],
    ["bell\u0007", "invalid_name"],
    ["twin", "ambiguous"],
    ["cards", "ambiguous"],
    ["op://Work/db/code", "unrepresentable"],
    ["odd", "unrepresentable"],
  ])("refuses to write %j", async (name, code) => {
    const { fake, provider } = await opened([
      { title: "db", password: "p", fields: [{ title: "code", value: "otpauth://x", type: "Totp" }] },
      { title: "twin", password: "1" },
      { title: "twin", password: "2" },
      {
        title: "cards",
        category: "Person",
        fields: [
          { title: "a", value: "1" },
          { title: "b", value: "2" },
        ],
      },
      { title: "odd", password: "p", fields: [{ title: "x", value: "", type: "Unsupported" }] },
    ]);
    expect(await plan(provider, name, "hunter2-new")).toMatchObject({ code });
    expect(fake.calls.get("ItemsPut")).toBeUndefined();
    expect(fake.calls.get("ItemsCreate")).toBeUndefined();
  });

  it("says how to make a new item where a reference leads nowhere, and what it cannot write", async () => {
    const { provider } = await opened([
      {
        title: "db",
        password: "p",
        fields: [
          { title: "code", value: "otpauth://x", type: "Totp" },
          { title: "odd", value: "1", type: "Menu" },
        ],
      },
    ]);
    for (const name of ["op://Work/NEW", "op://Work/NEW/password"])
      expect(await plan(provider, name, "v")).toMatchObject({
        message: `no item "${name}" in the 1Password vaults this token may use`,
        hint: expect.stringMatching(/^to make a new item, give its title alone: "NEW"; else /),
      });
    const id = await plan(provider, "op://Work/abcdefghijklmnopqrstuvwxyz", "v");
    expect(id).toMatchObject({ hint: expect.not.stringContaining("to make a new item") });
    expect(await plan(provider, "op://Work/db/code", "v")).toMatchObject({
      message: 'agent-vault cannot write one-time passwords (field "code" of "db")',
    });
    expect(await plan(provider, "op://Work/db/odd", "v")).toMatchObject({
      message: 'agent-vault cannot write choices from a list (field "odd" of "db")',
    });
  });

  it("refuses values that 1Password could not give back", async () => {
    const { provider } = await opened();
    for (const value of ["a\0b", "a\ud800b"])
      expect(await plan(provider, "x", value)).toMatchObject({ code: "unrepresentable" });
  });

  it("refuses two names of one batch for one place", async () => {
    const { provider } = await opened([{ title: "db", password: "p" }]);
    const entries = ["db", "op://Work/db/password", "New", "NEW"].map((name) => ({ name, value: new Secret("v") }));
    const codes = (await provider.planWrite?.(entries, SIGNAL))?.map((each) => each instanceof VaultError && each.code);
    expect(codes).toEqual(Array.from({ length: 4 }, () => "invalid_arguments"));
  });

  it("is a conflict, and writes nothing, when the item was changed since it was shown", async () => {
    const { fake, provider } = await opened([{ title: "db", password: "old" }]);
    const planned = await plan(provider, "db", "hunter2-new");
    fake.touch("db");
    expect(await save(provider, planned, "hunter2-new")).toMatchObject({ code: "conflict" });
    expect(fake.calls.get("ItemsPut")).toBeUndefined();
    // Changed in the last moment, between our look and our put.
    const again = await plan(provider, "db", "hunter2-new");
    fake.before = (call) => void (call === "ItemsPut" && fake.touch("db"));
    expect(await save(provider, again, "hunter2-new")).toMatchObject({ code: "conflict" });
    expect(await get(provider, "db")).toEqual(["old"]);
  });

  it("would notice if it did not compare the version that was shown", async () => {
    const careless = {
      file: "src/providers/onepassword/write.ts",
      from: "String(item.version) !== plan.version",
      to: "plan.version === undefined",
    };
    for (const [plants, value] of [
      [[], "old"],
      [[careless], "hunter2-new"],
    ] as const) {
      const { fake } = await opened([{ title: "db", password: "old" }]);
      const provider = await twin(plants, fake);
      const planned = await plan(provider, "db", "hunter2-new");
      fake.touch("db");
      await save(provider, planned, "hunter2-new");
      expect(fake.item("db").fields.map((field) => field.value)).toEqual([value]);
    }
  });

  it("is a conflict when the item has gone", async () => {
    const { fake, provider } = await opened([{ title: "db", password: "old" }]);
    const planned = await plan(provider, "db", "hunter2-new");
    fake.remove("db");
    expect(await save(provider, planned, "hunter2-new")).toMatchObject({ code: "conflict" });
    expect(titles(fake)).toEqual([]);
  });

  it("never makes a second item of a name", async () => {
    expect(await twins([])).toEqual({ codes: ["saved", "conflict"], made: 1 });
  });

  it("would notice if it did not look again before it makes one", async () => {
    const blind = {
      file: "src/providers/onepassword/write.ts",
      from: 'catalog.find(plan.name).is !== "none"',
      to: "false",
    };
    expect(await twins([blind])).toEqual({ codes: ["saved", "saved"], made: 2 });
  });

  it("would notice if its writes were not kept apart", async () => {
    const hasty = {
      file: "src/providers/onepassword/provider.ts",
      from: "const mine = last.then(run, run);",
      to: "const mine = run();",
    };
    expect(await twins([hasty])).toEqual({ codes: ["saved", "saved"], made: 2 });
  });

  it("does not say saved when 1Password's answer holds something else", async () => {
    const { fake, provider } = await opened([{ title: "db", password: "old" }]);
    fake.lie = (item) => ({ ...item, fields: item.fields.map((field) => ({ ...field, value: "canary" })) });
    for (const name of ["db", "NEW"])
      expect(await save(provider, await plan(provider, name, "hunter2"), "hunter2")).toMatchObject({
        code: "provider_unavailable",
      });
  });

  it("says that the outcome is unknown when the connection breaks during a write", async () => {
    const { fake, provider } = await opened([{ title: "db", password: "old" }]);
    const planned = await plan(provider, "db", "hunter2");
    fake.before = (call) => void (call === "ItemsPut" && fake.fail("refused"));
    const outcome = await save(provider, planned, "hunter2");
    expect(outcome).toMatchObject({ code: "provider_unavailable", message: expect.stringContaining("is not known") });
  });

  it("writes where it may and says where it may not", async () => {
    const { provider } = await opened([{ title: "db", password: "old" }], {}, true);
    for (const name of ["db", "NEW"])
      expect(await save(provider, await plan(provider, name, "hunter2"), "hunter2")).toMatchObject({
        code: "provider_forbidden",
      });
  });

  it("makes nothing where no vault is named, or one that cannot be seen", async () => {
    const nowhere = await opened([], { write: undefined });
    expect(await plan(nowhere.provider, "NEW", "v")).toMatchObject({ code: "config_invalid" });
    const unseen = await opened([], { write: { vaultId: "nope", category: "login" } });
    expect(await plan(unseen.provider, "NEW", "v")).toMatchObject({
      code: "provider_forbidden",
      message: expect.stringContaining('"nope" of write.vaultId'),
      hint: expect.stringContaining(`${WORK} (Work) or `),
    });
    const titled = await opened([], { write: { vaultId: "work", category: "login" } });
    expect(await plan(titled.provider, "NEW", "v")).toMatchObject({
      hint: expect.stringContaining(`write.vaultId takes ids, not titles: did you mean ${WORK} (Work)?`),
    });
  });

  it("begins no change for a call that has gone, and finishes one that has begun", async () => {
    const { fake, provider } = await opened([{ title: "db", password: "old" }]);
    const planned = good(await plan(provider, "db", "hunter2-new"));
    const entry = [{ plan: planned, value: new Secret("hunter2-new") }];
    expect((await errorOf(provider.write?.(entry, AbortSignal.abort()) ?? Promise.resolve())).code).toBe("cancelled");
    expect(fake.calls.get("ItemsPut")).toBeUndefined();
    const cancel = new AbortController();
    fake.before = (call) => void (call === "ItemsPut" && cancel.abort());
    expect(await provider.write?.(entry, cancel.signal)).toEqual([{ saved: true }]);
    expect(await get(provider, "db")).toEqual(["hunter2-new"]);
  });
});

/** Two writes of one new name, planned and begun at the same moment. */
async function twins(plants: readonly Plant[]): Promise<{ codes: string[]; made: number }> {
  const { fake } = await opened();
  const provider = await twin(plants, fake);
  const planned = [await plan(provider, "NEW", "hunter2-1"), await plan(provider, "NEW", "hunter2-1")].map(good);
  const outcomes = await Promise.all(
    planned.map(async (each) => provider.write?.([{ plan: each, value: new Secret("hunter2-1") }], SIGNAL)),
  );
  // A twin has error classes of its own.
  const codes = outcomes.flat().map((each) => (each && "code" in each ? each.code : "saved"));
  return { codes, made: fake.vault("Work").items.length };
}

function twin(plants: readonly Plant[], fake: FakeOnePassword): Promise<Provider> {
  return twinOf(fake, plants, { write: { vaultId: WORK, category: "login" } });
}
