import { randomUUID } from "node:crypto";
import { afterAll, describe, expect, it } from "vitest";
import type { Provider } from "../../../src/core/ports.ts";
import { openOnePassword } from "../../../src/providers/onepassword/provider.ts";
import { CATEGORY_NAMES, type CategoryName } from "../../../src/providers/onepassword/categories.ts";
import { parseAddress } from "../../../src/providers/onepassword/reference.ts";
import { providerContext } from "../../support/provider-context.ts";
import { get, good, handleOf, plan, save, SIGNAL, texts } from "./support.ts";

const { OP_SERVICE_ACCOUNT_TOKEN: token, AGENT_VAULT_TEST_OP_VAULT: vaultId } = process.env;
const made: string[] = [];

function open(category: CategoryName = "login"): Promise<Provider> {
  if (token === undefined || vaultId === undefined) throw new Error("the variables are not set");
  const options = { serviceAccountToken: token, vaultIds: [vaultId], write: { vaultId, category } };
  return openOnePassword(options, providerContext());
}

async function make(provider: Provider, value: string): Promise<string> {
  const name = `agent-vault test ${randomUUID()}`;
  made.push(name);
  good(await save(provider, await plan(provider, name, value), value));
  return name;
}

// Needs an account that may read and write one vault: OP_SERVICE_ACCOUNT_TOKEN and AGENT_VAULT_TEST_OP_VAULT, its id. What
// it makes there it deletes again.
describe.skipIf(token === undefined || vaultId === undefined)("a real 1Password account", () => {
  afterAll(async () => {
    const { createClient } = await import("@1password/sdk");
    const client = await createClient({
      auth: token ?? "",
      integrationName: "agent-vault",
      integrationVersion: "test",
    });
    const items = await client.items.list(vaultId ?? "");
    for (const item of items.filter(({ title }) => made.includes(title)))
      await client.items.delete(item.vaultId, item.id);
  });

  it("says how it stands", async () => {
    const lines = await (await open()).check?.(SIGNAL);
    expect(lines?.[0]).toMatch(/^1Password: 1 vault, \d+ items?$/);
  });

  it.each(CATEGORY_NAMES)("makes an item as %s and reads it back", async (category) => {
    const provider = await open(category);
    const name = await make(provider, "hunter2-4711");
    expect(await get(provider, name)).toEqual(["hunter2-4711"]);
    const every = (await provider.fields?.(name, ["*"], SIGNAL)) ?? [];
    expect(texts(await provider.read(every, SIGNAL))).toContain("hunter2-4711");
  });

  it("saves and reads every kind of value as it is", async () => {
    const provider = await open();
    const name = await make(provider, "hunter2-4711");
    for (const value of ["clé – ключ 鍵 \u{1F511}", "a\nb\r\n\tc\n", "x".repeat(65_536), "", "hunter2-4712"]) {
      good(await save(provider, await plan(provider, name, value), value));
      expect(await get(provider, name)).toEqual([value]);
    }
  });

  it("is a conflict when the item was changed since it was shown", async () => {
    const provider = await open();
    const name = await make(provider, "hunter2-4711");
    const early = await plan(provider, name, "hunter2-late");
    good(await save(provider, await plan(provider, name, "hunter2-first"), "hunter2-first"));
    expect(await save(provider, early, "hunter2-late")).toMatchObject({ code: "conflict" });
    expect(await get(provider, name)).toEqual(["hunter2-first"]);
  });

  it("tells what has gone from what was never there", async () => {
    const provider = await open();
    const name = await make(provider, "hunter2-4711");
    const handle = await handleOf(provider, name);
    const { createClient } = await import("@1password/sdk");
    const client = await createClient({
      auth: token ?? "",
      integrationName: "agent-vault",
      integrationVersion: "test",
    });
    await client.items.archive(vaultId ?? "", parseAddress(handle.ref)?.itemId ?? "");
    expect(texts(await provider.read([handle], SIGNAL))).toEqual(["conflict"]);
    expect((await provider.resolve(["agent-vault no such item"], SIGNAL))[0]).toMatchObject({
      code: "secret_not_found",
    });
  });
});
