import { describe, expect, it } from "vitest";
import type { Located } from "../../../src/providers/onepassword/locate.ts";
import { catalogOf } from "../../../src/providers/onepassword/catalog.ts";
import { handleOf, handlesOf } from "../../../src/providers/onepassword/handles.ts";
import type { Field, Shape } from "../../../src/providers/onepassword/shape.ts";
import { fakeOnePassword } from "../../support/fake-onepassword.ts";
import { providerContext } from "../../support/provider-context.ts";
import { SIGNAL, texts } from "./support.ts";

const VAULT = { id: "7aaaaaaaaaaaaaaaaaaaaawork", title: "Work" };

// Each takes a moment. If every one were compared with every other it would take minutes.
describe("many of one name", () => {
  it("are listed under a name each: forty thousand items", () => {
    const items = Array.from({ length: 40_000 }, (_, at) => {
      const id = at.toString(2).padStart(26, "0").replaceAll("0", "a").replaceAll("1", "7");
      return { id, vaultId: VAULT.id, title: "Login", updatedAt: at };
    });
    const catalog = catalogOf([{ ...VAULT, count: items.length }], items);
    const names = new Set(items.map((item) => catalog.nameOf(item)));
    expect(names.size).toBe(items.length);
    for (const name of names) expect(name).toMatch(/^Login \(op:\/\/Work\/[a7]{26}\)$/);
    expect(catalog.find("Login").is).toBe("many");
  });

  it("are shown under a name each: twenty thousand fields", () => {
    const located = { name: "big", shape: shapeOf(20_000) };
    const handles = handlesOf(located, ["*"]);
    expect(new Set(handles.map(({ field }) => field)).size).toBe(20_000);
    expect(handles[7]).toMatchObject({ field: "s2/id7" });
    const few = handles.slice(0, 500).map(({ field = "" }) => field);
    expect(handlesOf(located, few).map(({ ref }) => ref)).toEqual(handles.slice(0, 500).map(({ ref }) => ref));
    expect(handleOf(located)).toMatchObject({ code: "ambiguous", hint: expect.stringContaining("and 19980 more") });
    expect(handleOf({ ...located, field: "same" })).toMatchObject({ code: "ambiguous" });
  });

  it("are read, each the one that was shown: twenty thousand fields", async () => {
    const fields = Array.from({ length: 20_000 }, (_, at) => {
      return { title: "same", id: `id${at}`, value: `hunter2-${at}`, section: `s${at % 5}` };
    });
    const fake = fakeOnePassword({ vaults: [{ title: "Work", items: [{ title: "big", fields }] }] });
    const provider = await fake.open(providerContext());
    const handles = (await provider.fields?.("big", ["*"], SIGNAL)) ?? [];
    expect(texts(await provider.read(handles, SIGNAL))).toEqual(fields.map(({ value }) => value));
  });
});

function shapeOf(count: number): Shape {
  const fields = Array.from({ length: count }, (_, at): Field => {
    const section = `s${at % 5}`;
    return { id: `id${at}`, title: "same", sectionId: section, sectionTitle: section, kind: "Concealed", filled: true };
  });
  const about = { id: "7aaaaaaaaaaaaaaaaaaaaaabig", vaultId: VAULT.id, title: "big", category: "Person", version: 1 };
  return { ...about, category: "Person", fields, unsupported: [], files: [] } satisfies Located["shape"];
}
