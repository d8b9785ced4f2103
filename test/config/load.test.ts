import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { vaultOfVariables } from "../../src/config/variables.ts";
import { PROVIDERS, providerOf } from "../../src/providers/registry.ts";
import { loadPatched } from "../support/patched.ts";
import { providerContext } from "../support/provider-context.ts";
import { configOf, loadText, makeFolder, problemsOf } from "./folder.ts";

const NAME = "agent-vault.config.json";
const vault = (name: string): string => JSON.stringify({ vaults: { [name]: { type: "env", file: ".env.secrets" } } });
const names = (result: Parameters<typeof configOf>[0]): string[] => configOf(result).vaults.map(({ name }) => name);

describe("where the configuration is found", () => {
  it("is AGENT_VAULT_CONFIG before the working folder before the home folder", async () => {
    const folder = makeFolder();
    writeFileSync(join(folder.home, ".agent-vault.config.json"), vault("home"));
    expect(names(await folder.load())).toEqual(["home"]);
    folder.write(NAME, vault("cwd"));
    expect(names(await folder.load())).toEqual(["cwd"]);
    const named = folder.write("other.json", vault("named"));
    expect(names(await folder.load({ AGENT_VAULT_CONFIG: named }))).toEqual(["named"]);
    expect(names(await folder.load({ AGENT_VAULT_CONFIG: "other.json" }))).toEqual(["named"]);
    expect(names(await folder.load({ AGENT_VAULT_CONFIG: "~/.agent-vault.config.json" }))).toEqual(["home"]);
    expect(names(await folder.load({ AGENT_VAULT_CONFIG: "" }))).toEqual(["cwd"]);
  });

  it("is nowhere else when AGENT_VAULT_CONFIG names a file that is not there", async () => {
    const folder = makeFolder();
    folder.write(NAME, vault("cwd"));
    const result = await folder.load({ AGENT_VAULT_CONFIG: "gone.json", AGENT_VAULT_PROVIDER: "env" });
    expect(result).toMatchObject({ ok: false, error: { code: "config_missing" } });
  });

  it("says which command makes one when there is none", async () => {
    const result = await makeFolder().load();
    const hint = expect.stringContaining("agent-vault init") as unknown;
    expect(result).toMatchObject({ ok: false, error: { code: "config_missing", hint }, problems: [] });
  });

  it("gives no way to a file with other rules when the nearer one is broken or unusable", async () => {
    const folder = makeFolder();
    writeFileSync(join(folder.home, ".agent-vault.config.json"), vault("home"));
    folder.write(NAME, "{");
    expect(await folder.load()).toMatchObject({ ok: false, error: { code: "config_invalid" } });
    const other = makeFolder();
    writeFileSync(join(other.home, ".agent-vault.config.json"), vault("home"));
    mkdirSync(join(other.cwd, NAME));
    expect(await other.load()).toMatchObject({ ok: false, error: { code: "config_invalid" } });
  });

  it.skipIf(process.getuid?.() === 0)("says so when the file may not be read", async () => {
    const folder = makeFolder();
    folder.write(NAME, vault("cwd"), 0o000);
    expect(problemsOf(await folder.load())[0]?.message).toContain("may not be read");
  });
});

