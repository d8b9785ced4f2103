import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type BetterSqlite3 from "better-sqlite3";
import { parse } from "dotenv";
import { describe, expect, it } from "vitest";
import { MIGRATIONS } from "../../src/audit/schema.ts";
import { EVENT_KINDS } from "../../src/cli/audit.ts";
import { CLIENTS } from "../../src/cli/snippets.ts";
import { capabilityText } from "../../src/config/kinds.ts";
import { CODES } from "../../src/core/errors.ts";
import { holdOf } from "../../src/mcp/clients.ts";
import { PROVIDERS } from "../../src/providers/registry.ts";
import { explain } from "../../src/tunnels/ngrok-errors.ts";
import { loadText, problemsOf } from "../config/folder.ts";
import { begin } from "../support/begin.ts";
import { wrongCommands } from "./commands.ts";
import { blocksOf, deadLinks, DOCUMENTS, read, ROOT, spansOf, tableOf } from "./documents.ts";

const README = read("README.md");

/** What is wrong with the pieces of configuration in a document. */
async function wrongBlocks(text: string): Promise<string[]> {
  const found: string[] = [];
  const snippet = JSON.parse(CLIENTS["claude-code"]?.({ config: "" }).lines.slice(2).join("\n") ?? "{}") as unknown;
  for (const block of blocksOf(text).filter(({ language }) => language.startsWith("json"))) {
    const written = JSON.parse(block.text) as Record<string, unknown>;
    if ("mcpServers" in written) {
      if (JSON.stringify(written) !== JSON.stringify(snippet))
        found.push("the lines for a client are not those of init");
      continue;
    }
    if (!block.part && !("vaults" in written)) found.push("some keys only, and not marked as a part");
    const whole = { vaults: { dev: {} }, ...written };
    const loaded = await loadText(JSON.stringify(whole), { NGROK_AUTHTOKEN: "canary", NTFY_TOPIC: "canary" });
    found.push(...problemsOf(loaded).map(({ path, message }) => `${path} ${message}`));
    if (loaded.ok) found.push(...loaded.config.warnings.map(({ message }) => message));
  }
  return found;
}

/** The arguments of each tool as its row in README has them: `vault?`, `names[]`. */
function toolRows(text: string): Record<string, string[]> {
  const rows = tableOf(text, "| tool | arguments | result |");
  return Object.fromEntries(rows.map(([tool = "", args = ""]) => [spansOf(tool)[0] ?? "", spansOf(args)]));
}

function rowsOf(text: string, heading: string): string[] {
  return tableOf(text, heading).flatMap(([first = ""]) => spansOf(first));
}

