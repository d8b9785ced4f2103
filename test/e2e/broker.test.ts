import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CallToolResult } from "@modelcontextprotocol/sdk/types.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AgentOptions, eventsOf, query, statusOf, textOf } from "../support/agent.ts";
import { agentIn, begin, world as makeWorld } from "../support/begin.ts";
import { buildPatched } from "../support/patched.ts";
import { approve, decide, deny, readPage } from "../support/person.ts";
import { PROBE } from "../support/probe-provider.ts";

describe("an agent with an env vault", () => {
  it("starts without a port, a file or a database until it needs a person", async () => {
    const { world, agent } = await begin();
    await agent.client.listTools();
    expect(existsSync(world.database)).toBe(false);
    expect(agent.stderr()).toBe("");
  });

  it("lists names without asking anybody, and never values", async () => {
    const { agent } = await begin();
    const result = await agent.call("list_secrets", {});
    expect(textOf(result)).toBe("[dev]\n  - DATABASE_URL\n  - STRIPE_KEY");
    expect(JSON.stringify(result)).not.toContain("hunter2");
  });

  it("gets exactly the value after a tap, and the audit view has its line", async () => {
    const { world, agent } = await begin({ vault: { ttl: 5 } });
    const waiting = agent.get("DATABASE_URL");
    const link = await agent.link();
    expect(await readPage(link)).toContain("DATABASE_URL");
    expect(await approve(link)).toBe(303);
    const result = await waiting;
    expect(result.content).toEqual([{ type: "text", text: "postgres://hunter2-4711" }]);
    expect(statusOf(result)).toBe("ok");
    expect(textOf(await agent.get("DATABASE_URL"))).toBe("postgres://hunter2-4711");
    await agent.close();
    const rows = query(world, "SELECT * FROM audit ORDER BY timestamp");
    expect(rows).toMatchObject([
      { secret_name: "dev/DATABASE_URL", reason: "run migration 0042", action: "approved", access: "read" },
      { secret_name: "dev/DATABASE_URL", action: "auto_approved", access: "read" },
    ]);
    expect(rows[0]?.["timestamp"]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(eventsOf(world).map(({ kind }) => kind)).toEqual([
      "started",
      "requested",
      "approved",
      "releasing",
      "released",
      "releasing",
      "released",
      "stopped",
    ]);
  });

  it("is told no, what to do, and with a stable code when denied", async () => {
    const { agent } = await begin();
    const waiting = agent.get("DATABASE_URL");
    expect(await deny(await agent.link())).toBe(303);
    const result = await waiting;
    expect(result.isError).toBe(true);
    expect(statusOf(result)).toBe("denied");
    expect(textOf(result).split("\n")).toHaveLength(2);
  });

  it("reads the person's note when asked to ask differently", async () => {
    const { agent } = await begin();
    const waiting = agent.get("DATABASE_URL");
    await decide(await agent.link(), { verdict: "again", note: "use the read-only user <b>" });
    const result = await waiting;
    expect(statusOf(result)).toBe("ask_differently");
    expect(textOf(result)).toContain("use the read-only user <b>");
  });

  it("gets a batch as one JSON object after one approval", async () => {
    const { agent } = await begin();
    const waiting = agent.call("get_secrets", {
      vault: "dev",
      names: ["STRIPE_KEY", "DATABASE_URL"],
      reason: "deploy",
    });
    await approve(await agent.link());
    expect(JSON.parse(textOf(await waiting))).toEqual({
      STRIPE_KEY: "sk_live_canary_0815",
      DATABASE_URL: "postgres://hunter2-4711",
    });
  });

  it("saves a value that nobody sees, and reads it back", async () => {
    const { world, agent } = await begin({ vault: { writable: true } });
    const value = "generated-canary-value-0123456789";
    const waiting = agent.call("set_secret", { vault: "dev", name: "NEW_KEY", value, reason: "store the new key" });
    const link = await agent.link();
    const page = await readPage(link);
    expect(page).toContain("WRITE");
    expect(page).not.toContain("canary-value");
    await approve(link, "once");
    expect(textOf(await waiting)).toBe('saved "NEW_KEY" to vault "dev"');
    expect(readFileSync(world.secrets, "utf8")).toContain(`NEW_KEY=${value}\n`);
  });

  it("saves several with one approval and says so name by name", async () => {
    const { agent } = await begin({ vault: { writable: true } });
    const secrets = [
      { name: "A_KEY", value: "first-canary-value" },
      { name: "B_KEY", value: "second-canary-value" },
    ];
    const waiting = agent.call("set_secrets", { vault: "dev", secrets, reason: "bootstrap" });
    await approve(await agent.link(), "once");
    expect(textOf(await waiting)).toBe('saved 2 of 2 to vault "dev"\n"A_KEY": saved\n"B_KEY": saved');
  });

  it("sees a value that was rotated, and a key that was added", async () => {
    const { world, agent } = await begin({ vault: { ttl: 5, ttlScope: "vault" } });
    const waiting = agent.get("DATABASE_URL");
    await approve(await agent.link());
    await waiting;
    writeFileSync(world.secrets, "DATABASE_URL=postgres://rotated-canary\nLATE=added-canary\n");
    expect(textOf(await agent.get("DATABASE_URL"))).toBe("postgres://rotated-canary");
    expect(textOf(await agent.get("LATE"))).toBe("added-canary");
  });

  it("ends a window when the person revokes it on the page", async () => {
    const { agent } = await begin({ vault: { ttl: 5 } });
    const waiting = agent.get("DATABASE_URL");
    const link = await agent.link();
    await approve(link);
    await waiting;
    expect(await decide(link, { verdict: "revoke" })).toBe(303);
    const again = agent.get("DATABASE_URL");
    await deny(await agent.link());
    expect(statusOf(await again)).toBe("denied");
  });

  it("names every wrong argument and never repeats a value", async () => {
    const { agent } = await begin();
    const result = await agent.call("set_secret", {
      vault: "dev",
      name: "",
      value: 42,
      reason: "x",
      valeu: "hunter2-4711",
    });
    expect(statusOf(result)).toBe("invalid_arguments");
    expect(textOf(result)).toContain("name");
    expect(textOf(result)).not.toContain("hunter2");
    const long = await agent.get("DATABASE_URL", { reason: "x".repeat(1_000_000) });
    expect(statusOf(long)).toBe("invalid_arguments");
    expect(textOf(long).length).toBeLessThan(500);
  });

  it("answers every tool with what is wrong when there is no configuration", async () => {
    const world = makeWorld();
    writeFileSync(`${world.project}/agent-vault.config.json`, '{"vaults": {"dev": {"type": "env", "tll": 5}}}');
    const agent = await agentIn(world);
    for (const tool of ["list_secrets", "get_secret"]) {
      const result = await agent.call(tool, tool === "list_secrets" ? {} : { vault: "dev", name: "A", reason: "x" });
      expect(statusOf(result)).toBe("config_invalid");
      expect(textOf(result)).toContain("vaults.dev.tll");
    }
  });

  it("64 identical calls ring once and are all served by one tap", async () => {
    const { world, agent } = await begin();
    const calls = Array.from({ length: 64 }, () => agent.get("DATABASE_URL"));
    const link = await agent.link();
    expect(await readPage(link)).toContain("DATABASE_URL");
    await approve(link, "once");
    const texts = (await Promise.all(calls)).map(textOf);
    expect(texts).toEqual(texts.map(() => "postgres://hunter2-4711"));
    await agent.close();
    const kinds = eventsOf(world).map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === "requested")).toHaveLength(1);
    expect(kinds.filter((kind) => kind === "released")).toHaveLength(64);
  });

  it("two sessions side by side share one page, and each answer goes to the one that asked", async () => {
    const { world, agent } = await begin();
    const other = await agentIn(world);
    const [first, second] = [agent.get("DATABASE_URL"), other.get("STRIPE_KEY")];
    const [one, two] = [await agent.link(), await other.link()];
    expect(new URL(one).origin).toBe(new URL(two).origin);
    await approve(two);
    await approve(one);
    expect([textOf(await first), textOf(await second)]).toEqual(["postgres://hunter2-4711", "sk_live_canary_0815"]);
  });
});

