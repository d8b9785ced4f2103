import { describe, expect, it } from "vitest";
import type { Provider } from "../../../src/core/ports.ts";
import { Secret } from "../../../src/core/secret.ts";
import type { FakeItem } from "../../support/fake-onepassword-core.ts";
import { fakeOnePassword, type ItemSeed } from "../../support/fake-onepassword.ts";
import type { Plant } from "../../support/patched.ts";
import { outcomesOf, SIGNAL, twinOf } from "./support.ts";

const SEED = "otpauth://totp/canary?secret=HUNTER2CANARY";

/** No plants: the product itself. */
async function opened(item: Omit<ItemSeed, "title">, plants: readonly Plant[] = []) {
  const fake = fakeOnePassword({ vaults: [{ title: "Work", items: [{ title: "shared", ...item }] }] });
  const write = { vaultId: fake.vault("Work").id, category: "login" } as const;
  return { fake, provider: await twinOf(fake, plants, { write }) };
}

/** A field is asked for and shown; then the item changes; then it is read. */
async function shown(
  item: Omit<ItemSeed, "title">,
  field: string,
  change: (item: FakeItem) => void,
  plants: readonly Plant[] = [],
): Promise<string[]> {
  const { fake, provider } = await opened(item, plants);
  const handles = (await provider.fields?.("shared", [field], SIGNAL)) ?? [];
  change(fake.item("shared"));
  fake.touch("shared");
  return outcomesOf(await provider.read(handles, SIGNAL));
}

const doubled = {
  fields: [
    { title: "a", id: "x", value: "hunter2-of-a" },
    { title: "b", id: "x", value: "hunter2-of-b" },
    { title: "c", id: "y", value: "hunter2-of-c" },
  ],
};

const byTitleToo: Plant = {
  file: "src/providers/onepassword/shape.ts",
  from: 'there.get(spell(place)) ?? "none"',
  to: 'there.get(spell(place)) ?? item.fields.find(({ title }) => title === place.fieldId) ?? "none"',
};
const firstOfMany: Plant = {
  file: "src/providers/onepassword/shape.ts",
  from: 'there.has(place) ? "many" : field',
  to: "there.get(place) ?? field",
};
const showsDoubled: Plant = {
  file: "src/providers/onepassword/handles.ts",
  from: "if (field.doubled)",
  to: "if (field.kind === undefined)",
};

