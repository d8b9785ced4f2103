import { describe, expect, it } from "vitest";
import type { Provider } from "../../../src/core/ports.ts";
import { fakeOnePassword } from "../../support/fake-onepassword.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { loadPatched } from "../../support/patched.ts";
import { providerContext } from "../../support/provider-context.ts";
import { errorOf, get, handleOf, resolveOne, SIGNAL } from "./support.ts";

const WORK = "7aaaaaaaaaaaaaaaaaaaaawork";
const HOME = "7aaaaaaaaaaaaaaaaaaaaahome";

function twoVaults() {
  return fakeOnePassword({
    vaults: [
      {
        title: "Work",
        id: WORK,
        items: [
          { title: "DB", password: "hunter2-work-db" },
          { title: "Stripe", password: "hunter2-stripe" },
          { title: "Old", password: "hunter2-old", archived: true },
          { title: "a/b (c) @d", password: "hunter2-odd" },
        ],
      },
      {
        title: "Home",
        id: HOME,
        items: [
          { title: "DB", password: "hunter2-home-db" },
          { title: "db", password: "hunter2-home-small" },
        ],
      },
    ],
  });
}

describe("names of 1Password", () => {
  it("lists titles, and a reference that works where a title is there twice; nothing archived", async () => {
    const provider = await twoVaults().open(providerContext());
    const names = (await provider.list?.(SIGNAL)) ?? [];
    expect(names).toEqual(["op://Work/DB", "Stripe", "a/b (c) @d", "op://Home/DB", "db"]);
    expect(await get(provider, ...names)).toEqual([
      "hunter2-work-db",
      "hunter2-stripe",
      "hunter2-odd",
      "hunter2-home-db",
      "hunter2-home-small",
    ]);
  });

  it("lists titles with references behind them where nothing readable tells items apart", async () => {
    const fake = fakeOnePassword({
      vaults: [
        {
          title: "Work",
          items: [
            { title: "twin", password: "hunter2-a" },
            { title: "twin", password: "hunter2-b" },
            { title: "hidden\u200b", password: "hunter2-c" },
            { title: "op://Work/twin", password: "hunter2-d" },
            { title: `${"x".repeat(300)}end`, password: "hunter2-e" },
            { title: "\u200b", password: "hunter2-f" },
          ],
        },
      ],
    });
    const provider = await fake.open(providerContext());
    const names = (await provider.list?.(SIGNAL)) ?? [];
    const ids = fake.vault("Work").items.map(({ id }) => id);
    expect(names).toEqual([
      `twin (op://Work/${ids[0]})`,
      `twin (op://Work/${ids[1]})`,
      `hidden (op://Work/${ids[2]})`,
      `op://Work/twin (op://Work/${ids[3]})`,
      `${"x".repeat(79)}… (op://Work/${ids[4]})`,
      `op://${fake.vault("Work").id}/${ids[5]}`,
    ]);
    const values = ["a", "b", "c", "d", "e", "f"].map((letter) => `hunter2-${letter}`);
    expect(await get(provider, ...names)).toEqual(values);
    expect(await handleOf(provider, names[0] ?? "")).toMatchObject({ title: "twin (Work)" });
  });

  it("takes no title with the reference of another item, and no title that poses as one with a reference", async () => {
    const fake = fakeOnePassword({
      vaults: [
        {
          title: "Work",
          id: WORK,
          items: [
            { title: "twin", password: "hunter2-a" },
            { title: "twin", password: "hunter2-b" },
            { title: "prod", password: "hunter2-prod" },
          ],
        },
      ],
    });
    const provider = await fake.open(providerContext());
    const { id } = fake.item("twin");
    const posing = [`prod (op://Work/${id})`, `twin (op://Work/${fake.item("prod").id})`, `twin (op://Home/${id})`];
    for (const name of [...posing, "twin (op://Work/prod)"])
      expect((await errorOf(provider.resolve([name], SIGNAL))).code).toBe("secret_not_found");
    fake.add("Work", { title: `twin (op://Work/${id})`, password: "hunter2-posing" });
    const other = await fake.open(providerContext());
    expect((await errorOf(other.resolve([`twin (op://Work/${id})`], SIGNAL))).code).toBe("ambiguous");
    const names = (await other.list?.(SIGNAL)) ?? [];
    expect(names[0]).toBe(`twin (op://${WORK}/${id})`);
    expect(await get(other, ...names)).toEqual(["hunter2-a", "hunter2-b", "hunter2-prod", "hunter2-posing"]);
  });

  it("would notice if the title before a reference were not compared", async () => {
    const { openOnePassword } = (await loadPatched("src/providers/onepassword/provider.ts", [
      { file: "src/providers/onepassword/catalog.ts", from: "&& labelOf(item) === titled.title", to: "" },
    ])) as { openOnePassword: (...args: unknown[]) => Promise<Provider> };
    const fake = twoVaults();
    const provider = await openOnePassword(fake.options, providerContext(), fake.loadSdk);
    expect(await get(provider, `DB (op://Work/${fake.item("Stripe").id})`)).toEqual(["hunter2-stripe"]);
  });

  it("names no 1Password vault where there is only one", async () => {
    const provider = await twoVaults().open(providerContext(), { vaultIds: [WORK] });
    expect(await handleOf(provider, "Stripe")).not.toHaveProperty("title");
  });

  it("asks n vaults + 1 times for a page of names, once for twenty, and not again for a minute", async () => {
    const fake = twoVaults();
    const clock = new FakeClock();
    const provider = await fake.open(providerContext({ clock }));
    await Promise.all(Array.from({ length: 20 }, async () => provider.list?.(new AbortController().signal)));
    expect(Object.fromEntries(fake.calls)).toEqual({ signIn: 1, VaultsList: 1, ItemsList: 2 });
    clock.advance(59_000);
    await provider.resolve(["Stripe"], SIGNAL);
    expect(Object.fromEntries(fake.calls)).toEqual({ signIn: 1, VaultsList: 1, ItemsList: 2, ItemsGet: 1 });
    clock.advance(2_000);
    await provider.list?.(SIGNAL);
    expect(fake.calls.get("VaultsList")).toBe(2);
  });

  it("looks up a hundred names of one vault with two calls, and reads them with two", async () => {
    const items = Object.fromEntries(Array.from({ length: 100 }, (_, at) => [`KEY_${at}`, `hunter2-${at}`]));
    const fake = fakeOnePassword({ vaults: [{ title: "Work", items }] });
    const provider = await fake.open(providerContext());
    expect(await get(provider, ...Object.keys(items))).toEqual(Object.values(items));
    expect(Object.fromEntries(fake.calls)).toEqual({
      signIn: 1,
      VaultsList: 1,
      ItemsList: 1,
      ItemsGetAll: 4,
    });
  });

  it.each([
    ["Stripe", "hunter2-stripe", "Stripe (Work)"],
    ["stripe", "hunter2-stripe", "Stripe (Work)"],
    ["op://Work/Stripe", "hunter2-stripe", "Stripe (Work)"],
    ["op://work/STRIPE/Password", "hunter2-stripe", "Stripe (Work)"],
    [`op://${WORK}/Stripe/password`, "hunter2-stripe", "Stripe (Work)"],
    ["op://Work/a/b (c) @d", "hunter2-odd", "a/b (c) @d (Work)"],
    ["op://Work/a/b (c) @d/password", "hunter2-odd", "a/b (c) @d (Work)"],
    ["db", "hunter2-home-small", "db (Home)"],
  ])("takes %s", async (name, value, title) => {
    const fake = twoVaults();
    const provider = await fake.open(providerContext());
    const handle = await handleOf(provider, name);
    expect(handle.title).toBe(title);
    expect(handle).toMatchObject({ name, checked: true, field: "password" });
    expect(handle.ref).toMatch(/^op:\/\/[a-z2-7]{26}\/[a-z2-7]{26}\/password$/);
    expect(await get(provider, name)).toEqual([value]);
  });

  it("takes an id, and shows what it is called", async () => {
    const fake = twoVaults();
    const provider = await fake.open(providerContext());
    const { id } = fake.item("Stripe");
    expect(await handleOf(provider, id)).toMatchObject({ title: "Stripe (Work)" });
    expect(await get(provider, `op://${WORK}/${id}/password`)).toEqual(["hunter2-stripe"]);
  });

  it("says which items an ambiguous name can mean, in references that work", async () => {
    const fake = twoVaults();
    const provider = await fake.open(providerContext());
    const error = await errorOf(provider.resolve(["DB"], SIGNAL));
    expect(error.code).toBe("ambiguous");
    expect(error.hint).toMatch(/"op:\/\/Home\/DB" \(in Home, changed 2026-\d\d-\d\d\), "op:\/\/Work\/DB"/);
    expect((await errorOf(provider.resolve(["Db"], SIGNAL))).code).toBe("ambiguous");
    // A title that is another item's id decides nothing either.
    fake.add("Home", { title: fake.item("Stripe").id, password: "hunter2-decoy" });
    const other = await fake.open(providerContext());
    expect((await errorOf(other.resolve([fake.item("Stripe").id], SIGNAL))).code).toBe("ambiguous");
  });

  it("does not choose between an item with a slash in its title and a field", async () => {
    const fake = fakeOnePassword({ vaults: [{ title: "V", items: { db: "hunter2-1", "db/password": "hunter2-2" } }] });
    const provider = await fake.open(providerContext());
    expect((await errorOf(provider.resolve(["op://V/db/password"], SIGNAL))).code).toBe("ambiguous");
    expect(await get(provider, "db", "db/password")).toEqual(["hunter2-1", "hunter2-2"]);
  });

  it.each(["Strip", "op://Work/Strip", "op://Work/Stripes/password", "strip-e"])(
    "answers %s, which is not there, with what is close",
    async (name) => {
      const provider = await twoVaults().open(providerContext());
      const error = await errorOf(provider.resolve([name], SIGNAL));
      expect(error).toMatchObject({ code: "secret_not_found" });
      expect(error.hint).toContain('"Stripe"');
    },
  );

  it.each([
    ["op://", "invalid_name"],
    ["op://Work", "invalid_name"],
    ["op:///x", "invalid_name"],
    ["op://Work/", "invalid_name"],
    ["op://Work/Stripe?attribute=value", "invalid_name"],
    ["op://Nowhere/Stripe", "secret_not_found"],
    ["Old", "secret_not_found"],
  ])("does not find %s", async (name, code) => {
    const provider = await twoVaults().open(providerContext());
    const error = await errorOf(provider.resolve([name], SIGNAL));
    expect(error.code).toBe(code);
    expect(error.message).toContain(`"${name}"`);
    expect(error.hint).toContain(code === "invalid_name" ? "op://vault/item/field" : "list_secrets");
  });

  it("sees nothing outside vaultIds: neither by title, id, reference nor handle", async () => {
    const fake = twoVaults();
    const all = await fake.open(providerContext());
    const handle = await handleOf(all, "op://Home/DB");
    fake.calls.clear();
    const provider = await fake.open(providerContext(), { vaultIds: [WORK] });
    expect(await provider.list?.(SIGNAL)).toEqual(["DB", "Stripe", "a/b (c) @d"]);
    expect(fake.calls.get("ItemsList")).toBe(1);
    const { id } = fake.item("db");
    for (const name of ["op://Home/db", "op://Home/DB/password", `op://${HOME}/${id}`, id])
      expect((await errorOf(provider.resolve([name], SIGNAL))).code).toBe("secret_not_found");
    expect(await get(provider, "DB")).toEqual(["hunter2-work-db"]);
    expect((await errorOf(provider.read([handle], SIGNAL))).code).toBe("provider_forbidden");
  });

  it("would notice if vaultIds were not kept to", async () => {
    const { openOnePassword } = (await loadPatched("src/providers/onepassword/provider.ts", [
      {
        file: "src/providers/onepassword/overview.ts",
        from: "listed.filter(({ id }) => isAllowed(id))",
        to: "listed",
      },
    ])) as { openOnePassword: (...args: unknown[]) => Promise<Provider> };
    const fake = twoVaults();
    const provider = await openOnePassword({ ...fake.options, vaultIds: [WORK] }, providerContext(), fake.loadSdk);
    expect(await provider.list?.(SIGNAL)).toContain("op://Home/DB");
  });

  it("says that none of vaultIds can be seen, and warns once of one that cannot", async () => {
    const fake = twoVaults();
    const none = await fake.open(providerContext(), { vaultIds: ["nope"] });
    expect(await errorOf(none.resolve(["DB"], SIGNAL))).toMatchObject({
      code: "provider_forbidden",
      hint: "vaultIds takes ids, not titles: remove it, run agent-vault doctor, copy the ids it lists",
    });
    const titled = await fake.open(providerContext(), { vaultIds: ["work"] });
    expect(await errorOf(titled.resolve(["DB"], SIGNAL))).toMatchObject({
      hint: `vaultIds takes ids, not titles: did you mean ${WORK} (Work)?`,
    });
    const warnings: string[] = [];
    const warn = (line: string): void => void warnings.push(line);
    const provider = await fake.open(providerContext({ warn }), { vaultIds: [WORK, "nope"] });
    await provider.list?.(SIGNAL);
    await provider.list?.(SIGNAL);
    await provider.check?.(SIGNAL);
    expect(warnings).toEqual([
      expect.stringMatching(/^1Password: the service account cannot see vault nope of vaultIds; /),
    ]);
  });

  it("finds what was made after the names were kept, but does not look for every unknown name", async () => {
    const fake = twoVaults();
    const clock = new FakeClock();
    const provider = await fake.open(providerContext({ clock }));
    await provider.list?.(SIGNAL);
    fake.add("Work", { title: "LATE", password: "hunter2-late" });
    clock.advance(6_000);
    expect(await get(provider, "LATE")).toEqual(["hunter2-late"]);
    expect(fake.calls.get("VaultsList")).toBe(2);
    for (const name of ["x1", "x2", "x3"]) await provider.resolve([name], SIGNAL);
    expect(fake.calls.get("VaultsList")).toBe(2);
    clock.advance(6_000);
    await provider.resolve(["x4"], SIGNAL);
    expect(fake.calls.get("VaultsList")).toBe(3);
  });

  it("never takes an item for one whose title it has lost since", async () => {
    const fake = twoVaults();
    const provider = await fake.open(providerContext());
    await provider.list?.(SIGNAL);
    fake.rename("Stripe", "Stripe (old)");
    fake.add("Work", { title: "Stripe", password: "hunter2-new" });
    expect(await get(provider, "Stripe")).toEqual(["hunter2-new"]);
    fake.remove("Stripe");
    expect((await errorOf(provider.resolve(["Stripe"], SIGNAL))).code).toBe("secret_not_found");
    fake.item("a/b (c) @d").state = "archived";
    expect((await errorOf(provider.resolve(["a/b (c) @d"], SIGNAL))).code).toBe("secret_not_found");
  });

  it("says how it stands, without opening an item", async () => {
    const fake = twoVaults();
    const warnings: string[] = [];
    const warn = (line: string): void => void warnings.push(line);
    const provider = await fake.open(providerContext({ warn }), { vaultIds: [WORK, "home"] });
    expect(await provider.check?.(SIGNAL)).toEqual(["1Password: 1 vault, 3 items", `Work (${WORK}): 3 items`]);
    expect(warnings).toEqual([
      `1Password: the service account cannot see vault home of vaultIds; vaultIds takes ids, not titles: did you mean ${HOME} (Home)?`,
    ]);
    expect(Object.fromEntries(fake.calls)).toEqual({ signIn: 1, VaultsList: 1 });
    const misplaced = await fake.open(providerContext(), { write: { vaultId: "nope", category: "login" } });
    expect((await errorOf(misplaced.check?.(SIGNAL) ?? Promise.resolve())).code).toBe("provider_forbidden");
  });

  it("keeps vaults and items of five thousand apart in no time worth naming", async () => {
    const items = Object.fromEntries(Array.from({ length: 5_000 }, (_, at) => [`KEY_${at}`, `hunter2-${at}`]));
    const fake = fakeOnePassword({
      vaults: [
        { title: "A", items },
        { title: "B", items },
      ],
    });
    const provider = await fake.open(providerContext());
    const names = (await provider.list?.(SIGNAL)) ?? [];
    expect(names).toHaveLength(10_000);
    expect(names[0]).toBe("op://A/KEY_0");
    const last = names.at(-1) ?? "";
    expect(await resolveOne(provider, last)).toMatchObject({ title: "KEY_4999 (B)" });
  });
});
