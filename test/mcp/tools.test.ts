import { describe, expect, it } from "vitest";
import { INSTRUCTIONS } from "../../src/mcp/instructions.ts";
import { begin } from "../support/begin.ts";
import { statusOf, textOf } from "../support/agent.ts";
import { startHouse } from "../support/house.ts";
import { connect } from "./connect.ts";

describe("what a client is told", () => {
  it("is the contract that others depend on", async () => {
    const { agent } = await begin({ vault: { writable: true } });
    const { tools } = await agent.client.listTools();
    await expect(`${JSON.stringify(tools, undefined, 2)}\n`).toMatchFileSnapshot("../golden/tools.json");
  });

  it("stands in the instructions too, in under 2 KB, with every tool's name", async () => {
    const { agent } = await begin();
    expect(agent.client.getInstructions()).toBe(INSTRUCTIONS);
    expect(Buffer.byteLength(INSTRUCTIONS)).toBeLessThan(2_048);
    for (const name of [
      "list_secrets",
      "get_secret",
      "get_secrets",
      "set_secret",
      "set_secrets",
      "field",
      "fields",
      "pending",
    ]) {
      expect(INSTRUCTIONS).toContain(name);
    }
  });

  it("marks reading as read-only and closed-world, writing as destructive", async () => {
    const { agent } = await begin({ vault: { writable: true } });
    const { tools } = await agent.client.listTools();
    expect(tools).toHaveLength(5);
    for (const { name, annotations, description = "" } of tools) {
      expect(annotations).toMatchObject({ readOnlyHint: !name.startsWith("set_"), openWorldHint: false });
      expect(description.length).toBeLessThan(600);
    }
  });

  it("an unknown tool is answered with the known ones", async () => {
    const { agent } = await begin({ vault: { writable: true } });
    const result = await agent.call("get_all_secrets", {});
    expect(statusOf(result)).toBe("invalid_arguments");
    expect(textOf(result)).toContain("list_secrets, get_secret, get_secrets, set_secret, set_secrets");
  });
});

describe("list_secrets", () => {
  const secrets = Object.fromEntries(Array.from({ length: 450 }, (_, at) => [`KEY_${at}`, `value-${at}`]));

  it("pages 200 names at a time, all of them once, in the file's order", async () => {
    const { agent } = await begin({ secrets });
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const text = textOf(await agent.call("list_secrets", cursor === undefined ? {} : { cursor }));
      seen.push(...[...text.matchAll(/^ {2}- (\w+)$/gm)].map(([, name = ""]) => name));
      cursor = /with cursor ([\w-]+)/.exec(text)?.[1];
    } while (cursor !== undefined);
    expect(seen).toEqual(Object.keys(secrets));
  });

  it("finds by part of a name, upper and lower case alike, and says so when nothing matches", async () => {
    const { agent } = await begin({ secrets });
    expect(textOf(await agent.call("list_secrets", { search: "key_44" }))).toBe(
      ["[dev]", "KEY_44", ...Array.from({ length: 10 }, (_, at) => `KEY_44${at}`)].join("\n  - "),
    );
    expect(textOf(await agent.call("list_secrets", { search: "nope" }))).toBe("[dev] (no match)");
  });

  it("refuses a cursor that it did not give, with what to do", async () => {
    const { agent } = await begin();
    for (const cursor of ["garbage", Buffer.from('["gone",0]').toString("base64url")]) {
      const result = await agent.call("list_secrets", { cursor });
      expect(statusOf(result)).toBe("invalid_arguments");
      expect(textOf(result)).toContain("without a cursor");
    }
  });

  it("reports a vault that cannot be listed beside the others, which it does not hide", async () => {
    const { agent } = await begin({
      config: {
        vaults: {
          gone: { type: "env", file: "nowhere.env" },
          unset: { type: "env", file: "env:NOT_SET_4711" },
          here: { type: "env", file: "../secrets.env", writable: true },
        },
      },
    });
    const text = textOf(await agent.call("list_secrets", {}));
    expect(text).toMatch(/^\[gone\] cannot be listed: provider_unavailable: .*nowhere\.env/m);
    expect(text).toMatch(/^\[unset\] cannot be listed: config_invalid: .*NOT_SET_4711/m);
    expect(text).toContain("[here] (writable)\n  - DATABASE_URL");
    const result = await agent.call("get_secret", { vault: "unset", name: "A", reason: "x" });
    expect(statusOf(result)).toBe("config_invalid");
  });
});

describe("list_secrets, where a vault cannot list", () => {
  it("says how to ask all the same, and not that there is nothing", async () => {
    const house = startHouse({ vaults: { ops: {}, dev: {} } });
    const { call } = await connect(house);
    Object.assign(house.vault, { list: undefined });
    const says = "cannot tell which names there are: ask for one by its exact name or the vault's own reference";
    expect(textOf(await call("list_secrets", {}))).toBe(`[ops] ${says}\n[dev] ${says}`);
  });
});
