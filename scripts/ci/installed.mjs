// An installed agent-vault, used as an agent and a person would: a real MCP client, and the page by its address.
import { strict as assert } from "node:assert";
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";

const VALUE = "postgres://hunter2-4711";
const LINK = /http:\/\/localhost:\d+\/approve\/[\w-]+/;
const TOOLS = ["get_secret", "get_secrets", "list_secrets", "set_secret", "set_secrets"];

/**
 * A throw-away home with a project whose vault `dev` holds one secret; its other vaults have a token that is none, and no
 * server. `bin` is the program, `node` what runs it.
 */
export function makeUser({ folder, bin, node }) {
  const home = mkdtempSync(join(folder, "home of "));
  const project = join(home, "the project");
  mkdirSync(project);
  writeFileSync(join(home, ".env.secrets"), `DATABASE_URL=${VALUE}\n`, { mode: 0o600 });
  writeFileSync(
    join(project, "agent-vault.config.json"),
    JSON.stringify({
      vaults: {
        dev: { type: "env", file: "../.env.secrets", ttl: 5, writable: true },
        work: { type: "1password", serviceAccountToken: "env:OP_TOKEN" },
        servers: { type: "12port", server: "http://127.0.0.1:1", tenant: "acme", token: "env:OP_TOKEN" },
      },
      approval: { browser: "never" },
    }),
  );
  const env = {
    PATH: [node.bin, "/usr/bin", "/bin"].join(delimiter),
    HOME: home,
    XDG_STATE_HOME: join(home, "state"),
    OP_TOKEN: "ops_hunter2-4711",
  };
  return { bin, project, env };
}

/** Runs a command of the program. Resolves to what it printed; rejects when it fails. */
export async function runProgram({ bin, project, env }, args) {
  const { stdout } = await promisify(execFile)(bin, args, { cwd: project, env });
  return stdout.trim();
}

/** One get_secret, approved: the value arrives, and the log has it as the installed program and as SQL see it. */
export async function getOneSecret(user) {
  await withAgent(user, async ({ client, link, stderr }) => {
    const { tools } = await client.listTools();
    assert.deepEqual(tools.map(({ name }) => name).toSorted(), TOOLS);
    // What their vaults need was installed along and runs on this Node.
    const listed = await client.callTool({ name: "list_secrets", arguments: {} });
    assert.match(listed.content[0].text, /^\[work\] cannot be listed: provider_auth: .*token/m);
    assert.match(listed.content[0].text, /^\[servers\] cannot be listed: provider_unavailable: .*127\.0\.0\.1/m);
    const waiting = askForOne(client);
    // Whichever comes first: an answer before anybody approved is a failure of its own.
    const address = await Promise.race([link, waiting.then(failEarly)]);
    await approve(address);
    const result = await waiting;
    assert.deepEqual(result.content, [{ type: "text", text: VALUE }]);
    assert.equal(result._meta["agent-vault/status"], "ok");
    assert.ok(!stderr().includes(VALUE), "the value is on stderr");
  });
  const printed = await runProgram(user, ["audit", "--json"]);
  assert.match(printed, /"released"/);
  assert.ok(!printed.includes(VALUE), "the value is in the log");
  const file = await runProgram(user, ["audit", "--path"]);
  assert.deepEqual(auditRows(file), [{ secret_name: "dev/DATABASE_URL", action: "approved" }]);
}

/**
 * One get_secret where the log cannot be opened: no value, no crash, and the answer says what to type. Resolves to the
 * arguments it gives npm.
 */
export async function getRefused(user) {
  let remedy;
  await withAgent(user, async ({ client }) => {
    const result = await askForOne(client);
    assert.equal(result.isError, true);
    assert.equal(result._meta["agent-vault/status"], "audit_unavailable");
    const said = result.content.map(({ text }) => text).join("\n");
    assert.ok(!said.includes(VALUE));
    [, remedy] = /\bnpm (rebuild better-sqlite3 .+)$/m.exec(said) ?? assert.fail(`no remedy in: ${said}`);
    // The server is still there.
    const { tools } = await client.listTools();
    assert.equal(tools.length, TOOLS.length);
  });
  return [...remedy.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain);
}

/** Starts the program for an agent and sees it gone afterwards. `link` resolves to the first link on stderr. */
async function withAgent({ bin, project, env }, use) {
  const transport = new StdioClientTransport({ command: bin, cwd: project, env, stderr: "pipe" });
  let said = "";
  const link = new Promise((found) => {
    transport.stderr.on("data", (chunk) => {
      said += chunk;
      const [address] = LINK.exec(said.slice(0, said.lastIndexOf("\n"))) ?? [];
      if (address !== undefined) found(address);
    });
  });
  const client = new Client({ name: "package-check", version: "1.0.0" });
  try {
    await client.connect(transport);
    const { pid } = transport;
    await use({ client, link, stderr: () => said });
    await client.close();
    assert.throws(() => process.kill(pid, 0), { code: "ESRCH" }, "the server is still running");
  } catch (error) {
    throw new Error(`${error.message}\nstderr: ${said}`, { cause: error });
  } finally {
    await client.close();
  }
}

function askForOne(client) {
  return client.callTool({
    name: "get_secret",
    arguments: { vault: "dev", name: "DATABASE_URL", reason: "check the package" },
  });
}

function failEarly(result) {
  throw new Error(`answered before anybody approved: ${JSON.stringify(result)}`);
}

async function approve(address) {
  const page = await (await fetch(address)).text();
  const [, seal] = /name="seal" value="([^"]+)"/.exec(page) ?? [];
  assert.ok(seal, "the page has no seal");
  const answer = await fetch(address, {
    method: "POST",
    redirect: "manual",
    headers: { origin: new URL(address).origin, "sec-fetch-site": "same-origin" },
    body: new URLSearchParams({ seal, verdict: "approve", choice: "window" }),
  });
  assert.equal(answer.status, 303);
}

function auditRows(file) {
  const Database = createRequire(import.meta.url)("better-sqlite3");
  const database = new Database(file, { readonly: true });
  try {
    return database.prepare("SELECT secret_name, action FROM audit").all();
  } finally {
    database.close();
  }
}