describe("a configuration in the environment", () => {
  it("is one vault named default, relative to the working folder", async () => {
    const folder = makeFolder();
    folder.write("my.env", "DATABASE_URL=hunter2-4711\n");
    const config = configOf(await folder.load({ AGENT_VAULT_PROVIDER: "env", AGENT_VAULT_ENV_FILE: "my.env" }));
    expect(config).toMatchObject({ source: { is: "environment" }, folder: folder.cwd });
    expect(config.vaults).toMatchObject([
      { name: "default", type: "env", rules: { ttlMs: 0, ttlScope: "secret", writable: false } },
    ]);
    expect(await secretNames(config)).toEqual(["DATABASE_URL"]);
  });

  it("does without AGENT_VAULT_ENV_FILE and without AGENT_VAULT_PROVIDER, not without both", async () => {
    const folder = makeFolder();
    expect(names(await folder.load({ AGENT_VAULT_PROVIDER: "env" }))).toEqual(["default"]);
    expect(names(await folder.load({ AGENT_VAULT_ENV_FILE: "/x/.env" }))).toEqual(["default"]);
    expect((await folder.load({ AGENT_VAULT_PROVIDER: "", AGENT_VAULT_ENV_FILE: "" })).ok).toBe(false);
  });

  it("loses against a file", async () => {
    const folder = makeFolder();
    folder.write(NAME, vault("cwd"));
    expect(names(await folder.load({ AGENT_VAULT_PROVIDER: "env" }))).toEqual(["cwd"]);
  });

  const op = { AGENT_VAULT_PROVIDER: "1password", OP_SERVICE_ACCOUNT_TOKEN: "ops_hunter2-4711" };

  it("may be a 1Password account, whose token stays where it is", async () => {
    const folder = makeFolder();
    for (const more of [{}, { AGENT_VAULT_1P_VAULTS: " abc, def ,," }, { AGENT_VAULT_ENV_FILE: "not-looked-at.env" }]) {
      const config = configOf(await folder.load({ ...op, ...more }));
      expect(config.vaults).toMatchObject([
        { name: "default", type: "1password", rules: { ttlMs: 0, writable: false }, use: { ready: true } },
      ]);
      expect(config.warnings).toEqual([]);
      expect(JSON.stringify(config) + inspect(config, { depth: 20, showHidden: true })).not.toContain("hunter2");
    }
  });

  it("hands the token over as a reference and the ids as a list", () => {
    expect(vaultOfVariables({ ...op, AGENT_VAULT_1P_VAULTS: "abc, def" })).toEqual({
      entry: {
        type: "1password",
        serviceAccountToken: "env:OP_SERVICE_ACCOUNT_TOKEN",
        vaultIds: ["abc", "def"],
      },
      variables: ["AGENT_VAULT_PROVIDER", "OP_SERVICE_ACCOUNT_TOKEN", "AGENT_VAULT_1P_VAULTS"],
    });
  });

  it("is named by what is set and by nothing else", async () => {
    const folder = makeFolder();
    const named = async (variables: Record<string, string>) => configOf(await folder.load(variables)).source;
    const both = ["AGENT_VAULT_PROVIDER", "OP_SERVICE_ACCOUNT_TOKEN"];
    expect(await named({ ...op, AGENT_VAULT_ENV_FILE: "not-looked-at.env" })).toEqual({
      is: "environment",
      variables: both,
    });
    expect(await named({ AGENT_VAULT_ENV_FILE: "x.env" })).toMatchObject({ variables: ["AGENT_VAULT_ENV_FILE"] });
  });

  it("stands in variables that name options there are, each token required, and no variable twice", () => {
    const all = PROVIDERS.flatMap(({ type, variables = {} }) =>
      Object.entries(variables).map(([name, { option, as }]) => ({
        name,
        as,
        schema: providerOf(type)?.options.shape[option],
      })),
    );
    expect(all.length).toBeGreaterThan(2);
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
    const right = { text: "x", token: "env:X", list: ["x"] };
    const fits = all.filter(({ as, schema }) => schema?.safeParse(right[as]).success === true);
    expect(fits).toEqual(all);
    const required = all.filter(({ schema }) => schema?.safeParse(undefined).success === false);
    expect(required).toEqual(all.filter(({ as }) => as === "token"));
  });

  it.each<[Record<string, string>, string, string]>([
    [{ AGENT_VAULT_PROVIDER: "1password" }, "OP_SERVICE_ACCOUNT_TOKEN", "is not set: set it in the environment of"],
    [{ ...op, OP_SERVICE_ACCOUNT_TOKEN: "" }, "OP_SERVICE_ACCOUNT_TOKEN", "is not set"],
    [{ ...op, AGENT_VAULT_1P_VAULTS: " , " }, "AGENT_VAULT_1P_VAULTS", "is set and lists nothing"],
    [{ ...op, AGENT_VAULT_1P_VAULTS: "" }, "AGENT_VAULT_1P_VAULTS", "is set and lists nothing"],
    [{ AGENT_VAULT_PROVIDER: "12port" }, "AGENT_VAULT_PROVIDER", "it can be env or 1password; agent-vault providers"],
    [{ AGENT_VAULT_PROVIDER: "delinea" }, "AGENT_VAULT_PROVIDER", "this version does not have yet"],
    [{ AGENT_VAULT_PROVIDER: "1pasword" }, "AGENT_VAULT_PROVIDER", "did you mean 1password?"],
    [{ ...op, AGENT_VAULT_PROVIDER: "hunter2-4711" }, "AGENT_VAULT_PROVIDER", "it can be env or 1password"],
    [{ AGENT_VAULT_PROVIDER: "constructor" }, "AGENT_VAULT_PROVIDER", "it can be env or 1password"],
  ])("tells what is wrong at the variable: %o", async (variables, path, words) => {
    const result = await makeFolder().load(variables);
    const [found, ...more] = problemsOf(result);
    expect({ path: found?.path, more }).toEqual({ path, more: [] });
    expect(`${found?.message}: ${found?.hint}`).toContain(words);
    expect(JSON.stringify([result, found])).not.toContain("hunter2");
    expect(result.ok).toBe(false);
  });

  it("takes no token from the .env of the folder it happens to start in", async () => {
    const folder = makeFolder();
    folder.write(".env", "OP_SERVICE_ACCOUNT_TOKEN=ops_hunter2-4711\n");
    expect(problemsOf(await folder.load({ AGENT_VAULT_PROVIDER: "1password" }))).toMatchObject([
      { path: "OP_SERVICE_ACCOUNT_TOKEN", message: "is not set" },
    ]);
  });
});

