import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { type Agent, eventsOf, statusOf, textOf, type World } from "../support/agent.ts";
import { agentIn, world as makeWorld } from "../support/begin.ts";
import { TOKEN, type VaultSeed } from "../support/fake-onepassword.ts";
import { serviceAccountToken } from "../support/fake-onepassword-token.ts";
import { type OnePasswordWorld, onePasswordWorld } from "../support/onepassword-world.ts";
import { approve, readPage } from "../support/person.ts";

const WORK = "7aaaaaaaaaaaaaaaaaaaaawork";
const VAULTS: VaultSeed[] = [
  {
    title: "Work",
    id: WORK,
    items: [
      {
        title: "DB",
        password: "hunter2-canary-db",
        fields: [{ id: "username", title: "username", value: "maria-canary", type: "Text" }],
      },
      { title: "Stripe", password: "hunter2-canary-stripe" },
    ],
  },
];

const accounts: OnePasswordWorld[] = [];
afterEach(() => {
  for (const account of accounts.splice(0)) account.remove();
});

async function begin(
  vault: object = {},
  vaults = VAULTS,
): Promise<{ world: World; account: OnePasswordWorld; agent: Agent }> {
  const account = await onePasswordWorld(vaults);
  accounts.push(account);
  const own = { type: "1password", serviceAccountToken: "env:OP_SERVICE_ACCOUNT_TOKEN", ...vault };
  const world = makeWorld({ config: { vaults: { dev: own } } });
  Object.assign(world.env, account.env);
  return { world, account, agent: await agentIn(world, { program: account.program }) };
}

/** A call that a person approves, after a look at the page. */
async function approved(agent: Agent, tool: string, args: object, choice?: "once" | "window") {
  const waiting = agent.call(tool, { vault: "dev", reason: "run migration 0042", ...args });
  const link = await agent.link();
  const page = await readPage(link);
  expect(page).not.toContain("canary");
  await approve(link, choice);
  return { page, result: await waiting };
}

