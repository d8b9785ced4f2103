import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { loadConfig } from "../../src/config/load.ts";
import { loadPatched } from "../support/patched.ts";
import { configOf, makeFolder } from "./folder.ts";

const NAME = "agent-vault.config.json";
/** For references; each is needed somewhere. */
const VARIABLES = { T: "hunter2-0815" };

describe("the files that hold tokens", () => {
  const tokenIn = (value: string): object => ({
    vaults: { dev: { type: "env", file: "secrets.env" } },
    tunnel: { type: "ngrok", authToken: value },
  });

  it.each([
    ["a token", tokenIn("ngrok-hunter2-4711")],
    ["a token by another way", { ...tokenIn("env:T"), ngrokAuthToken: "ngrok-hunter2-4711" }],
    ["a topic", { ...tokenIn("env:T"), channels: [{ type: "ntfy", topic: "topic-hunter2-4711" }] }],
    ["an address that is one", { ...tokenIn("env:T"), webhooks: [{ url: "https://chat.example/hooks/hunter2-4711" }] }],
  ])("are the configuration too where %s is written out in it", async (_, config) => {
    const folder = makeFolder();
    const path = folder.write(NAME, JSON.stringify(config));
    expect(configOf(await folder.load(VARIABLES)).secretFiles).toContain(path);
  });

  it("are the one beside the configuration where it only names variables", async () => {
    const folder = makeFolder();
    const path = folder.write(NAME, JSON.stringify(tokenIn("env:T")));
    const { secretFiles } = configOf(await folder.load(VARIABLES));
    expect(secretFiles).not.toContain(path);
    expect(secretFiles).toContain(join(folder.cwd, ".env"));
  });
});

it("would leave the configuration out if nobody looked for tokens in it", async () => {
  const twin = (await loadPatched("src/config/load.ts", [
    { file: "src/config/build.ts", from: "writtenOut(parts).length > 0", to: "false" },
  ])) as { loadConfig: typeof loadConfig };
  const folder = makeFolder();
  const path = folder.write(NAME, JSON.stringify({ vaults: { dev: {} }, ngrokAuthToken: "ngrok-hunter2-4711" }));
  const variables = { HOME: folder.home };
  const config = configOf(await twin.loadConfig({ cwd: folder.cwd, variables, platform: "linux" }));
  expect(config.secretFiles).not.toContain(path);
});