describe("the text of a configuration", () => {
  const text = '{\n  // a comment\n  "vaults": { /* another */ "dev": { "ttl": 15, }, },\n}\n';

  it.each<[string, string | Buffer]>([
    ["comments and trailing commas", text],
    ["a byte order mark", `\ufeff${text}`],
    ["Windows line ends", text.replaceAll("\n", "\r\n")],
    ["UTF-16, as PowerShell writes it", Buffer.from(`\ufeff${text}`, "utf16le")],
    ["a schema for the editor", text.replace("{", '{ "$schema": "https://example.com/schema.json",')],
  ])("may have %s", async (_, written) => {
    expect(configOf(await loadText(written)).vaults).toMatchObject([
      { name: "dev", type: "env", rules: { ttlMs: 900_000 } },
    ]);
  });

  it("counts lines through Windows line ends and a byte order mark", async () => {
    expect(problemsOf(await loadText('\ufeff{\r\n\r\n"vaults": {\r\n"dev": { "ttl":\r\n-1 } } }'))).toMatchObject([
      { path: "vaults.dev.ttl", line: 4 },
    ]);
  });

  it.each<[string, string | Buffer, string]>([
    ["not text", Buffer.from([0x7b, 0xff, 0xfe, 0x7d]), "not text in UTF-8"],
    ["too large", " ".repeat(1024 * 1024 + 1), "larger than 1 MB"],
  ])("is refused when it is %s", async (_, written, words) => {
    expect(problemsOf(await loadText(written))[0]?.message).toContain(words);
  });

  it.skipIf(process.platform === "win32")("is never waited for: a pipe and a device are refused", async () => {
    const folder = makeFolder();
    execFileSync("mkfifo", [join(folder.cwd, NAME)]);
    expect(problemsOf(await folder.load())[0]?.message).toBe("is not a regular file");
    expect(problemsOf(await folder.load({ AGENT_VAULT_CONFIG: "/dev/zero" }))[0]?.message).toBe(
      "is not a regular file",
    );
    const env = makeFolder();
    env.write(NAME, '{ "vaults": { "dev": { "file": "env:UNSET_4711" } } }');
    execFileSync("mkfifo", [join(env.cwd, ".env")]);
    expect(configOf(await env.load()).vaults).toMatchObject([{ use: { ready: false, unset: ["UNSET_4711"] } }]);
  });

  it.skipIf(process.platform === "win32")(
    "may be reached through a symbolic link, and may not go in circles",
    async () => {
      const folder = makeFolder();
      symlinkSync(folder.write("real.json", vault("linked")), join(folder.cwd, NAME));
      expect(names(await folder.load())).toEqual(["linked"]);
      symlinkSync("circle.json", join(folder.cwd, "circle.json"));
      const result = await folder.load({ AGENT_VAULT_CONFIG: "circle.json" });
      expect(problemsOf(result)[0]?.message).toContain("leads in a circle");
    },
  );
});

/** The names in the first vault: proof that its options arrived. */
async function secretNames(config: ReturnType<typeof configOf>): Promise<readonly string[]> {
  const [first] = config.vaults;
  if (first?.use.ready !== true) throw new Error("the vault is not ready");
  const provider = await first.use.open(providerContext({ workFolder: "/" }));
  return (await provider.list?.(AbortSignal.timeout(5_000))) ?? [];
}

describe("relative paths", () => {
  it("start where the file lies, not where the client started us", async () => {
    const folder = makeFolder();
    const elsewhere = join(folder.home, "conf");
    mkdirSync(elsewhere);
    writeFileSync(
      join(elsewhere, "c.json"),
      '{ "vaults": { "a": { "file": "s/.env" } }, "audit": { "database": "log/a.db" } }',
    );
    mkdirSync(join(elsewhere, "s"));
    writeFileSync(join(elsewhere, "s/.env"), "TOKEN=hunter2-4711\n");
    const config = configOf(await folder.load({ AGENT_VAULT_CONFIG: join(elsewhere, "c.json") }));
    expect(config.folder).toBe(elsewhere);
    expect(config.database).toBe(join(elsewhere, "log/a.db"));
    expect(await secretNames(config)).toEqual(["TOKEN"]);
  });

  it("may begin in the home folder", async () => {
    const folder = makeFolder();
    folder.write(NAME, '{ "vaults": { "a": {} }, "audit": { "database": "~/log/a.db" } }');
    expect(configOf(await folder.load()).database).toBe(join(folder.home, "log/a.db"));
  });

  it("may be written with slashes or doubled backslashes", async () => {
    const { vaults } = configOf(
      await loadText('{ "vaults": { "a": { "file": "C:\\\\keys\\\\.env" }, "b": { "file": "C:/keys/.env" } } }'),
    );
    expect(vaults.map(({ use }) => use.ready)).toEqual([true, true]);
  });
});