describe("the field that was shown", () => {
  it.each([
    ["holds a slash", "creds/root password", { title: "root password", id: "z" }],
    ["looks like a section and a field", "Section_creds/pw", { title: "pw", id: "pw" }],
    ["holds what could be a query", "seed?attribute=otp", { title: "seed", id: "seed", type: "Totp" as const }],
    ["holds anything", "é/?%#\u0007..", { title: "..", id: "z" }],
  ])("is what is read, though its id %s", async (_, id, other) => {
    const fields = [
      { title: "hint", id, value: "hunter2-harmless", type: "Text" as const },
      { section: "creds", value: SEED, ...other },
    ];
    const { fake, provider } = await opened({ fields });
    const handles = (await provider.fields?.("shared", ["hint"], SIGNAL)) ?? [];
    fake.calls.clear();
    expect(outcomesOf(await provider.read(handles, SIGNAL))).toEqual(["hunter2-harmless"]);
    expect(Object.fromEntries(fake.calls)).toEqual({ ItemsGet: 1 });
  });

  it("is read or none, when another one has its id for a title by then", async () => {
    expect(await recreated()).toEqual(["conflict"]);
  });

  it("would be mistaken for another one if titles counted", async () => {
    expect(await recreated([byTitleToo])).toEqual(["hunter2-other"]);
  });

  it.each<[string, Omit<ItemSeed, "title">, string, (item: FakeItem) => void]>([
    [
      "has become a one-time password",
      { fields: [{ title: "code", id: "c", value: "plain", type: "Text" }] },
      "code",
      ({ fields: [field] }) => field && Object.assign(field, { fieldType: "Totp", value: SEED }),
    ],
    [
      "is no one-time password any more",
      { fields: [{ title: "code", id: "c", value: SEED, type: "Totp" }] },
      "code",
      ({ fields: [field] }) => field && Object.assign(field, { fieldType: "Text" }),
    ],
    [
      "can no longer be read",
      { password: "hunter2-old" },
      "password",
      ({ fields: [field] }) => field && Object.assign(field, { fieldType: "Unsupported" }),
    ],
    [
      "was in a section whose name another one has now",
      { fields: [{ title: "pw", id: "pw", value: "hunter2-old", section: "one" }] },
      "pw",
      (item) => {
        item.sections = [{ id: "Section_two", title: "Section_one" }];
        item.fields = [
          { id: "q", title: "pw", sectionId: "Section_two", fieldType: "Concealed", value: "hunter2-other" },
        ];
      },
    ],
    [
      "has come to share its id",
      { password: "hunter2-old" },
      "password",
      ({ fields }) =>
        fields.unshift({ id: "password", title: "other", fieldType: "Concealed", value: "hunter2-other" }),
    ],
    [
      "is notes, and a field has come to be called so",
      { notes: "hunter2-notes", category: "SecureNote" },
      "notes",
      ({ fields }) => fields.push({ id: "notesPlain", title: "other", fieldType: "Concealed", value: "hunter2-other" }),
    ],
  ])("is a conflict when it %s", async (_, item, field, change) => {
    expect(await shown(item, field, change)).toEqual(["conflict"]);
  });

  it("is neither shown, read nor written when another one has the same id", async () => {
    const { fake, provider } = await opened(doubled);
    for (const wanted of ["a", "b", "*"])
      expect(await ask(provider, wanted)).toMatchObject({ code: "ambiguous", hint: expect.stringContaining("apart") });
    expect(await ask(provider, "c")).toBe("ok");
    const value = new Secret("hunter2-new");
    const plans = (await provider.planWrite?.([{ name: "op://Work/shared/b", value }], SIGNAL)) ?? [];
    expect(outcomesOf(plans)).toEqual(["ambiguous"]);
    expect(outcomesOf(await provider.resolve(["op://Work/shared/b", "op://Work/shared/c"], SIGNAL))).toEqual([
      "ambiguous",
      "ok",
    ]);
    const { vaultId, id } = fake.item("shared");
    const ref = `op://${vaultId}/${id}/x`;
    expect(outcomesOf(await provider.read([{ name: "b", ref, checked: true }], SIGNAL))).toEqual(["conflict"]);
    const plan = { name: "b", ref, checked: true, version: "1", effect: "replace" } as const;
    expect(outcomesOf((await provider.write?.([{ plan, value }], SIGNAL)) ?? [])).toEqual(["conflict"]);
    expect(fake.item("shared").fields.map((field) => field.value)).toEqual([
      "hunter2-of-a",
      "hunter2-of-b",
      "hunter2-of-c",
    ]);
  });

  it("would be another one if fields of one id were not told apart", async () => {
    const { fake, provider } = await opened(doubled, [firstOfMany, showsDoubled]);
    const handles = (await provider.fields?.("shared", ["b"], SIGNAL)) ?? [];
    expect(outcomesOf(await provider.read(handles, SIGNAL))).toEqual(["hunter2-of-a"]);
    const value = new Secret("hunter2-new");
    const [plan] = (await provider.planWrite?.([{ name: "op://Work/shared/b", value }], SIGNAL)) ?? [];
    if (!plan || plan instanceof Error) throw new Error("no plan");
    await provider.write?.([{ plan, value }], SIGNAL);
    expect(fake.item("shared").fields[0]?.value).toBe("hunter2-new");
  });
});

/** The shown password is deleted, and one is made whose title is what the other's id was. */
function recreated(plants: readonly Plant[] = []): Promise<string[]> {
  const change = (item: FakeItem): void => {
    item.fields = [{ id: "q", title: "password", fieldType: "Concealed", value: "hunter2-other" }];
  };
  return shown({ password: "hunter2-old" }, "password", change, plants);
}

async function ask(provider: Provider, wanted: string): Promise<unknown> {
  return provider.fields?.("shared", [wanted], SIGNAL).then(
    () => "ok",
    (error: unknown) => error,
  );
}
