import { describe, expect, it } from "vitest";
import { VaultError } from "../../../src/core/errors.ts";
import type { Clock } from "../../../src/core/clock.ts";
import { twelveport } from "../../../src/providers/twelveport/index.ts";
import { providerContext } from "../../support/provider-context.ts";
import { ask, handlesOf, never } from "./support.ts";

const {
  AGENT_VAULT_TEST_12PORT_SERVER: server,
  AGENT_VAULT_TEST_12PORT_TENANT: tenant,
  AGENT_VAULT_TEST_12PORT_TOKEN: token,
  AGENT_VAULT_TEST_12PORT_ASSET: asset,
  AGENT_VAULT_TEST_12PORT_CA: ca,
} = process.env;
const isThere = [server, tenant, token, asset].every((variable) => variable !== undefined);

const clock: Clock = {
  now: () => Date.now(),
  mono: () => performance.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

const open = () =>
  twelveport.open(
    twelveport.options.parse({ server, tenant, token, ...(ca !== undefined && { ca }) }),
    providerContext({ clock }),
  );

// Needs a 12Port with MCP support and an asset that may be read. If its people have to agree, one of them has an hour
// to.
describe.skipIf(!isThere)("a real 12Port", () => {
  it("says how it stands", async () => {
    const provider = await open();
    const lines = (await provider.check?.(never)) ?? [];
    console.log(lines.join("\n"));
    expect(lines[0]).toContain("reached");
    await provider.close?.();
  });

  it("finds the asset by its exact name, and nothing by a name that is none", async () => {
    const provider = await open();
    expect(await handlesOf(provider, asset ?? "")).toMatchObject([{ name: asset, field: "password" }]);
    const [outcome] = await provider.resolve([`${asset} which is not there 4711`], never);
    expect(outcome instanceof VaultError ? outcome.code : outcome).toBe("secret_not_found");
    expect(await provider.list?.(never)).toContain(asset);
    await provider.close?.();
  });

  it("hands it out, after its people have agreed where they have to", { timeout: 3_700_000 }, async () => {
    const provider = await open();
    const [value] = await ask(provider, asset ?? "", { waiting: (text) => console.log(text) });
    expect(value?.length).toBeGreaterThan(0);
    await provider.close?.();
  });
});