describe("references to variables", () => {
  const text = JSON.stringify({
    vaults: { dev: { file: "env:DEV_FILE", writable: true, ttl: 3 }, other: {} },
    ngrokAuthToken: "env:MY_NGROK",
    webhooks: [{ url: "https://a.example", authorization: "env:HOOK_KEY" }, { url: "env:HOOK_URL" }],
    channels: [{ type: "ntfy", topic: "env:TOPIC", token: "env:NTFY" }],
  });
  const all = {
    DEV_FILE: "dev.env",
    MY_NGROK: "hunter2-4711-ngrok",
    HOOK_KEY: "hunter2-4711-hook",
    HOOK_URL: "https://hunter2-4711.example",
    TOPIC: "hunter2-4711-topic",
    NTFY: "hunter2-4711-ntfy",
  };

  it("are read from the environment, and leave no trace in what is printed", async () => {
    const folder = makeFolder();
    folder.write(NAME, text);
    folder.write("dev.env", "A=1\n");
    const config = configOf(await folder.load(all));
    expect(await secretNames(config)).toEqual(["A"]);
    expect(config.tunnel).toMatchObject({ type: "ngrok", use: { ready: true } });
    expect(config.webhooks.map(({ use }) => use.ready)).toEqual([true, true]);
    expect(config.channels).toMatchObject([{ type: "ntfy", use: { ready: true } }]);
    const [, hook] = config.webhooks;
    expect(hook?.use.ready === true ? hook.use.url.reveal() : "").toBe(all.HOOK_URL);
    const printed = JSON.stringify(config) + inspect(config, { depth: 20, showHidden: true });
    expect(printed).not.toContain("hunter2");
  });

  it("are read from the .env beside the file where the environment has none, and the environment wins", async () => {
    const folder = makeFolder();
    folder.write(NAME, text);
    folder.write("dev.env", "A=1\n");
    folder.write("env.env", "B=1\n");
    const dotenv = Object.entries({ ...all, DEV_FILE: "env.env" });
    folder.write(".env", dotenv.map(([name, value]) => `${name}="${value}"\n`).join(""));
    expect(await secretNames(configOf(await folder.load()))).toEqual(["B"]);
    expect(await secretNames(configOf(await folder.load({ DEV_FILE: "dev.env" })))).toEqual(["A"]);
    expect(await secretNames(configOf(await folder.load({ DEV_FILE: "" })))).toEqual(["B"]);
  });

  it("are not read from the .env of the working folder when the file lies elsewhere", async () => {
    const folder = makeFolder();
    writeFileSync(join(folder.home, ".agent-vault.config.json"), text);
    folder.write(".env", "DEV_FILE=x.env\n");
    expect(configOf(await folder.load()).vaults[0]?.use).toEqual({ ready: false, unset: ["DEV_FILE"] });
  });

  it("take only what needs them out of use when they are not set", async () => {
    const config = configOf(await loadText(text, { HOOK_KEY: "x" }));
    expect(config.vaults).toMatchObject([
      { name: "dev", rules: { ttlMs: 180_000, writable: true }, use: { ready: false, unset: ["DEV_FILE"] } },
      { name: "other", use: { ready: true } },
    ]);
    expect(config.webhooks.map(({ use }) => use)).toMatchObject([
      { ready: true },
      { ready: false, unset: ["HOOK_URL"] },
    ]);
    expect(config.channels).toMatchObject([{ type: "ntfy", use: { ready: false, unset: ["TOPIC", "NTFY"] } }]);
    expect(config.tunnel).toMatchObject({ type: "ngrok", use: { ready: false, unset: ["MY_NGROK"] } });
  });

  it("keep webhooks beside their own addresses when one before them is out of use", async () => {
    const hooks = [
      { url: "env:GONE_4711" },
      { url: "https://b.example" },
      { url: "env:GONE_4712" },
      { url: "https://d.example" },
    ];
    const config = configOf(await loadText(JSON.stringify({ vaults: { a: {} }, webhooks: hooks })));
    const urls = config.webhooks.map(({ use }) => (use.ready ? use.url.reveal() : use.unset.join()));
    expect(urls).toEqual(["GONE_4711", "https://b.example", "GONE_4712", "https://d.example"]);
  });

  it("still leave everything else in the same place to be checked", async () => {
    const result = await loadText('{ "vaults": { "dev": { "file": "env:GONE_4711", "ttl": "15" } } }');
    expect(problemsOf(result).map(({ path }) => path)).toEqual(["vaults.dev.ttl"]);
  });

  it("are not followed inside a value, and cannot become a number or a switch", async () => {
    const folder = makeFolder();
    folder.write(NAME, '{ "vaults": { "a": { "file": "env:ONE" } } }');
    folder.write("env:TWO", "INNER=1\n");
    expect(await secretNames(configOf(await folder.load({ ONE: "env:TWO", TWO: "else.env" })))).toEqual(["INNER"]);
    const result = await loadText('{ "vaults": { "a": { "writable": "env:W", "ttl": "env:T" } } }', {
      W: "true",
      T: "60",
    });
    expect(problemsOf(result).map(({ path }) => path)).toEqual(["vaults.a.ttl", "vaults.a.writable"]);
  });

  it("may stand where nothing is left but them", async () => {
    const { vaults } = configOf(await loadText('{ "vaults": { "a": { "file": "env:GONE_4711" } } }'));
    expect(vaults).toMatchObject([{ name: "a", use: { ready: false, unset: ["GONE_4711"] } }]);
  });
});

