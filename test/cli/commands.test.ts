import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Context, LoggedEvent, LogFilters, Services } from "../../src/cli/command.ts";
import { commands } from "../../src/cli/commands.ts";
import { runCommand } from "../../src/cli/run-command.ts";
import { doctor } from "../../src/cli/doctor.ts";
import { init } from "../../src/cli/init.ts";
import type { World } from "../../src/config/load.ts";
import { VaultError } from "../../src/core/errors.ts";
import type { Provider } from "../../src/core/ports.ts";
import { PROVIDERS, providerOf } from "../../src/providers/registry.ts";
import { configOf, loadText, makeFolder } from "../config/folder.ts";
import { apart } from "../isolation/facts.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { fakeNotes } from "../support/provider-context.ts";
import { loadPatched } from "../support/patched.ts";

const clock = new FakeClock();
const SERVICES: Services = {
  clock,
  readEvents: () => [],
  inspectLog: () => ({ exists: false }),
  loadDriver: () => undefined,
  notes: () => ({ of: fakeNotes(), close: () => {} }),
  visit: () => Promise.resolve(undefined),
  program: "",
  isolation: () => Promise.resolve(apart({ startedByClient: true, uid: 1000 })),
  roll: () => Promise.resolve({ approvers: [], oddities: [] }),
  enrolment: () => Promise.reject(new Error("these tests enrol nobody")),
  asking: () => Promise.reject(new Error("these tests ask nobody")),
  asked: () => new Promise(() => {}),
  handOver: () => Promise.resolve(true),
  terminal: () => undefined,
  serve: () => Promise.reject(new Error("these tests serve nobody")),
  connect: () => Promise.reject(new Error("these tests connect to nothing")),
  playAgent: () => Promise.reject(new Error("these tests play no agent")),
};

