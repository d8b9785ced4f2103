import { describe, expect, it } from "vitest";
import { begin, agentIn, world } from "../support/begin.ts";

const TOKENS = { OP_4711: "ops_hunter2-4711", PORT_4712: "hunter2-4712" };
const vaults = {
  op: { type: "1password", serviceAccountToken: "env:OP_4711", writable: true, write: { vaultId: "abc" } },
  pam: { type: "12port", server: "https://127.0.0.1:9", tenant: "acme", token: "env:PORT_4712" },
  hashi: { type: "hashicorp-vault", token: "env:GONE_4713" },
  local: { file: "local.env" },
};

const textOf = ({ content }: { content: unknown[] }): string => JSON.stringify(content);

describe("a vault that is left out", () => {
  it("is named by list_secrets with what it lacks, beside the names of the others", async () => {
    const { agent } = await begin({ config: { vaults } });
    const listed = await agent.call("list_secrets", {});
    const text = textOf(listed);
    expect(listed._meta?.["agent-vault/status"]).toBe("ok");
    expect(text).toContain("[op] cannot be listed: ");
    expect(text).toMatch(/vault \\"op\\" cannot be used: OP_4711 is not set.*set OP_4711 in /);
    expect(text).toMatch(/vault \\"pam\\" cannot be used: PORT_4712 is not set/);
    expect(text).toMatch(/vault \\"hashi\\" cannot be used: this version does not have its type yet/);
    expect(text).not.toContain("GONE_4713");
  });

  it("answers a call with the same, and its neighbour works", async () => {
    const made = world({ secrets: { API_KEY: "hunter2-4714" } });
    const { agent } = await begin({ config: { vaults: { ...vaults, local: { file: made.secrets } } } });
    const asked = await agent.call("get_secret", { vault: "pam", name: "db", reason: "see that it is left out" });
    expect(asked).toMatchObject({ isError: true, _meta: { "agent-vault/status": "config_invalid" } });
    expect(textOf(asked)).toContain("PORT_4712 is not set");
    expect(textOf(await agent.call("list_secrets", { vault: "local" }))).toContain("API_KEY");
  });

  it("is one for its own reason: with its token it is used, and the others still lack theirs", async () => {
    const made = world({ config: { vaults } });
    const agent = await agentIn(made, { env: { PORT_4712: TOKENS.PORT_4712 } });
    const text = textOf(await agent.call("list_secrets", {}));
    expect(text).toMatch(/vault \\"op\\" cannot be used: OP_4711 is not set/);
    expect(text).toMatch(/\[pam\] cannot be listed: .*refuses connections/);
    expect(text + agent.stderr()).not.toContain("hunter2");
  });

  it("is one whose token cannot be one, and the others hardly notice", async () => {
    const made = world({ secrets: { API_KEY: "hunter2-4714" } });
    const config = { vaults: { pam: vaults.pam, local: { file: made.secrets } } };
    const agent = await agentIn(world({ config }), { env: { PORT_4712: "Bearer hunter2-4712" } });
    const text = textOf(await agent.call("list_secrets", {}));
    expect(text).toContain("[pam] cannot be listed: provider_auth: what is set as token is not a token");
    expect(text).toContain("API_KEY");
    expect(text + agent.stderr()).not.toContain("hunter2");
  });

  it("is the only one, and the server says so instead of failing", async () => {
    const { agent } = await begin({ config: { vaults: { hashi: vaults.hashi } } });
    const listed = textOf(await agent.call("list_secrets", {}));
    expect(listed).toContain("this version does not have its type yet");
  });
});

it("takes a 1Password account from variables alone, and repeats no token", async () => {
  const made = world();
  const elsewhere = { ...made, project: made.env["HOME"] ?? "" };
  const agent = await agentIn(elsewhere, {
    env: { AGENT_VAULT_PROVIDER: "1password", OP_SERVICE_ACCOUNT_TOKEN: TOKENS.OP_4711, AGENT_VAULT_1P_VAULTS: "abc" },
  });
  const text = textOf(await agent.call("list_secrets", {}));
  expect(text).toContain("[default] cannot be listed: ");
  expect(text).toContain("not a token of a 1Password service account");
  expect(text + agent.stderr()).not.toContain("hunter2");
});