describe("the tunnel", () => {
  const load = async (beside: string, variables: Record<string, string> = {}) =>
    configOf(await loadText(`{ "vaults": { "a": {} }${beside} }`, variables)).tunnel;

  it("is ngrok where a token is known, and none where nobody spoke of one", async () => {
    expect(await load("")).toMatchObject({ type: "none", use: { ready: true } });
    expect(await load("", { NGROK_AUTHTOKEN: "" })).toMatchObject({ type: "none" });
    expect(await load("", { NGROK_AUTHTOKEN: "hunter2-4711" })).toMatchObject({ type: "ngrok", use: { ready: true } });
    expect(await load(', "ngrokAuthToken": "hunter2-4711"')).toMatchObject({ type: "ngrok", use: { ready: true } });
  });

  it("stays off when the person said so, whatever tokens there are", async () => {
    const off = ', "tunnel": { "type": "none" }, "ngrokAuthToken": "hunter2-4711"';
    expect(await load(off, { NGROK_AUTHTOKEN: "x" })).toMatchObject({ type: "none" });
  });

  it("names the variable that is missing", async () => {
    const unset = (name: string) => ({ type: "ngrok", use: { ready: false, unset: [name] } });
    expect(await load(', "tunnel": { "type": "ngrok" }')).toMatchObject(unset("NGROK_AUTHTOKEN"));
    expect(await load(', "tunnel": { "type": "ngrok", "domain": "env:DOMAIN" }')).toMatchObject(unset("DOMAIN"));
    // Somebody who names one variable does not mean another.
    expect(await load(', "ngrokAuthToken": "env:MINE"', { NGROK_AUTHTOKEN: "x" })).toMatchObject(unset("MINE"));
  });

  it("opens with its own token where it has one", async () => {
    const own = await load(', "tunnel": { "type": "ngrok", "authToken": "env:OWN" }', { OWN: "hunter2-4711" });
    expect(own).toMatchObject({ type: "ngrok", use: { ready: true } });
  });
});