interface Said {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line with a log that holds these events. */
async function run(
  args: readonly string[],
  {
    world = {},
    events = [],
    services = {},
  }: { world?: World; events?: readonly LoggedEvent[]; services?: Partial<Services> } = {},
): Promise<Said> {
  let [out, err] = ["", ""];
  const io = { out: (text: string) => void (out += text), err: (text: string) => void (err += text) };
  const all: Services = {
    ...SERVICES,
    readEvents: ({ filters }) => events.slice(0, filters.limit),
    ...services,
  };
  const status = await runCommand(args, io, all, { variables: {}, ...world });
  return { status, out, err };
}

describe("the command line", () => {
  it("shows the help that is agreed upon", async () => {
    const texts = [await run(["--help"])];
    for (const { name } of commands) texts.push(await run([name, "--help"]));
    expect(texts.map(({ status, err }) => ({ status, err }))).toEqual(texts.map(() => ({ status: 0, err: "" })));
    await expect(texts.map(({ out }) => out).join("\n---\n\n")).toMatchFileSnapshot("../golden/help.txt");
  });

  it("shows the same help however it is asked for", async () => {
    const { out } = await run(["--help"]);
    for (const args of [["-h"], ["help"], []]) expect((await run(args)).out).toBe(out);
    expect((await run(["help", "audit"])).out).toBe((await run(["audit", "-h"])).out);
  });

  it("prints its version and nothing else", async () => {
    for (const word of ["--version", "-v", "version"]) {
      expect(await run([word])).toEqual({ status: 0, out: "0.0.0-test\n", err: "" });
    }
  });

  it.each<[readonly string[], string]>([
    [["doctr"], "did you mean doctor?"],
    [["start"], "agent-vault --help"],
    [["--verson"], "did you mean --version?"],
    [["constructor"], "agent-vault --help"],
    [["audit", "--lmit", "3"], "did you mean --limit?"],
    [["audit", "--limit"], "write --limit COUNT"],
    [["audit", "--limit="], "write --limit COUNT"],
    [["audit", "--vault", "--json"], "write --vault NAME"],
    [["audit", "--limit", "many"], "--limit 500"],
    [["audit", "--limit", "0"], "--limit 500"],
    [["audit", "--json=yes"], "--help"],
    [["audit", "--kind", "aproved"], "did you mean approved?"],
    [["audit", "--kind", "constructor"], "there are started"],
    [["audit", "--since", "yesterday"], "--since 2026-11-20"],
    [["audit", "--until", "2026-13-45"], "--until 2026-11-20"],
    [["audit", "--constructor"], "--help"],
    [["doctor", "dev"], "agent-vault doctor --help"],
    [["init", "--client", "cluade-code"], "did you mean claude-code?"],
    [["init", "--vault", "a/b"], "1 to 64 letters"],
  ])("answers %j with what to type instead, and status 2", async (args, words) => {
    const said = await run(args, { world: { cwd: "/nowhere-4711" } });
    expect(said).toMatchObject({ status: 2, out: "" });
    expect(said.err).toMatch(/^agent-vault: .+\nhint: .+\n$/);
    expect(said.err).toContain(words);
  });

  it("never repeats what might be a secret", async () => {
    for (const args of [
      ["--token=hunter2-4711"],
      ["doctor", "hunter2-4711"],
      ["audit", "--tok=hunter2-4711"],
      ["audit", "--limit", "hunter2-4711"],
      ["audit", "--json=hunter2-4711"],
    ]) {
      const { out, err } = await run(args);
      expect(out + err).not.toContain("hunter2");
    }
  });

  it("hands a fault of its own on instead of describing it", async () => {
    const folder = makeFolder();
    const fault = run(["audit"], {
      world: { cwd: folder.cwd, variables: { HOME: folder.home, AGENT_VAULT_DB: folder.write("a.db", "") } },
      services: {
        readEvents: () => {
          throw new RangeError("hunter2-4711");
        },
      },
    });
    await expect(fault).rejects.toThrow(RangeError);
  });
});

describe("audit", () => {
  const event = (more: Partial<LoggedEvent>): LoggedEvent => ({
    kind: "approved",
    at: Date.UTC(2026, 10, 20, 14, 32),
    instance: "i1",
    ...more,
  });

  /** A folder whose log is there, so that the reading services are asked. */
  const withLog = (): World => {
    const folder = makeFolder();
    return { cwd: folder.cwd, variables: { HOME: folder.home, AGENT_VAULT_DB: folder.write("a.db", "") } };
  };

  it("shows the newest last, one line each", async () => {
    const events = [
      event({ kind: "released", vault: "dev", names: ["DATABASE_URL", "API_KEY"], basis: "window", action: "read" }),
      event({
        kind: "approved",
        vault: "dev",
        names: ["DATABASE_URL"],
        scope: "vault",
        until: Date.UTC(2026, 10, 20, 15, 2),
        reason: "run the migration",
      }),
    ];
    const { out, err, status } = await run(["audit"], { world: withLog(), events });
    const lines = out.trimEnd().split("\n");
    expect({ status, err, count: lines.length }).toEqual({ status: 0, err: "", count: 3 });
    expect(lines[1]).toMatch(/approved\s+dev\/DATABASE_URL\s+whole vault until .+; "run the migration"$/);
    expect(lines[2]).toMatch(/released\s+dev\/DATABASE_URL \+1\s+inside a window$/);
  });

  it("says whose passkey signed it, and who became an approver", async () => {
    const events = [
      event({ kind: "approver_added", approver: "Maria's phone (c3JlZA)", detail: "at the terminal" }),
      event({ kind: "approved", vault: "dev", names: ["A"], approver: "Maria's phone (c3JlZA)" }),
    ];
    const { out } = await run(["audit"], { world: withLog(), events });
    expect(out).toMatch(/approver_added\s+Maria's phone; at the terminal$/m);
    expect(out).toMatch(/approved\s+dev\/A\s+signed by Maria's phone$/m);
    expect(out).not.toContain("c3JlZA");
  });

  it("shows writes as writes and counts as counts", async () => {
    const { out } = await run(["audit"], {
      world: withLog(),
      events: [event({ kind: "refused", action: "write", count: 512, vault: "dev" })],
    });
    expect(out).toContain("refused (write) x512");
  });

  it("prints one JSON object per line", async () => {
    const events = [event({ vault: "b" }), event({ vault: "a", reason: "two\nlines" })];
    const { out } = await run(["audit", "--json"], { world: withLog(), events });
    const lines = out.trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([events[1], events[0]]);
  });

  it("lets nothing through that a terminal would obey", async () => {
    const hostile = "\u001b[2J\u009b31m\u202egnp.\u200b\r\nforged line";
    const events = [
      event({
        vault: hostile,
        names: [hostile],
        reason: hostile,
        detail: hostile,
        requester: { claims: { client: hostile }, facts: { user: "u", host: "h", folder: "f" } },
      }),
    ];
    for (const args of [["audit"], ["audit", "--json"]]) {
      const { out } = await run(args, { world: withLog(), events });
      expect(out.trimEnd()).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e]/);
      expect(out.trimEnd().split("\n").length).toBe(args.length === 1 ? 2 : 1);
    }
  });

  it("asks the log for exactly what was asked of it", async () => {
    const asked: LogFilters[] = [];
    const services = { readEvents: ({ filters }: { filters: LogFilters }) => (asked.push(filters), []) };
    const world = withLog();
    const now = clock.now();
    await run(
      [
        "audit",
        "--since",
        "2h",
        "--until",
        "2026-11-20T14:30:00Z",
        "--vault",
        "dev",
        "--name",
        "A=B",
        "--kind",
        "denied",
        "--limit",
        "7",
      ],
      { world, services },
    );
    await run(["audit", "--since=2026-11-20", "--until=2026-11-21 08:15"], { world, services });
    expect(asked).toEqual([
      {
        since: now - 7_200_000,
        until: Date.UTC(2026, 10, 20, 14, 30),
        vault: "dev",
        name: "A=B",
        kind: "denied",
        limit: 7,
      },
      { since: new Date(2026, 10, 20).getTime(), until: new Date(2026, 10, 21, 8, 15).getTime(), limit: 100 },
    ]);
  });

  it("says when there is more than it shows", async () => {
    const events = Array.from({ length: 101 }, () => event({ vault: "dev" }));
    expect((await run(["audit"], { world: withLog(), events })).err).toContain("the newest 100");
    expect((await run(["audit", "--limit", "100"], { world: withLog(), events })).err).toBe("");
  });

  it("says that there is no log yet, and makes none", async () => {
    const folder = makeFolder();
    const world = { cwd: folder.cwd, variables: { HOME: folder.home } };
    const services = {
      readEvents: () => {
        throw new Error("nobody should ask");
      },
    };
    const said = await run(["audit"], { world, services });
    expect(said).toMatchObject({ status: 0, out: "" });
    expect(said.err).toContain("nothing is logged yet");
    expect((await run(["audit", "--path"], { world })).out).toBe(
      `${join(folder.home, ".local/state/agent-vault/audit.db")}\n`,
    );
  });

  it("does not guess which log is meant when the configuration is broken", async () => {
    const folder = makeFolder();
    folder.write("agent-vault.config.json", '{ "vaults": { "a": {} }, "audit": { "database": 7 } }');
    const said = await run(["audit", "--path"], { world: { cwd: folder.cwd, variables: { HOME: folder.home } } });
    expect(said).toMatchObject({ status: 2, out: "" });
    expect(said.err).toContain("audit.database (line 1)");
  });

  it("passes the log's own trouble on with its remedy and status 1", async () => {
    const services = {
      readEvents: () => {
        throw new VaultError("audit_unavailable", "the log is locked", { hint: "try again" });
      },
    };
    expect(await run(["audit"], { world: withLog(), services })).toEqual({
      status: 1,
      out: "",
      err: "agent-vault: the log is locked\nhint: try again\n",
    });
  });
});

describe("doctor", () => {
  const examine = async (text: string, { variables = {}, services = {}, args = [] as string[] } = {}) => {
    const folder = makeFolder();
    folder.write("agent-vault.config.json", text);
    mkdirSync(join(folder.home, "keys"));
    writeFileSync(join(folder.home, "keys/good.env"), "API_KEY=hunter2-4711\n", { mode: 0o600 });
    const world = { cwd: folder.cwd, variables: { HOME: folder.home, ...variables }, platform: "linux" as const };
    return { ...(await run(["doctor", ...args], { world, services })), folder };
  };
  const good = (home: string) => JSON.stringify({ vaults: { dev: { file: home } } });

  it("finds nothing to complain of where nothing is wrong", async () => {
    const { status, out, err } = await examine(good("../home/keys/good.env"));
    expect({ status, err }).toEqual({ status: 0, err: "" });
    expect(out).toMatch(/ok {6}vault dev: .*good\.env: 1 name\n/);
    expect(out).not.toMatch(/FAILED|look/);
  });

  it("reads no secret", async () => {
    const { out } = await examine(good("../home/keys/good.env"), { args: ["--json"] });
    expect(out).not.toContain("hunter2");
    expect(out).not.toContain("API_KEY");
  });

  it("examines each vault by itself", async () => {
    const text = JSON.stringify({
      vaults: {
        gone: { file: "gone.env" },
        dev: { file: "../home/keys/good.env", ttl: 30, ttlScope: "vault", writable: true },
        later: { file: "env:GONE_4711" },
      },
    });
    const { status, out } = await examine(text);
    expect(status).toBe(1);
    expect(out).toMatch(/FAILED {2}vault gone: /);
    expect(out).toMatch(/ok {6}vault dev: /);
    expect(out).toContain("an approval may stay open for 30 min, for the whole vault; agents may ask to write");
    expect(out).toMatch(/FAILED {2}vault later: .*GONE_4711 is not set/);
  });

  it("says which vaults are left out, each for its own reason, and examines the others", async () => {
    const vaults = {
      op: { type: "1password", serviceAccountToken: "env:GONE_4711" },
      pam: { type: "delinea", token: "env:GONE_4712" },
      dev: { file: "../home/keys/good.env" },
    };
    const { status, out } = await examine(JSON.stringify({ vaults }));
    expect(status).toBe(1);
    expect(out).toMatch(/FAILED {2}vault op: 1Password, left out: GONE_4711 is not set\n +set GONE_4711 in /);
    expect(out).toMatch(/FAILED {2}vault pam: delinea, left out: this version does not have its type yet\n +the other/);
    expect(out).not.toContain("GONE_4712");
    expect(out).toMatch(/ok {6}vault dev: /);
  });

  describe("and a vault that answers", () => {
    /** What doctor says where the only vault is this one, and how often it was closed. */
    const meet = async (own: Partial<Provider>): Promise<{ out: string; status: number; closed: number }> => {
      let [out, closed] = ["", 0];
      const refuse = () => Promise.reject(new Error("doctor reads nothing"));
      const close = async (): Promise<void> => void (closed += 1);
      const provider: Provider = { resolve: refuse, read: refuse, list: refuse, close, ...own };
      const config = configOf(await loadText('{ "vaults": { "dev": {} } }'));
      const vaults = config.vaults.map((vault) => ({
        ...vault,
        use: { ready: true as const, open: async () => provider, warnings: () => [] },
      }));
      const status = await doctor({
        options: {},
        words: [],
        cwd: "/nowhere-4711",
        version: "0",
        out: (text) => void (out += text),
        err: () => undefined,
        load: async () => ({ ok: true, config: { ...config, vaults } }),
        services: SERVICES,
      });
      return { out, status, closed };
    };

    it("has its lines shown, the first as how it stands and the others as notes", async () => {
      const check = async () => ["12Port acme: 5 operations", "search: GET /assets", "forged\u001b[2J\nline"];
      const { out, status, closed } = await meet({ check });
      expect(out).toContain(
        "  ok      vault dev: 12Port acme: 5 operations\n" +
          "          vault dev: search: GET /assets\n" +
          "          vault dev: forged⟦U+001B⟧[2J⟦U+000A⟧line\n",
      );
      expect({ status, closed }).toEqual({ status: 0, closed: 1 });
    });

    it("has its trouble shown with the code and the remedy", async () => {
      const trouble = (hint?: string) => () =>
        Promise.reject(new VaultError("provider_expired", "the token has expired", hint === undefined ? {} : { hint }));
      const { out, status, closed } = await meet({ check: trouble("make a new one") });
      expect(out).toContain(
        "FAILED  vault dev: the token has expired (provider_expired)\n            make a new one\n",
      );
      expect({ status, closed }).toEqual({ status: 1, closed: 1 });
      expect((await meet({ check: trouble() })).out).toContain("agent-vault providers --type env lists its options");
      const told = await meet({ check: trouble("tell the user to make a new one") });
      expect(told.out).toContain("(provider_expired)\n            make a new one\n");
    });

    it("may fail to close without a word", async () => {
      const { out, status } = await meet({
        check: async () => ["all is well"],
        close: () => Promise.reject(new Error()),
      });
      expect({ status, failed: out.includes("FAILED") }).toEqual({ status: 0, failed: false });
    });
  });

  it("warns of a secrets file that others can read or that lies before the agent's eyes", async () => {
    const folder = makeFolder();
    folder.write("agent-vault.config.json", JSON.stringify({ vaults: { dev: {} } }));
    folder.write(".env.secrets", "A=1\n", 0o644);
    const { status, out } = await run(["doctor"], { world: { cwd: folder.cwd, variables: { HOME: folder.home } } });
    expect(status).toBe(0);
    expect(out.match(/look {4}vault dev: /g)?.length).toBe(process.platform === "win32" ? 1 : 2);
  });

  it("shows every problem of a broken configuration and ends with status 2", async () => {
    const { status, out } = await examine('{\n"vaults": { "dev": { "tll": 1,\n"ttl": "15" } },\n"prot": 1 }');
    expect(status).toBe(2);
    expect(out).toContain('FAILED  vaults.dev.tll (line 2): is not a known key\n            did you mean "ttl"?');
    expect(out).toContain("FAILED  vaults.dev.ttl (line 3)");
    expect(out).toContain("FAILED  prot (line 4)");
  });

  it("says where the configuration comes from when it is no file", async () => {
    const folder = makeFolder();
    const op = { AGENT_VAULT_PROVIDER: "1password", OP_SERVICE_ACCOUNT_TOKEN: "hunter2-4711" };
    const look = async (variables: Record<string, string>) =>
      run(["doctor"], { world: { cwd: folder.cwd, variables: { HOME: folder.home, ...variables } } });
    const { out } = await look(op);
    expect(out).toContain("variables: AGENT_VAULT_PROVIDER, OP_SERVICE_ACCOUNT_TOKEN\n");
    expect(out).not.toContain("hunter2");
    expect((await look({ AGENT_VAULT_ENV_FILE: "x.env" })).out).toContain("variables: AGENT_VAULT_ENV_FILE\n");
    const wrong = await look({ ...op, AGENT_VAULT_1P_VAULTS: "," });
    expect(wrong.out).toContain("  FAILED  AGENT_VAULT_1P_VAULTS: is set and lists nothing\n");
    expect(wrong.status).toBe(2);
  });

  it("says which command makes a configuration, with status 2", async () => {
    const folder = makeFolder();
    const { status, out } = await run(["doctor"], { world: { cwd: folder.cwd, variables: { HOME: folder.home } } });
    expect(status).toBe(2);
    expect(out).toContain("run agent-vault init");
  });

  it("says plainly what is not stopped, and more so when the link goes to the agent", async () => {
    const { out } = await examine(good("../home/keys/good.env"));
    expect(out).toContain("level: link/same-user: an approval proves that somebody had the link, not who it was");
    expect(out).toContain("it does not: stop a program that runs as you");
    expect(out).toContain("it does: keep the link from the agent");
    const shown = await examine(
      JSON.stringify({ vaults: { dev: { file: "../home/keys/good.env" } }, approval: { linkInResults: true } }),
    );
    expect(shown.out).toContain("look    it does not: keep the link from the agent");
    expect(shown.out).not.toContain("it does: keep the link");
  });

  it("names what is left out and what is not sent", async () => {
    const text = JSON.stringify({
      vaults: { dev: { file: "../home/keys/good.env" } },
      ngrokAuthToken: "env:GONE_4711",
      channels: [{ type: "ntfy", topic: "env:GONE_4712" }],
      webhooks: [{ url: "https://a.example" }],
    });
    const { status, out } = await examine(text);
    expect(status).toBe(1);
    expect(out).toMatch(/FAILED {2}tunnel: ngrok, left out: GONE_4711 is not set/);
    expect(out).toMatch(/FAILED {2}ntfy: left out: GONE_4712 is not set/);
    expect(out).toMatch(/look {4}webhooks are checked but not sent/);
  });

  it("says when nothing rings, and what would", async () => {
    const vaults = { dev: { file: "../home/keys/good.env" } };
    const { out } = await examine(JSON.stringify({ vaults }));
    expect(out).toMatch(/bell: nothing rings.*\n.*"type": "ntfy"/);
    const rung = await examine(JSON.stringify({ vaults, channels: [{ type: "ntfy", topic: "canary-4711" }] }));
    expect(rung.out).not.toContain("nothing rings");
  });

  it.each([
    ["inside a file", "agent-vault.config.json/logs/audit.db", "is not a folder"],
    ["in a file", "agent-vault.config.json/audit.db", "is not a folder"],
    ["a folder", "../home/keys", "is not a file"],
    ["in a folder that others can change", "../open/audit.db", "can be changed by other users"],
    ["a link", "../link.db", "is a symbolic link"],
  ])("fails where no log would be written, because then nothing is handed out: %s", async (_, database, words) => {
    const folder = makeFolder();
    folder.write("agent-vault.config.json", JSON.stringify({ vaults: { dev: {} }, audit: { database } }));
    folder.write(".env.secrets", "A=1\n", 0o600);
    mkdirSync(join(folder.home, "keys"));
    mkdirSync(join(folder.cwd, "../open"));
    chmodSync(join(folder.cwd, "../open"), 0o777);
    symlinkSync("nowhere.db", join(folder.cwd, "../link.db"));
    const { status, out } = await run(["doctor"], { world: { cwd: folder.cwd, variables: { HOME: folder.home } } });
    expect(status).toBe(1);
    expect(out).toMatch(new RegExp(`FAILED .*${words}\n.*without a log no secret is handed out`));
  });

  it("fails with the remedy where the log cannot be read or its database cannot be loaded", async () => {
    const away = () => {
      throw new VaultError("audit_unavailable", "better-sqlite3 is not installed", {
        hint: "npm rebuild better-sqlite3",
      });
    };
    const { status, out } = await examine(good("../home/keys/good.env"), { services: { loadDriver: away } });
    expect(status).toBe(1);
    expect(out).toContain(
      "better-sqlite3 is not installed (audit_unavailable)\n            npm rebuild better-sqlite3",
    );
  });

  it("warns when the agent could delete the log", async () => {
    const { out } = await examine(
      JSON.stringify({ vaults: { dev: { file: "../home/keys/good.env" } }, audit: { database: "audit.db" } }),
    );
    expect(out).toContain("the log lies in the folder where the agent works");
  });

  it("prints the same as one JSON object", async () => {
    const { status, out } = await examine(JSON.stringify({ vaults: { gone: { file: "gone.env" } } }), {
      args: ["--json"],
    });
    const report = JSON.parse(out) as {
      status: number;
      version: string;
      findings: { section: string; state: string; about: string }[];
    };
    expect(report).toMatchObject({ status: 1, version: "0.0.0-test" });
    expect(status).toBe(1);
    expect(report.findings).toContainEqual(
      expect.objectContaining({ section: "Vaults", state: "failed", about: "vault gone" }),
    );
  });
});

describe("providers", () => {
  it("shows every kind of vault that there is", async () => {
    const { status, out, err } = await run(["providers"]);
    expect({ status, err }).toEqual({ status: 0, err: "" });
    for (const { type, title, summary } of PROVIDERS) expect(out).toContain(`${type}: ${title}\n  ${summary}\n  It `);
    const listed = JSON.parse((await run(["providers", "--json"])).out) as { type: string }[];
    expect(listed.map(({ type }) => type)).toEqual(PROVIDERS.map(({ type }) => type));
  });

  it.each(PROVIDERS.map(({ type }) => type))(
    "shows the options of %s, and a configuration that loads",
    async (type) => {
      const { status, out } = await run(["providers", "--type", type]);
      expect(status).toBe(0);
      for (const [option, schema] of Object.entries(providerOf(type)?.options.shape ?? {})) {
        expect(out).toMatch(new RegExp(`^  ${option}: .+\\n {6}\\S`, "m"));
        if (!schema.safeParse(undefined).success) expect(out).toMatch(new RegExp(`^  ${option}: .*, required$`, "m"));
      }
      const text = out.slice(out.indexOf("\n{\n"));
      const named = [...text.matchAll(/"env:(\w+)"/g)].map(([, name = ""]) => [name, "ops_hunter2-4711"] as const);
      const config = configOf(await loadText(text, Object.fromEntries(named)));
      expect(config.vaults).toMatchObject([{ type, use: { ready: true } }]);
      expect(config.warnings).toEqual([]);
      const { example } = JSON.parse((await run(["providers", "--type", type, "--json"])).out) as { example: object };
      expect(Object.values((JSON.parse(text) as { vaults: object }).vaults)).toEqual([example]);
    },
  );

  it("offers writable only with what can be written to", async () => {
    for (const { type, can } of PROVIDERS) {
      const { out } = await run(["providers", "--type", type]);
      const rules = can.some((one) => one === "write") ? "ttl, ttlScope, writable" : "ttl, ttlScope";
      expect(out).toContain(`Its options, besides ${rules}, require and minAssurance:\n`);
    }
  });

  it.each([
    ["1pasword", "did you mean 1password?"],
    ["delinea", "yet\nhint: there are env"],
    ["constructor", "there are env"],
  ])("answers --type %s with what to type instead", async (type, words) => {
    const said = await run(["providers", "--type", type]);
    expect(said).toMatchObject({ status: 2, out: "" });
    expect(said.err).toContain(words);
  });
});

describe("init", () => {
  const mine = {
    "agent-vault.config.json": '{ "vaults": { "mine": { "file": ".env.secrets" } } }',
    ".env.secrets": "TOKEN=hunter2-4711\n",
    ".gitignore": "mine\n",
  };

  /** What is no longer there after init ran where all of it was there already. */
  async function lost(init: (context: Context) => Promise<number>): Promise<string[]> {
    const folder = makeFolder();
    for (const [name, text] of Object.entries(mine)) folder.write(name, text);
    const context: Context = {
      options: {},
      words: [],
      cwd: folder.cwd,
      version: "0",
      out: () => undefined,
      err: () => undefined,
      load: () => folder.load(),
      services: SERVICES,
    };
    expect(await init(context)).toBe(0);
    return Object.entries(mine).flatMap(([name, text]) =>
      readFileSync(join(folder.cwd, name), "utf8").startsWith(text) ? [] : [name],
    );
  }

  it("loses nothing that was there", async () => {
    expect(await lost(init)).toEqual([]);
  });

  it.each([
    ["a flag that overwrites", 'flag: "wx"', 'flag: "w"', ["agent-vault.config.json", ".env.secrets"]],
    ["a file written anew", "appendFile(path,", "writeFile(path,", [".gitignore"]],
  ])("would be caught with %s", async (_, from, to, wanted) => {
    const patched = (await loadPatched("src/cli/init.ts", [{ file: "src/cli/init.ts", from, to }])) as {
      init: typeof init;
    };
    expect(await lost(patched.init)).toEqual(wanted);
  });
});