describe("README", () => {
  it("has the two commands, word for word", () => {
    const typed = blocksOf(README).flatMap(({ text }) => text.split("\n"));
    expect(typed).toContain("npm ci && npm run demo");
    expect(typed).toContain("npm ci && npm test");
  });

  it("shows only configurations that load without a complaint, and client lines that init prints", async () => {
    expect(blocksOf(README).filter(({ language }) => language.startsWith("json")).length).toBeGreaterThan(4);
    expect(await wrongBlocks(README)).toEqual([]);
  });

  it.each([
    ["a key that does not exist", '"ttlScope": "vault"', '"ttlScop": "vault"'],
    ["a kind of vault that does not exist", '"type": "1password"', '"type": "1pass"'],
    ["an option inside another that does not exist", '"category": "login"', '"kategory": "login"'],
    ["a part without its mark", "<!-- part -->\n", ""],
    ["other lines for the client", '"args": ["-y", "agent-vault"]', '"args": ["agent-vault"]'],
    ["a token written out", '"env:NGROK_AUTHTOKEN",\n', '"2canary4711",\n'],
  ])("would not get away with %s", async (_, from, to) => {
    expect(README).toContain(from);
    expect(await wrongBlocks(README.replaceAll(from, to))).not.toEqual([]);
  });

  it("names each tool and each argument as the program does", async () => {
    const { agent } = await begin({ vault: { writable: true } });
    const { tools } = await agent.client.listTools();
    const real = tools.map(({ name, inputSchema: { properties = {}, required = [] } }) => [
      name,
      Object.entries(properties).map(([key, field]) => {
        const list = "type" in field && field.type === "array" ? "[]" : "";
        return `${key}${list}${required.includes(key) ? "" : "?"}`;
      }),
    ]);
    expect(toolRows(README)).toEqual(Object.fromEntries(real));
  });

  it("explains every status that a tool can answer with, and no other", () => {
    const never = ["usage", "tunnel_unavailable", "channel_unavailable"];
    const codes = Object.keys(CODES).filter((code) => !never.includes(code));
    expect(rowsOf(README, "| status | means | the agent should |").toSorted()).toEqual(
      ["ok", "pending", ...codes].toSorted(),
    );
  });

  it("says what each kind of vault can do as it is", () => {
    const [, heading = ""] = /\n(\| vault \|.*\|)\n/.exec(README) ?? [];
    const types = spansOf(heading);
    expect(types).toEqual(PROVIDERS.map(({ type }) => type));
    const rows = tableOf(README, heading);
    const said = types.map((_, at) => rows.filter((cells) => cells[at + 1] === "yes").map(([what]) => what));
    expect(said).toEqual(PROVIDERS.map(({ can }) => capabilityText(can).split(", ")));
  });

  it("says how long calls wait as it is", () => {
    const rows = tableOf(README, "| client | a call waits |");
    const secondsOf = (client: RegExp): number | undefined => {
      const [, text = ""] = rows.find(([name = ""]) => client.test(name)) ?? [];
      return /^(\d+) seconds$/.exec(text)?.[1] === undefined ? undefined : Number.parseInt(text, 10);
    };
    const ms = (client: string): number => (holdOf(client, true) ?? 0) / 1_000;
    expect(secondsOf(/Gemini/)).toBe(ms("gemini-cli-mcp-client"));
    expect(secondsOf(/Codex/)).toBe(ms("codex-mcp-client"));
    expect(secondsOf(/any other/)).toBe(ms("anything else"));
    expect(rows[0]?.[0]).toBe("Claude Code, VS Code, opencode, Copilot CLI");
    for (const client of ["claude-code", "Visual Studio Code", "opencode", "copilot-cli"])
      expect(holdOf(client, true)).toBeUndefined();
  });

  it("names the columns of the view as they are", () => {
    const Database = createRequire(import.meta.url)("better-sqlite3") as typeof BetterSqlite3;
    const database = new Database(":memory:");
    for (const migration of MIGRATIONS) database.exec(migration);
    const columns = database.prepare("SELECT name FROM pragma_table_info('audit')").pluck().all();
    database.close();
    expect(rowsOf(README, "| column | holds |")).toEqual(columns);
  });

  it("names the variables that are read", () => {
    const files = ["load", "file", "places", "variables"].map((name) => read(`src/config/${name}.ts`));
    const named = files.join("\n").match(/\bAGENT_VAULT_[A-Z0-9_]+/g) ?? [];
    const ofVaults = PROVIDERS.flatMap(({ variables = {} }) => Object.keys(variables));
    expect(ofVaults.length).toBeGreaterThan(2);
    expect(rowsOf(README, "| variable | meaning |").toSorted()).toEqual(
      [...new Set([...named, ...ofVaults, "NGROK_AUTHTOKEN"])].toSorted(),
    );
  });

  it("names refusals of ngrok that have an explanation of their own", () => {
    const numbers = rowsOf(README, "| ngrok says | what to do |").map((code) => code.replace("ERR_NGROK_", ""));
    expect(numbers.length).toBeGreaterThan(8);
    const unexplained = numbers.filter((number) =>
      explain(new Error(`refused\n\nERR_NGROK_${number}`), undefined).message.includes("ERR_NGROK"),
    );
    expect(unexplained).toEqual([]);
  });

  it("shows an env file that reads as it looks", () => {
    const file = blocksOf(README).find(({ text }) => text.includes("STRIPE_KEY="))?.text ?? "";
    expect(parse(file)).toEqual({
      DATABASE_URL: "postgresql://user:pass@localhost:5432/shop",
      STRIPE_KEY: "sk_live_...",
    });
  });

  it("promises nothing that does not work yet", () => {
    const from = README.indexOf("\n## Coming from");
    const [offered, limits] = [README.slice(0, from).toLowerCase(), README.slice(from)];
    const coming = ["hashicorp", "delinea", "slack"];
    expect(coming.filter((word) => offered.includes(word))).toEqual([]);
    expect(limits).toContain("Webhooks are not sent");
  });
});