describe("what the seed's users have written", () => {
  const works = {
    "the sandbox": '{"vaults":{"test":{"type":"env","file":".env.secrets","ttl":5}}}',
    "local set-up": '{ "vaults": { "local": { "type": "env", "file": ".env.secrets", "ttl": 15 } } }',
    "remote set-up": '{ "vaults": { "secrets": { "type": "env", "file": ".env.secrets", "ttl": 30 } } }',
    "top level":
      '{ "vaults": { "local": { "type": "env", "file": ".env.secrets", "ttl": 30 } }, "ngrokAuthToken": "env:NGROK_AUTHTOKEN", "port": 9999 }',
    "whole vault": '{ "vaults": { "dev": { "type": "env", "ttl": 30, "ttlScope": "vault", "writable": true } } }',
    webhooks: `{ "vaults": { "local": { "type": "env" } }, "webhooks": [
      { "url": "https://logs.example.com/api/events", "authorization": "env:LOGGING_API_KEY", "events": "all" },
      { "url": "https://your-splunk:8088/services/collector/event", "authorization": "env:SPLUNK_HEC_TOKEN", "events": "all" },
      { "url": "https://hooks.slack.com/services/T00/B00/xxx", "events": ["denied"] } ] }`,
  };

  it.each(Object.entries(works))("works as written: %s", async (_, text) => {
    expect((await loadText(text)).ok).toBe(true);
    expect((await loadText(text, { NGROK_AUTHTOKEN: "x", LOGGING_API_KEY: "y", SPLUNK_HEC_TOKEN: "z" })).ok).toBe(true);
  });

  const mixed = `{ "vaults": {
      "dev": { "type": "1password", "serviceAccountToken": "env:OP_DEV_TOKEN", "vaultIds": ["abc123"], "ttl": 15 },
      "prod": { "type": "1password", "serviceAccountToken": "env:OP_PROD_TOKEN", "writable": true, "write": { "vaultId": "x", "category": "login" } },
      "local": { "type": "env", "file": ".env.secrets", "ttl": 30 } }, "ngrokAuthToken": "env:NGROK_AUTHTOKEN", "port": 9999 }`;

  it.each<[Record<string, string>, boolean, boolean]>([
    [{}, false, false],
    [{ OP_DEV_TOKEN: "ops_hunter2-4711" }, true, false],
    [{ OP_PROD_TOKEN: "ops_hunter2-4711" }, false, true],
    [{ OP_DEV_TOKEN: "ops_hunter2-4711", OP_PROD_TOKEN: "ops_hunter2-4712" }, true, true],
  ])("leaves the other vaults working where a token is not set: %o", async (variables, dev, prod) => {
    const config = configOf(await loadText(mixed, variables));
    expect(config.vaults.map(({ name, use }) => [name, use.ready])).toEqual([
      ["dev", dev],
      ["prod", prod],
      ["local", true],
    ]);
    expect(config.vaults[1]?.rules).toMatchObject({ writable: true });
    if (!dev) expect(config.vaults[0]?.use).toEqual({ ready: false, unset: ["OP_DEV_TOKEN"] });
  });

  it("would be caught using a reference for the token that is not there", async () => {
    const plant = { file: "src/config/interpret.ts", from: "parts, { all: false }", to: "parts, { all: true }" };
    const patched = (await loadPatched("src/config/load.ts", [plant])) as { loadConfig: typeof loadConfig };
    const folder = makeFolder();
    folder.write(NAME, mixed);
    const config = configOf(await patched.loadConfig({ cwd: folder.cwd, variables: { HOME: folder.home } }));
    expect(config.vaults.map(({ use }) => use.ready)).toEqual([true, true, true]);
  });

  it("leaves out a vault of a type that comes later, and no other", async () => {
    const text = `{ "vaults": {
      "hashi": { "type": "hashicorp-vault", "address": "https://x.example", "token": "env:VAULT_TOKEN", "writable": true, "ttl": 9 },
      "pam": { "type": "delinea", "server": { "deep": ["env:GONE_4711"] } },
      "local": { "type": "env" } } }`;
    const config = configOf(await loadText(text));
    expect(config.vaults).toMatchObject([
      { name: "hashi", type: "hashicorp-vault", can: [], rules: { ttlMs: 540_000, writable: false } },
      { name: "pam", type: "delinea", use: { ready: false, coming: true } },
      { name: "local", use: { ready: true } },
    ]);
    expect(config.vaults[0]?.use).toEqual({ ready: false, coming: true });
    const alone = configOf(await loadText('{ "vaults": { "pam": { "type": "delinea" } } }'));
    expect(alone.vaults).toMatchObject([{ name: "pam", use: { ready: false } }]);
    const misspelt = await loadText('{ "vaults": { "pam": { "type": "delineaa" }, "local": {} } }');
    expect(problemsOf(misspelt).map(({ path }) => path)).toEqual(["vaults.pam.type"]);
  });

  it("names tokens that are written out below a type that comes later as well", async () => {
    const config = configOf(await loadText('{ "vaults": { "pam": { "type": "delinea", "token": "hunter2-4711" } } }'));
    expect(config.warnings.map(({ message }) => message)).toEqual([expect.stringContaining("vaults.pam.token")]);
    expect(JSON.stringify(config)).not.toContain("hunter2");
  });
});

describe("what goes without saying", () => {
  it("is filled in, in milliseconds", async () => {
    const folder = makeFolder();
    folder.write(NAME, '{ "vaults": { "a": {} } }');
    const config = configOf(await folder.load());
    expect(config).toMatchObject({
      port: 9999,
      approval: {
        expireMs: 900_000,
        pickupMs: 300_000,
        denyCooldownMs: 300_000,
        maxWaiting: 20,
        linkInResults: false,
      },
      channels: [],
      webhooks: [],
      warnings: [],
      database: join(folder.home, ".local/state/agent-vault/audit.db"),
    });
    expect(config.approval).not.toHaveProperty("waitMs");
    expect(config.vaults).toMatchObject([{ rules: { ttlMs: 0, ttlScope: "secret", writable: false } }]);
  });

  it("rounds fractions of minutes and seconds to whole milliseconds", async () => {
    const config = configOf(
      await loadText('{ "vaults": { "a": { "ttl": 0.0333 } }, "approval": { "waitSeconds": 1.5 } }'),
    );
    expect(config.vaults[0]?.rules.ttlMs).toBe(1998);
    expect(config.approval.waitMs).toBe(1500);
  });

  it.each<[Record<string, string>, NodeJS.Platform, boolean]>([
    [{ DISPLAY: ":0" }, "linux", true],
    [{ WAYLAND_DISPLAY: "wayland-0" }, "linux", true],
    [{ DISPLAY: "" }, "linux", false],
    [{}, "linux", false],
    [{}, "darwin", true],
    [{}, "win32", true],
    [{ SSH_CONNECTION: "192.0.2.1 1 192.0.2.2 22" }, "darwin", false],
    [{ DISPLAY: "localhost:10.0", SSH_CONNECTION: "192.0.2.1 1 192.0.2.2 22" }, "linux", false],
    [{ DISPLAY: ":0", CI: "true" }, "linux", false],
  ])("opens a browser only where a person would see it: %o on %s", async (variables, platform, expected) => {
    const folder = makeFolder();
    folder.write(NAME, '{ "vaults": { "a": {} } }');
    const config = configOf(
      await folder.load(variables, {
        platform,
        variables: { HOME: folder.home, USERPROFILE: folder.home, ...variables },
      }),
    );
    expect(config.channels.map(({ type }) => type)).toEqual(expected ? ["browser"] : []);
  });

  it("does as it is told about the browser", async () => {
    const channels = async (word: string, variables: Record<string, string> = {}) => {
      const text = `{ "vaults": { "a": {} }, "approval": { "browser": "${word}" }, "channels": [{ "type": "ntfy", "topic": "env:T" }] }`;
      return configOf(await loadText(text, variables)).channels.map(({ type }) => type);
    };
    expect(await channels("always")).toEqual(["browser", "ntfy"]);
    expect(await channels("never", { DISPLAY: ":0" })).toEqual(["ntfy"]);
  });
});

