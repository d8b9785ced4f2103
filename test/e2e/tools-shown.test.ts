import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { type Agent, statusOf, textOf, type World } from "../support/agent.ts";
import { agentIn, begin, world as makeWorld } from "../support/begin.ts";
import { buildPatched } from "../support/patched.ts";
import { approve } from "../support/person.ts";
import { untilSeen } from "../support/until-seen.ts";

const READING = ["list_secrets", "get_secret", "get_secrets"];
const ALL = [...READING, "set_secret", "set_secrets"];
const SAVE = { vault: "dev", name: "NEW_KEY", value: "generated-canary-4711", reason: "store the new key" };

const shownTo = async (agent: Agent): Promise<string[]> =>
  (await agent.client.listTools()).tools.map(({ name }) => name);
const configOf = (world: World): string => join(world.project, "agent-vault.config.json");

const twins: { file: string; remove: () => void }[] = [];
afterAll(() => {
  for (const twin of twins) twin.remove();
});

describe("the tools that a client is shown", () => {
  it.each([
    ["none is writable", { dev: {} }, READING],
    ["one is writable", { dev: {}, own: { writable: true } }, ALL],
    ["the writable one lacks a variable", { dev: {}, own: { file: "env:NOT_SET_4711", writable: true } }, ALL],
    ["the only one lacks a variable and is not writable", { own: { file: "env:NOT_SET_4711" } }, READING],
  ])("are those that some vault can serve: %s", async (_, vaults, expected) => {
    const config = { vaults: Object.fromEntries(Object.entries(vaults).map(([k, v]) => [k, { type: "env", ...v }])) };
    const { agent } = await begin({ config });
    expect(await shownTo(agent)).toEqual(expected);
  });

  it("are all of them where there is no configuration or a broken one, and each says what is wrong", async () => {
    for (const [text, code] of [
      [undefined, "config_missing"],
      ['{"vaults": {"dev": {"type": "env", "tll": 5}}}', "config_invalid"],
    ] as const) {
      const world = makeWorld();
      if (text === undefined) rmSync(configOf(world));
      else writeFileSync(configOf(world), text);
      const agent = await agentIn(world);
      expect(await shownTo(agent)).toEqual(ALL);
      expect(agent.stderr()).toBe("");
      for (const [tool, args] of [
        ["list_secrets", {}],
        ["set_secret", SAVE],
      ] as const) {
        expect(statusOf(await agent.call(tool, args))).toBe(code);
      }
    }
  });

  it("do not change what a hidden one answers when it is called all the same", async () => {
    const { agent } = await begin();
    expect(await shownTo(agent)).toEqual(READING);
    expect(statusOf(await agent.call("set_secret", SAVE))).toBe("not_writable");
    const { value, name, ...rest } = SAVE;
    expect(statusOf(await agent.call("set_secrets", { ...rest, secrets: [{ name, value }] }))).toBe("not_writable");
    expect(textOf(await agent.call("save_secret", {}))).toContain(
      "the tools are list_secrets, get_secret, get_secrets",
    );
  });

  it("are found without a file, a port, a word or a look at the vault", async () => {
    // The env file inside the folder is worth a warning, but not to a client that only looks.
    const { world, agent } = await begin({ vault: { file: "in-the-project.env" } });
    await Promise.all(Array.from({ length: 20 }, () => shownTo(agent)));
    expect(agent.stderr()).toBe("");
    expect(existsSync(join(world.env["XDG_STATE_HOME"] ?? ""))).toBe(false);
  });
});

describe("the configuration", () => {
  /** Starts where there is none, and puts one there, read-only, before the client lists the tools. */
  async function shownAfterStart(program?: string): Promise<{ world: World; agent: Agent; shown: string[] }> {
    const world = makeWorld();
    rmSync(configOf(world));
    const agent = await agentIn(world, program === undefined ? {} : { program });
    writeFileSync(configOf(world), JSON.stringify(readOnly(world)));
    return { world, agent, shown: await shownTo(agent) };
  }
  const readOnly = (world: World): object => ({
    vaults: { dev: { type: "env", file: world.secrets } },
    approval: { browser: "never" },
  });

  it("is not read by a start alone", async () => {
    const { shown } = await shownAfterStart();
    expect(shown).toEqual(READING);
  });

  it("would be seen if a start read it", async () => {
    const twin = await buildPatched("src/main.ts", [
      {
        file: "src/app.ts",
        from: "let loading: Promise<LoadResult> | undefined;",
        to: "let loading: Promise<LoadResult> | undefined = readConfig();",
      },
    ]);
    twins.push(twin);
    const { shown } = await untilSeen(
      () => shownAfterStart(twin.file),
      (result) => result.shown.length === ALL.length,
    );
    expect(shown).toEqual(ALL);
  });

  it("is read once: what was read for the list is what counts for the calls", async () => {
    const { world, agent } = await begin();
    expect(await shownTo(agent)).toEqual(READING);
    writeFileSync(
      configOf(world),
      JSON.stringify({ vaults: { dev: { type: "env", file: "other.env", writable: true } } }),
    );
    expect(statusOf(await agent.call("set_secret", SAVE))).toBe("not_writable");
    const waiting = agent.get("DATABASE_URL");
    await approve(await agent.link());
    expect(textOf(await waiting)).toBe("postgres://hunter2-4711");
    expect(await shownTo(agent)).toEqual(READING);
  });
});