describe("an agent with a 1Password vault", () => {
  it("lists names without asking anybody, and never values", async () => {
    const { agent } = await begin();
    const result = await agent.call("list_secrets", {});
    expect(textOf(result)).toBe("[dev]\n  - DB\n  - Stripe");
  });

  it("gets the default field after a tap, and the page says which it is", async () => {
    const { world, agent } = await begin();
    const { page, result } = await approved(agent, "get_secret", { name: "DB" });
    expect(page).toContain("password");
    expect(result.content).toEqual([{ type: "text", text: "hunter2-canary-db" }]);
    await agent.close();
    const log = JSON.stringify(eventsOf(world));
    expect(log).toContain(`op://${WORK}/`);
    expect(log).not.toContain("canary");
    expect(agent.stderr()).not.toContain("canary");
  });

  it("gets a field, every field, and what a reference names, and the page shows the title", async () => {
    const { agent } = await begin();
    const one = await approved(agent, "get_secret", { name: "DB", field: "username" });
    expect(textOf(one.result)).toContain("maria-canary");
    const every = await approved(agent, "get_secret", { name: "DB", fields: ["*"] });
    expect(JSON.parse(textOf(every.result))).toEqual({ password: "hunter2-canary-db", username: "maria-canary" });
    const reference = await approved(agent, "get_secret", { name: `op://${WORK}/Stripe/password` });
    expect(reference.page).toContain("Stripe (Work)");
    expect(textOf(reference.result)).toBe("hunter2-canary-stripe");
  });

  it("gets a batch with one approval", async () => {
    const { agent } = await begin();
    const { result } = await approved(agent, "get_secrets", { names: ["Stripe", "op://Work/DB"] });
    expect(JSON.parse(textOf(result))).toEqual({
      Stripe: "hunter2-canary-stripe",
      "op://Work/DB": "hunter2-canary-db",
    });
  });

  it("names what is close to an unknown name, and bothers nobody", async () => {
    const { agent } = await begin();
    const result = await agent.get("Strip");
    expect(statusOf(result)).toBe("secret_not_found");
    expect(textOf(result)).toContain('no item "Strip" in the 1Password vaults this token may use');
    expect(textOf(result)).toContain('"Stripe"');
  });

  it("finds items of the same title by it, and gets the one it asks for under the name it was given", async () => {
    const twins = ["hunter2-canary-one", "hunter2-canary-two"].map((password) => ({ title: "Twin", password }));
    const { agent } = await begin({}, [...VAULTS, { title: "Home", items: twins }]);
    const listed = textOf(await agent.call("list_secrets", { search: "twin" }));
    const names = [...listed.matchAll(/^  - (Twin \(op:\/\/Home\/[a-z2-7]{26}\))$/gm)].map(([, name]) => name ?? "");
    expect(names).toHaveLength(2);
    const { page, result } = await approved(agent, "get_secret", { name: names[1] });
    expect(page).toContain("Twin (Home)");
    expect(textOf(result)).toBe("hunter2-canary-two");
  });

  it("saves into what is there, and makes what is not", async () => {
    const { account, agent } = await begin({ writable: true, write: { vaultId: WORK, category: "apiCredentials" } });
    const old = await approved(agent, "set_secret", { name: "Stripe", value: "canary-new-stripe-0815" }, "once");
    expect(statusOf(old.result)).toBe("ok");
    const made = await approved(agent, "set_secret", { name: "NEW_KEY", value: "canary-new-key-0815" }, "once");
    expect(statusOf(made.result)).toBe("ok");
    const items = account.state().vaults[0]?.items ?? [];
    expect(items.map(({ title, category, version }) => [title, category, version])).toEqual([
      ["DB", "Login", 1],
      ["Stripe", "Login", 2],
      ["NEW_KEY", "ApiCredentials", 1],
    ]);
    expect(items.slice(1).map(({ fields }) => fields[0]?.value)).toEqual([
      "canary-new-stripe-0815",
      "canary-new-key-0815",
    ]);
    const { result } = await approved(agent, "get_secret", { name: "NEW_KEY" });
    expect(textOf(result)).toBe("canary-new-key-0815");
  });

  it("keeps to vaultIds", async () => {
    const { agent } = await begin({ vaultIds: ["another"] });
    const result = await agent.get("DB");
    expect(statusOf(result)).toBe("provider_forbidden");
  });

  it("is examined by doctor, which opens no item", async () => {
    const { world, account } = await begin();
    const { stdout, stderr } = spawnSync(process.execPath, [account.program, "doctor"], {
      cwd: world.project,
      env: world.env,
      encoding: "utf8",
    });
    expect(stdout).toContain("1Password: 1 vault, 2 items");
    expect(stdout).toContain(`Work (${WORK}): 2 items`);
    expect(stdout + stderr).not.toMatch(/canary/);
    expect(TOKEN).toContain("canary");
  });

  it("has doctor say to look at an id of vaultIds that is a title", async () => {
    const { world, account } = await begin({ vaultIds: [WORK, "work"] });
    const { stdout } = spawnSync(process.execPath, [account.program, "doctor"], {
      cwd: world.project,
      env: world.env,
      encoding: "utf8",
    });
    expect(stdout).toMatch(
      new RegExp(`^ *look .*cannot see vault work of vaultIds.*did you mean ${WORK} \\(Work\\)`, "m"),
    );
  });

  it("leaves nothing of a token or a value in the log's files", async () => {
    const { world, agent } = await begin({ ttl: 5 });
    await approved(agent, "get_secret", { name: "DB" });
    await agent.close();
    expect(readFileSync(world.database).includes("canary")).toBe(false);
  });

  it.each([
    [401, "provider_auth"],
    [403, "provider_forbidden"],
    [429, "rate_limited"],
    [503, "provider_unavailable"],
  ])("is told what status %i at the real sign-in means, beside a vault that works", async (status, code) => {
    let asked = 0;
    const server = createServer((_, response) => {
      asked += 1;
      response.writeHead(status, { "content-type": "application/json" }).end('{"canary":"hunter2"}');
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const token = serviceAccountToken(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
      const world = makeWorld();
      const config = join(world.project, "agent-vault.config.json");
      const text = JSON.parse(readFileSync(config, "utf8")) as { vaults: Record<string, object> };
      text.vaults["op"] = { type: "1password", serviceAccountToken: "env:OP_SERVICE_ACCOUNT_TOKEN" };
      writeFileSync(config, JSON.stringify(text));
      const agent = await agentIn(world, { env: { OP_SERVICE_ACCOUNT_TOKEN: token } });
      const listed = textOf(await agent.call("list_secrets", {}));
      expect(listed).toContain("DATABASE_URL");
      expect(listed).toContain(code);
      const result = await agent.call("get_secret", { vault: "op", name: "DB", reason: "run migration 0042" });
      expect(statusOf(result)).toBe(code);
      // A limited account is left alone; the others are tried again.
      expect(asked).toBe(status === 429 ? 1 : 2);
      expect(listed + JSON.stringify(result) + agent.stderr()).not.toMatch(/hunter2|canary|ops_/);
    } finally {
      server.close();
    }
  });
});