describe("where the log lies", () => {
  const at = async (variables: Record<string, string>, beside = "", platform: NodeJS.Platform = "linux") => {
    const folder = makeFolder();
    folder.write(NAME, `{ "vaults": { "a": {} }${beside} }`);
    const world = { platform, variables: { HOME: folder.home, USERPROFILE: folder.home, ...variables } };
    return { folder, database: configOf(await folder.load({}, world)).database };
  };

  it("is AGENT_VAULT_DB before the configuration before the state folder", async () => {
    const configured = ', "audit": { "database": "/var/log/a.db" }';
    expect((await at({ AGENT_VAULT_DB: "/x/b.db" }, configured)).database).toBe("/x/b.db");
    expect((await at({ AGENT_VAULT_DB: "" }, configured)).database).toBe("/var/log/a.db");
    expect((await at({ XDG_STATE_HOME: "/state" })).database).toBe("/state/agent-vault/audit.db");
  });

  it("follows the XDG rule: a relative or empty XDG_STATE_HOME does not count", async () => {
    for (const XDG_STATE_HOME of ["", "state", "./state"]) {
      const { database, folder } = await at({ XDG_STATE_HOME });
      expect(database).toBe(join(folder.home, ".local/state/agent-vault/audit.db"));
    }
  });

  it("is in LOCALAPPDATA on Windows", async () => {
    expect((await at({ LOCALAPPDATA: "/appdata" }, "", "win32")).database).toBe("/appdata/agent-vault/audit.db");
  });

  it("is known even where the configuration is not", async () => {
    const folder = makeFolder();
    const result = await folder.load({ AGENT_VAULT_DB: "/x/b.db" });
    expect(result).toMatchObject({
      ok: false,
      database: "/x/b.db",
      surroundings: { cwd: folder.cwd, home: folder.home },
    });
    expect(inspect(await folder.load({ TOKEN: "hunter2-4711" }), { depth: 9 })).not.toContain("hunter2");
  });
});

describe("warnings", () => {
  const warnings = async (text: string, mode = 0o644): Promise<string[]> => {
    const folder = makeFolder();
    const path = folder.write(NAME, text);
    chmodSync(path, mode);
    return configOf(await folder.load()).warnings.map(({ message, hint }) => `${message}: ${hint}`);
  };

  it("say that webhooks are not sent yet, disabled ones included", async () => {
    const hook = (url: string) => `{ "vaults": { "a": {} }, "webhooks": [{ "url": "${url}" }] }`;
    expect((await warnings(hook("https://a.example")))[0]).toContain("not sent by this version");
    expect((await warnings(hook("env:GONE_4711")))[0]).toContain("not sent by this version");
  });

  it("name every secret that is written out, without showing it", async () => {
    const text = `{ "vaults": { "a": {} }, "ngrokAuthToken": "hunter2-4711", "tunnel": { "type": "ngrok", "authToken": "hunter2-4712" },
      "channels": [{ "type": "ntfy", "topic": "hunter2-4713", "token": "env:GONE_4711" }],
      "webhooks": [{ "url": "https://a.example", "authorization": "hunter2-4714" }] }`;
    const found = await warnings(text);
    expect(found.join("\n")).not.toContain("hunter2");
    const places = found.filter((line) => line.includes("written out")).map((line) => line.split(" ")[0]);
    expect(places).toEqual(["webhooks[0].authorization", "channels[0].topic", "tunnel.authToken", "ngrokAuthToken"]);
    expect(found.find((line) => line.startsWith("ngrokAuthToken"))).toContain('"env:NAME"');
  });

  it("take no name that somebody chose for the name of a secret", async () => {
    const port = { type: "12port", server: "https://x.example", tenant: "a", token: "env:GONE_4711" };
    const vaults = { a: { ...port, assets: { "db-password": "hunter2-4711" } }, "my-token": {} };
    expect(await warnings(JSON.stringify({ vaults }))).toEqual([]);
    const found = await warnings(JSON.stringify({ vaults: { a: { ...port, token: "hunter2-4711" } } }));
    expect(found).toEqual([expect.stringContaining("vaults.a.token is written out")]);
  });

  it.skipIf(process.platform === "win32")("say that everybody can change the file", async () => {
    expect(await warnings('{ "vaults": { "a": {} } }', 0o646)).toEqual([expect.stringContaining("chmod o-w")]);
    expect(await warnings('{ "vaults": { "a": {} } }', 0o664)).toEqual([]);
  });

  it("say what linkInResults means", async () => {
    expect((await warnings('{ "vaults": { "a": {} }, "approval": { "linkInResults": true } }'))[0]).toContain(
      "approve its own requests",
    );
  });
});