describe("an agent with a vault whose secrets have fields, and that has people of its own", () => {
  let program: Awaited<ReturnType<typeof buildPatched>>;
  beforeAll(async () => {
    program = await buildPatched("src/main.ts", [PROBE]);
  });
  afterAll(() => program.remove());

  async function beginProbe(own: object, approval: object = {}, as: AgentOptions = {}) {
    // Relative to the folder that the program is started in.
    const world = makeWorld({ config: { vaults: { dev: { type: "probe", diary: "probe.diary", ...own } }, approval } });
    const agent = await agentIn(world, { ...as, program: program.file });
    const diary = join(world.project, "probe.diary");
    const get = (fields: object = {}): Promise<CallToolResult> =>
      agent.call("get_secret", { vault: "dev", name: "Stripe", reason: "log in", ...fields });
    return { world, agent, diary, get };
  }

  it("gets one field bare, several as an object, and the person reads which", async () => {
    const { agent, get } = await beginProbe({});
    for (const [args, expected, page] of [
      [{ field: "username" }, "probe-canary-username", /username/],
      [{ fields: ["password"] }, '{"password":"probe-canary-password"}', /password/],
      [{ fields: ["*"] }, '{"username":"probe-canary-username","password":"probe-canary-password"}', /every field/i],
    ] as const) {
      const waiting = get(args);
      const link = await agent.link();
      expect(await readPage(link)).toMatch(page);
      await approve(link);
      expect((await waiting).content).toEqual([{ type: "text", text: expected }]);
    }
  });

  it("is told whom it waits for once a person has approved, and comes back for the value", async () => {
    const { world, agent, diary, get } = await beginProbe({ people: true }, { waitSeconds: 1 }, { name: "Cursor" });
    const first = get();
    const link = await agent.link();
    await approve(link);
    // Its second may have been over before the person answered.
    await first;
    const pending = await get();
    expect(statusOf(pending)).toBe("pending");
    expect(textOf(pending)).toContain('a person approved reading Stripe from vault "dev"; waiting for the probe');
    expect(JSON.stringify(pending)).not.toMatch(/approve\/|localhost/);
    expect(await readPage(link)).toContain("waiting for the probe");

    appendFileSync(diary, "agreed\n");
    expect(textOf(await get())).toBe("probe-canary-password");
    expect(readFileSync(diary, "utf8").match(/submitted/g)).toHaveLength(1);
    await agent.close();
    const kinds = eventsOf(world).map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === "requested" || kind === "upstream_waiting")).toEqual([
      "requested",
      "upstream_waiting",
    ]);
  });
});
