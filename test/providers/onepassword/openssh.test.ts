import { describe, expect, it } from "vitest";
import type { Each } from "../../../src/core/ports.ts";
import type { Handle } from "../../../src/core/request.ts";
import type { FakeItem } from "../../support/fake-onepassword-core.ts";
import { type FakeOnePassword, fakeOnePassword, type FieldSeed } from "../../support/fake-onepassword.ts";
import type { Plant } from "../../support/patched.ts";
import { outcomesOf, SIGNAL, twinOf } from "./support.ts";

const KEY: FieldSeed = { title: "private key", id: "private_key", value: "hunter2-key", type: "SshKey" };
const OTHER: FieldSeed = { title: "other key", id: "other", value: "hunter2-other", type: "SshKey" };
const NAME = "op://Work/key/private key?ssh-format=openssh";
const GOT = /^-----BEGIN OPENSSH PRIVATE KEY----- hunter2-key$/;

async function opened(fields: readonly FieldSeed[], plants: readonly Plant[] = []) {
  const fake = fakeOnePassword({ vaults: [{ title: "Work", items: [{ title: "key", category: "SshKey", fields }] }] });
  return { fake, provider: await twinOf(fake, plants) };
}

/** What is read when the account is another one just while the reference is looked up. */
async function meanwhile(change: (fake: FakeOnePassword) => void, plants: readonly Plant[] = []): Promise<string[]> {
  const { fake, provider } = await opened([KEY, OTHER], plants);
  const handles = handlesOf(await provider.resolve([NAME], SIGNAL));
  const before = structuredClone(fake.vault("Work").items);
  fake.before = (call) => {
    if (call === "SecretsResolveAll") change(fake);
    // Nothing is to be seen of it afterwards, but that the item was changed.
    if (call === "ItemsGet") fake.vault("Work").items = before.map((item) => ({ ...item, version: version(fake) }));
  };
  const version = ({ item }: FakeOnePassword): number => item("key").version;
  return outcomesOf(await provider.read(handles, SIGNAL));
}

/** The ids of the two keys are exchanged. */
function exchange(fake: FakeOnePassword): void {
  const { fields } = fake.item("key");
  const [one, two] = fields;
  if (one && two) [one.id, two.id] = [two.id, one.id];
  fake.touch("key");
}

/** The item's id leads to another item, which has it for a title. */
function usurp(fake: FakeOnePassword): void {
  const item: FakeItem = fake.item("key");
  item.state = "archived";
  fake.add("Work", { title: item.id, category: "SshKey", fields: [{ ...OTHER, id: "private_key" }] });
}

const sameVersion: Plant = {
  file: "src/providers/onepassword/openssh.ts",
  from: "String(item.version) !== handle.version",
  to: "handle.version === undefined",
};
const anyItem: Plant = {
  file: "src/providers/onepassword/openssh.ts",
  from: "key.itemId === address.itemId && key.vaultId === address.vaultId",
  to: "key.itemId !== undefined",
};

describe("a private key in OpenSSH form", () => {
  it("costs one call more, for all of them together", async () => {
    const { fake, provider } = await opened([KEY, OTHER]);
    const handles = await provider.resolve(
      [NAME, "op://Work/key/other?ssh-format=openssh", "op://Work/key/other"],
      SIGNAL,
    );
    fake.calls.clear();
    const outcomes = outcomesOf(await provider.read(handlesOf(handles), SIGNAL));
    expect(outcomes).toEqual([
      expect.stringMatching(GOT),
      "-----BEGIN OPENSSH PRIVATE KEY----- hunter2-other",
      "hunter2-other",
    ]);
    expect(Object.fromEntries(fake.calls)).toEqual({ SecretsResolveAll: 1, ItemsGet: 1 });
  });

  it("is the one that was shown, or none", async () => {
    expect(await meanwhile(() => {})).toEqual([expect.stringMatching(GOT)]);
    expect(await meanwhile(exchange)).toEqual(["conflict"]);
    expect(await meanwhile(usurp)).toEqual(["conflict"]);
    const { fake, provider } = await opened([KEY]);
    const handles = handlesOf(await provider.resolve([NAME], SIGNAL));
    for (const field of fake.item("key").fields) field.fieldType = "Text";
    expect(outcomesOf(await provider.read(handles, SIGNAL))).toEqual(["conflict"]);
    fake.remove("key");
    expect(outcomesOf(await provider.read(handles, SIGNAL))).toEqual(["conflict"]);
  });

  it.each([
    ["whether the item was changed", exchange, sameVersion],
    ["of which item the answer is", usurp, anyItem],
  ])("would be another one if nobody looked %s", async (_, change, plant) => {
    expect(await meanwhile(change, [plant])).toEqual([expect.stringContaining("hunter2-other")]);
  });

  it.each<[string, readonly FieldSeed[]]>([
    ["another field has its id for a name", [KEY, { title: "Private_Key", value: "hunter2-other" }]],
    ["its id could be taken for a path", [{ ...KEY, id: "a/b" }]],
    ["its id could be taken for a query", [{ ...KEY, id: "a?attribute=otp" }]],
  ])("is not asked for when %s", async (_, fields) => {
    const { provider } = await opened(fields);
    const handles = await provider.resolve([NAME, "op://Work/key/private key"], SIGNAL);
    expect(outcomesOf(await provider.read(handlesOf(handles), SIGNAL))).toEqual(["unrepresentable", "hunter2-key"]);
  });

  it("is said to be none that 1Password can make", async () => {
    const formless = (fake: FakeOnePassword): void => {
      for (const field of fake.item("key").fields) field.fieldType = "Text";
    };
    expect(await meanwhile(formless)).toEqual(["unrepresentable"]);
  });
});

function handlesOf(outcomes: Each<Handle>): readonly Handle[] {
  return outcomes.flatMap((each) => ("ref" in each ? each : []));
}