describe("the files that come with it", () => {
  it("are what the schema makes of them", () => {
    const check = () => execFileSync(process.execPath, ["scripts/generate.mjs", "--check"], { stdio: "pipe" });
    expect(check).not.toThrow();
  });

  it("fail that check when one of them is stale", () => {
    const folder = makeFolder();
    // The same script over a copy of the tree in which one word of a description has changed.
    for (const name of ["src", "node_modules", "scripts", "package.json"])
      symlinkSync(join(process.cwd(), name), join(folder.cwd, name));
    const schema = readFileSync("agent-vault.config.schema.json", "utf8");
    folder.write("agent-vault.config.schema.json", schema.replace("Approval window", "Approval widnow"));
    const check = () =>
      execFileSync(process.execPath, ["scripts/generate.mjs", "--check"], { cwd: folder.cwd, stdio: "pipe" });
    expect(check).toThrow(/agent-vault\.config\.schema\.json is not what/);
    folder.write("agent-vault.config.schema.json", schema);
    expect(check).not.toThrow();
  });

  it("name the page that is missing, and what it needs", () => {
    const folder = makeFolder();
    for (const name of [
      "src",
      "node_modules",
      "scripts",
      "package.json",
      "README.md",
      "agent-vault.config.schema.json",
    ])
      symlinkSync(join(process.cwd(), name), join(folder.cwd, name));
    mkdirSync(join(folder.cwd, "docs/providers"), { recursive: true });
    const list = "docs/providers/README.md";
    symlinkSync(join(process.cwd(), list), join(folder.cwd, list));
    for (const { type } of PROVIDERS.slice(1)) folder.write(`docs/providers/${type}.md`, "# A page\n");
    const check = () =>
      execFileSync(process.execPath, ["scripts/generate.mjs", "--check"], { cwd: folder.cwd, stdio: "pipe" });
    expect(check).toThrow(/docs\/providers\/env\.md does not exist: write it, with <!-- options:start -->/);
    expect(check).toThrow(/docs\/providers\/12port\.md needs <!-- options:start -->/);
  });

  it("let an editor set writable only where it may be", async () => {
    const schema = JSON.parse(readFileSync("agent-vault.config.schema.json", "utf8")) as {
      properties: {
        vaults: { additionalProperties: { oneOf: { properties: Record<string, { const?: unknown }> }[] } };
      };
    };
    const kinds = schema.properties.vaults.additionalProperties.oneOf;
    const said = kinds.map(({ properties }) => [properties["type"]?.const, properties["writable"]?.const]);
    const saves = (can: readonly string[]): boolean => can.includes("write");
    expect(said).toEqual(PROVIDERS.map(({ type, can }) => [type, saves(can) ? undefined : false]));
    const pam = { type: "12port", server: "https://x.example", tenant: "a", token: "env:T_4711", writable: false };
    expect(configOf(await loadText(JSON.stringify({ vaults: { pam } }))).vaults).toMatchObject([{ name: "pam" }]);
  });

  it("include an example that works", async () => {
    const example = readFileSync("agent-vault.config.example.json", "utf8");
    const tokens = { NGROK_AUTHTOKEN: "x", NTFY_TOPIC: "y" };
    const vaultTokens = { OP_SERVICE_ACCOUNT_TOKEN: "ops_z", TWELVEPORT_TOKEN: "z" };
    const config = configOf(await loadText(example, tokens));
    expect(config.warnings).toEqual([]);
    const ready = ({ vaults }: typeof config) => vaults.map(({ name, use }) => [name, use.ready]);
    const files = [
      ["dev", true],
      ["prod", true],
    ];
    expect(ready(config)).toEqual([...files, ["team", false], ["servers", false]]);
    const whole = configOf(await loadText(example, { ...tokens, ...vaultTokens }));
    expect(ready(whole)).toEqual([...files, ["team", true], ["servers", true]]);
    // Every kind of vault is in it.
    expect(new Set(whole.vaults.map(({ type }) => type))).toEqual(new Set(PROVIDERS.map(({ type }) => type)));
    expect(config.tunnel).toMatchObject({ type: "ngrok", use: { ready: true } });
    expect(dirname(config.database)).toMatch(/agent-vault$/);
  });
});