describe.each(PROVIDERS.map(({ type, title, options }) => ({ type, title, options })))(
  "the page of $type",
  ({ type, title, options }) => {
    const path = `docs/providers/${type}.md`;
    const text = existsSync(join(ROOT, path)) ? read(path) : "";

    it("is there, is listed and is linked from README", () => {
      expect(text).toMatch(/^# \S/);
      expect(text.toLowerCase()).toContain(title.toLowerCase());
      expect(read("docs/providers/README.md")).toContain(`](${type}.md)`);
      expect(README).toContain(`](${path})`);
    });

    it("has the options of the program", () => {
      const rows = rowsOf(text, "| field | value | default | meaning |");
      expect(new Set(rows.map((name) => name.split(".")[0]))).toEqual(new Set(Object.keys(options.shape)));
    });

    it("shows only configurations that load without a complaint, one of this type among them", async () => {
      const vaults = blocksOf(text).filter(({ language, text }) => language === "json" && text.includes(`"${type}"`));
      expect(vaults.length).toBeGreaterThan(0);
      expect(await wrongBlocks(text)).toEqual([]);
    });
  },
);

describe.each(DOCUMENTS)("%s", (path) => {
  const text = read(path);

  it("leads nowhere that is not there", () => {
    expect(deadLinks(path, text)).toEqual([]);
  });

  it("tells nobody to type what does not exist", () => {
    expect(wrongCommands(text)).toEqual([]);
  });

  it("names no code that a tool cannot answer with, and no event that the log cannot hold", () => {
    const known = [...Object.keys(CODES), ...Object.keys(EVENT_KINDS), "ok", "pending"];
    const named = spansOf(text).filter((span) =>
      /^(?:provider|upstream|vault|config|audit|page|rate)_[a-z_]+$/.test(span),
    );
    expect(named.filter((code) => !known.includes(code))).toEqual([]);
  });

  it("says nothing of the machine it was written on", () => {
    expect(text).not.toMatch(/(?:^|[\s"'`(=])\/(?:home|root|Users|work|tmp|mnt|opt)\//m);
    expect(text).not.toMatch(/\p{Extended_Pictographic}/u);
  });
});

describe("a document", () => {
  it.each([
    ["[there](docs/nowhere.md)", "docs/nowhere.md"],
    ["[there](#nowhere)", "#nowhere"],
    ['<img src="docs/images/none.png">', "docs/images/none.png"],
    ["kept by `test/core/none.test.ts`", "test/core/none.test.ts"],
  ])("would not get away with leading nowhere: %s", (text, dead) => {
    expect(deadLinks("README.md", text)).toEqual([dead]);
  });

  it.each([
    ["`npx agent-vault approve`", "agent-vault approve"],
    ["`agent-vault audit --last 3`", "agent-vault audit --last"],
    ["`agent-vault init --client emacs`", "--client emacs"],
    ["`agent-vault audit --vault --json`", "agent-vault audit --vault without a value"],
    ["```sh\nnpm run deploy\n```", "npm run deploy"],
    ["```sh\nnpx vitest run test/none\n```", "test/none"],
  ])("would not get away with a command that is not there: %s", (text, wrong) => {
    expect(wrongCommands(text)).toEqual([wrong]);
  });
});

describe("SECURITY.md", () => {
  it("names a test for each promise", () => {
    const rows = tableOf(read("SECURITY.md"), "| promise | tests |");
    expect(rows.length).toBeGreaterThan(10);
    const unkept = rows.filter(([, tests = ""]) => !spansOf(tests).some((span) => span.endsWith(".test.ts")));
    expect(unkept).toEqual([]);
  });
});

describe("CONTRIBUTING.md", () => {
  it("has a paragraph for each dependency, and for nothing else", () => {
    const { dependencies, devDependencies } = JSON.parse(read("package.json")) as Record<string, object>;
    const text = read("CONTRIBUTING.md");
    const from = text.indexOf("\n## Dependencies\n");
    const named = [...text.slice(from).matchAll(/\*\*([^*]+)\*\*/g)].map(([, name = ""]) => name);
    expect(named.toSorted()).toEqual(Object.keys({ ...dependencies, ...devDependencies }).toSorted());
  });
});
