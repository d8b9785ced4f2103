import { symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { loadConfig } from "../../src/config/load.ts";
import type { Rules } from "../../src/core/policy.ts";
import { loadPatched } from "../support/patched.ts";
import { configOf, loadText, makeFolder, problemsOf } from "./folder.ts";

const NAME = "agent-vault.config.json";

/** The rules of a vault named a, of this entry beside this word on all. */
async function rulesOf(vault: object, approval: object = {}): Promise<Rules | undefined> {
  return configOf(await loadText(JSON.stringify({ vaults: { a: vault }, approval }))).vaults[0]?.rules;
}

describe("what an approval needs", () => {
  it("is left open where nothing is said", async () => {
    expect(await rulesOf({})).toEqual({ ttlMs: 0, ttlScope: "secret", writable: false });
  });

  it.each<[object, object, object]>([
    [{}, { require: "passkey" }, { require: "passkey" }],
    [{}, { require: "link" }, { require: "link" }],
    [{ require: "passkey" }, {}, { require: "passkey" }],
    [{ require: "passkey" }, { require: "link" }, { require: "passkey" }],
    [{ require: "link" }, { require: "passkey" }, { require: "link" }],
  ])("is what the vault %j says, and else what is said of all %j", async (vault, approval, wanted) => {
    expect(await rulesOf(vault, approval)).toMatchObject(wanted);
  });

  it.each([
    ["passkey/other-user", { proof: "passkey", isolation: "other-user" }],
    ["link/same-user", { proof: "link", isolation: "same-user" }],
    ["channel/other-host", { proof: "channel", isolation: "other-host" }],
  ])("is at least %s where minAssurance says so", async (minAssurance, wanted) => {
    expect(await rulesOf({ minAssurance })).toMatchObject({ minAssurance: wanted });
  });

  it("keeps the rules of a vault that is left out, and of one of a type to come", async () => {
    const text = {
      vaults: {
        op: {
          type: "1password",
          serviceAccountToken: "env:GONE_4711",
          require: "passkey",
          minAssurance: "passkey/other-user",
        },
        pam: { type: "delinea", require: "passkey" },
      },
    };
    const [op, pam] = configOf(await loadText(JSON.stringify(text))).vaults;
    expect(op).toMatchObject({
      use: { ready: false },
      rules: { require: "passkey", minAssurance: { proof: "passkey" } },
    });
    expect(pam).toMatchObject({ use: { ready: false }, rules: { require: "passkey" } });
  });

  it.each<[string, unknown, RegExp]>([
    ["vaults.a.require", { vaults: { a: { require: "Passkey" } } }, /did you mean "passkey"\?/],
    ["vaults.a.require", { vaults: { a: { require: true } } }, /approval/],
    ["vaults.a.require", { vaults: { a: { require: "env:W" } } }, /cannot come from a variable/],
    ["vaults.a.minAssurance", { vaults: { a: { minAssurance: "passkey" } } }, /./],
    [
      "vaults.a.minAssurance",
      { vaults: { a: { minAssurance: "passkey/otheruser" } } },
      /did you mean "passkey\/other-user"\?/,
    ],
    ["vaults.a.minAssurance", { vaults: { a: { minAssurance: "env:W" } } }, /cannot come from a variable/],
    ["vaults.a.minAssurance", { vaults: { a: { minAssurance: null } } }, /./],
    ["approval.require", { vaults: { a: {} }, approval: { require: "face" } }, /approval/],
    ["approval.minAssurance", { vaults: { a: {} }, approval: { minAssurance: "link/same-user" } }, /approval knows/],
    ["vaults.a.requires", { vaults: { a: { requires: "passkey" } } }, /did you mean "require"\?/],
  ])("is refused at %s when it is written %j", async (path, config, hint) => {
    const problems = problemsOf(await loadText(JSON.stringify(config), { W: "link" }));
    expect(problems.map((problem) => problem.path)).toEqual([path]);
    expect(problems[0]?.hint).toMatch(hint);
  });

  it("says which of two rules counts when one makes the other mean nothing", async () => {
    const both = { require: "link", minAssurance: "passkey/same-user" };
    const warned = async (vault: object, approval: object = {}): Promise<string[]> =>
      configOf(await loadText(JSON.stringify({ vaults: { a: vault }, approval }))).warnings.map(
        ({ message }) => message,
      );
    expect(await warned(both)).toEqual([expect.stringMatching(/^vaults\.a .*a passkey is needed$/)]);
    expect(await warned({ minAssurance: "passkey/same-user" }, { require: "link" })).toHaveLength(1);
    expect(await warned({ require: "link", minAssurance: "link/other-user" })).toEqual([]);
    expect(await warned({ minAssurance: "passkey/same-user" })).toEqual([]);
  });
});

describe("the digest of a configuration", () => {
  const TOKEN = "hunter2-4711";
  const written = (vault: object = {}, more: object = {}): string => JSON.stringify({ vaults: { a: vault }, ...more });

  /** Its digest, in a folder that is the same for all that are compared. */
  type Take = (text: string, variables?: Record<string, string>) => Promise<string>;
  function taker(load?: typeof loadConfig): Take {
    const folder = makeFolder();
    return async (text, variables = {}) => {
      folder.write(NAME, text);
      const world = { cwd: folder.cwd, variables: { HOME: folder.home, ...variables }, platform: "linux" as const };
      return configOf(await (load?.(world) ?? folder.load(variables))).digest;
    };
  }

  it("is the same for the same configuration, whatever its comments and spaces are", async () => {
    const take = taker();
    expect(await take(`// mine\n${written({ ttl: 5 })}\n`)).toBe(await take(written({ ttl: 5 })));
  });

  it.each<[string, string, string]>([
    ["a window", written({ ttl: 5 }), written({ ttl: 6 })],
    ["what a window covers", written({ ttl: 5 }), written({ ttl: 5, ttlScope: "vault" })],
    ["whether agents may save", written(), written({ writable: true })],
    ["what a vault requires", written(), written({ require: "link" })],
    ["what all require", written(), written({}, { approval: { require: "passkey" } })],
    ["the least level", written(), written({ minAssurance: "passkey/other-user" })],
    ["the file of secrets", written({ file: "a.env" }), written({ file: "b.env" })],
    ["the name of a vault", written(), JSON.stringify({ vaults: { b: {} } })],
    ["another vault", written(), JSON.stringify({ vaults: { a: {}, b: {} } })],
    ["where the log lies", written(), written({}, { audit: { database: "/tmp/4711.db" } })],
    ["how long people have", written(), written({}, { approval: { expireMinutes: 5 } })],
    ["the tunnel", written(), written({}, { tunnel: { type: "none" } })],
    [
      "an asset that is called like a token",
      written({
        type: "12port",
        server: "https://v.example",
        tenant: "t",
        token: "env:T",
        assets: { "db-token": "1" },
      }),
      written({
        type: "12port",
        server: "https://v.example",
        tenant: "t",
        token: "env:T",
        assets: { "db-token": "2" },
      }),
    ],
    [
      "which variable a token comes from",
      written({ type: "1password", serviceAccountToken: "env:T" }),
      written({ type: "1password", serviceAccountToken: "env:U" }),
    ],
  ])("differs with %s", async (_, one, other) => {
    const take = taker();
    const variables = { T: "ops_x", U: "ops_x" };
    expect(await take(one, variables)).not.toBe(await take(other, variables));
  });

  it("differs with what the environment makes of it", async () => {
    const take = taker();
    const op = written({ type: "1password", serviceAccountToken: "env:T" });
    const plain = await take(written());
    expect(await take(op, { T: "ops_x" })).not.toBe(await take(op));
    expect(await take(written(), { AGENT_VAULT_DB: "/tmp/4711.db" })).not.toBe(plain);
    expect(await take(written(), { XDG_STATE_HOME: "/tmp/4711" })).not.toBe(plain);
    expect(await take(written(), { NGROK_AUTHTOKEN: TOKEN })).not.toBe(plain);
    // The same text in another folder means another file of secrets.
    expect(await taker()(written())).not.toBe(plain);
  });

  const SECRETS: readonly [string, (token: string) => string, (token: string) => Record<string, string>][] = [
    ["a variable", () => written({ type: "1password", serviceAccountToken: "env:T" }), (token) => ({ T: token })],
    ["NGROK_AUTHTOKEN", () => written(), (token) => ({ NGROK_AUTHTOKEN: token })],
    ["a vault", (token) => written({ type: "1password", serviceAccountToken: token }), () => ({})],
    ["the tunnel", (token) => written({}, { ngrokAuthToken: token }), () => ({})],
    ["a channel", (token) => written({}, { channels: [{ type: "ntfy", topic: token }] }), () => ({})],
    ["a webhook", (token) => written({}, { webhooks: [{ url: `https://x.example/${token}` }] }), () => ({})],
    [
      "a header",
      (token) => written({}, { webhooks: [{ url: "https://x.example/", authorization: token }] }),
      () => ({}),
    ],
  ];
  const tells = async (take: Take): Promise<string[]> => {
    const found: string[] = [];
    for (const [where, text, variables] of SECRETS) {
      const [one, other] = [`${TOKEN}-one`, `${TOKEN}-other`];
      if ((await take(text(one), variables(one))) !== (await take(text(other), variables(other)))) found.push(where);
    }
    return found;
  };

  it("says nothing about a token, wherever it stands", async () => {
    expect(await tells(taker())).toEqual([]);
  });

  it("would tell one token from another if the text itself were digested", async () => {
    const patched = (await loadPatched("src/config/load.ts", [
      { file: "src/config/digest.ts", from: "without(hidden, jsonc.value, [])", to: "text" },
    ])) as { loadConfig: typeof loadConfig };
    expect(await tells(taker(patched.loadConfig))).toEqual([
      "a vault",
      "the tunnel",
      "a channel",
      "a webhook",
      "a header",
    ]);
  });

  it("exists for names that no Unicode text may hold", async () => {
    const take = taker();
    expect(
      await take(
        '{"vaults":{"a":{"type":"12port","server":"https://v.example","tenant":"t","token":"env:T","assets":{"x\\ud800":"1"}}}}',
      ),
    ).toMatch(/^[\w-]{43}$/);
  });
});

describe("what a configuration names for those who look at how safe it is", () => {
  it("is each file that holds secrets, and each variable of the environment that holds a token", async () => {
    const folder = makeFolder();
    writeFileSync(join(folder.home, "dev.env"), "A=hunter2-4711\n");
    symlinkSync(join(folder.home, "dev.env"), join(folder.cwd, "link.env"));
    folder.write(".env", "FROM_FILE=ops_hunter2-4712\n");
    folder.write(
      NAME,
      JSON.stringify({
        vaults: {
          a: { file: "link.env" },
          b: { file: "~/dev.env" },
          c: { type: "1password", serviceAccountToken: "env:FROM_FILE" },
          d: { type: "1password", serviceAccountToken: "env:FROM_ENV" },
        },
      }),
    );
    const config = configOf(
      await folder.load({ FROM_ENV: "ops_hunter2-4713", NGROK_AUTHTOKEN: "hunter2-4714", X: "1" }),
    );
    expect(config.secretFiles.slice(0, 2)).toEqual([join(folder.cwd, ".env"), join(folder.cwd, "link.env")]);
    expect(config.secretFiles).toHaveLength(3);
    expect(config.tokenVariables).toEqual(["NGROK_AUTHTOKEN", "FROM_ENV"]);
    expect(JSON.stringify(config)).not.toContain("hunter2");
  });
});
