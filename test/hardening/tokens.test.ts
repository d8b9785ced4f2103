import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { PROGRAM, type World } from "../support/agent.ts";
import { agentIn, world as makeWorld } from "../support/begin.ts";
import { hooked } from "../support/hooked.ts";
import { buildPatched, type Plant } from "../support/patched.ts";

const TOKENS = {
  OP_SERVICE_ACCOUNT_TOKEN: "ops_hunter2-4711",
  MY_TOPIC: "hunter2-4712-topic-long-enough",
  NGROK_AUTHTOKEN: "hunter2-4713",
};
const SRC = resolve(import.meta.dirname, "../../src");

/** A project whose vaults and channels have their tokens in the environment, with a program that opens browsers. */
function worldWithTokens(): World & { readonly opened: string } {
  const world = makeWorld({
    config: {
      approval: { browser: "always" },
      channels: [{ type: "ntfy", topic: "env:MY_TOPIC", server: "http://127.0.0.1:9" }],
      tunnel: { type: "none" },
    },
  });
  const bin = join(world.project, "bin");
  const opened = join(world.project, "opened");
  mkdirSync(bin);
  writeFileSync(join(bin, "xdg-open"), `#!/bin/sh\nenv > "${opened}.new"\nmv "${opened}.new" "${opened}"\n`);
  chmodSync(join(bin, "xdg-open"), 0o755);
  Object.assign(world.env, TOKENS, { PATH: `${bin}:${world.env["PATH"] ?? ""}` });
  return { ...world, opened };
}

const found = (text: string): string[] => Object.values(TOKENS).filter((token) => text.includes(token));

/** The tokens that the program which opens the browser is started with. */
async function inherited(program: string): Promise<string[]> {
  const world = worldWithTokens();
  const agent = await agentIn(world, { program });
  void agent.get("DATABASE_URL").catch(() => undefined);
  await vi.waitFor(() => expect(existsSync(world.opened)).toBe(true), { timeout: 10_000 });
  const text = readFileSync(world.opened, "utf8");
  expect(text).toContain(world.project);
  return found(text);
}

const CARELESS: Plant = {
  file: "src/channels/start-browser.ts",
  from: "env: forDesktop(environment, platform)",
  to: "env: process.env",
};
const KEEPS: Plant = { file: "src/config/load.ts", from: "delete process.env[name]", to: "void name" };

describe.runIf(process.platform === "linux")("a program that is started from here", () => {
  it("gets no token", async () => {
    expect(await inherited(PROGRAM)).toEqual([]);
  });

  it("would get none even if it were given all of the environment", async () => {
    const twin = await buildPatched("src/main.ts", [CARELESS]);
    onTestFinished(twin.remove);
    expect(await inherited(twin.file)).toEqual([]);
  });

  it("would get all of them if they were also left where they were read", async () => {
    const twin = await buildPatched("src/main.ts", [CARELESS, KEEPS]);
    onTestFinished(twin.remove);
    expect(await inherited(twin.file)).toEqual(Object.values(TOKENS));
  });
});

describe("every place that starts a program", () => {
  const STARTS = /(?<!\.)\b(?:spawn|spawnSync|execFile|execFileSync|fork|exec|execSync|promisify\(execFile\))\(/g;
  const places = readdirSync(SRC, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .flatMap((name) => {
      const source = readFileSync(join(SRC, name), "utf8").replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
      if (!source.includes('"node:child_process"')) return [];
      return [...source.matchAll(STARTS)].map(({ index }): [string, string] => [
        name,
        source.slice(index, index + 300),
      ]);
    });

  it("is looked at", () => {
    expect(places.length).toBeGreaterThan(3);
  });

  it.each(places)("in %s says which environment it hands on", (_, call) => {
    expect(call).toMatch(/\benv\b/);
  });
});

describe.runIf(process.platform === "linux")("a report of a crash", () => {
  /** What a report that is written once a vault is open holds of the tokens; asked for from inside, as a crash would. */
  async function reported(program: string): Promise<string[]> {
    const world = worldWithTokens();
    const hook = join(world.project, "hook.mjs");
    const report = join(world.project, "report.json");
    writeFileSync(
      hook,
      `import { renameSync, writeFileSync } from "node:fs";
       process.on("SIGUSR2", () => {
         writeFileSync(${JSON.stringify(`${report}.new`)}, JSON.stringify(process.report.getReport()));
         renameSync(${JSON.stringify(`${report}.new`)}, ${JSON.stringify(report)});
       });`,
    );
    const agent = await agentIn(world, { program: hooked(world.project, hook, program) });
    await agent.call("list_secrets", {});
    process.kill(agent.pid, "SIGUSR2");
    await vi.waitFor(() => expect(existsSync(report)).toBe(true), { timeout: 10_000 });
    return found(readFileSync(report, "utf8"));
  }

  it("holds no token", async () => {
    expect(await reported(PROGRAM)).toEqual([]);
  });

  it("would hold them if they were left in the environment", async () => {
    const twin = await buildPatched("src/main.ts", [KEEPS]);
    onTestFinished(twin.remove);
    expect(await reported(twin.file)).toEqual(Object.values(TOKENS));
  });
});
