import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import type { RequestOptions } from "@modelcontextprotocol/sdk/shared/protocol.js";
import {
  type CallToolResult,
  CallToolResultSchema,
  type ClientCapabilities,
  ElicitRequestSchema,
  type ElicitRequest,
  type ElicitResult,
} from "@modelcontextprotocol/sdk/types.js";
import type BetterSqlite3 from "better-sqlite3";

export const PROGRAM = resolve(import.meta.dirname, "../../dist/agent-vault.js");
const LINK = /https?:\/\/\S+\/approve\/[\w-]+/;

export interface World {
  /** The folder the agent works in; it holds the configuration. */
  readonly project: string;
  /** Where the secrets lie, outside the project. */
  readonly secrets: string;
  readonly database: string;
  readonly env: Record<string, string>;
  readonly remove: () => void;
}

/** A throw-away project with an env vault outside it. `config` is merged over a vault named dev, no browser, any port. */
export function makeWorld(
  options: {
    config?: { approval?: object; [key: string]: unknown };
    vault?: object;
    secrets?: Record<string, string>;
  } = {},
): World {
  const root = mkdtempSync(join(tmpdir(), "agent-vault-test-"));
  const project = join(root, "project");
  const secrets = join(root, "secrets.env");
  mkdirSync(project);
  const values = options.secrets ?? { DATABASE_URL: "postgres://hunter2-4711", STRIPE_KEY: "sk_live_canary_0815" };
  const lines = Object.entries(values).map(([name, value]) => `${name}=${value}\n`);
  writeFileSync(secrets, lines.join(""), { mode: 0o600 });
  const config = {
    // Test files run side by side: a port of its own, below those the system hands out, so that one test's closed port
    // is not the next one's open one.
    port: 12_000 + Math.floor(Math.random() * 20_000),
    vaults: { dev: { type: "env", file: secrets, ...options.vault } },
    ...options.config,
    approval: { browser: "never", ...options.config?.approval },
  };
  writeFileSync(join(project, "agent-vault.config.json"), JSON.stringify(config));
  const env = { PATH: process.env["PATH"] ?? "", HOME: root, XDG_STATE_HOME: join(root, "state") };
  const remove = (): void => rmSync(root, { recursive: true, force: true });
  return { project, secrets, database: join(root, "state", "agent-vault", "audit.db"), env, remove };
}

export interface AgentOptions {
  readonly name?: string;
  readonly capabilities?: ClientCapabilities;
  readonly env?: Record<string, string>;
  readonly program?: string;
  /** What the program is started with; nothing unless told otherwise. */
  readonly args?: readonly string[];
  readonly elicit?: (request: ElicitRequest, signal: AbortSignal) => Promise<ElicitResult>;
}

export interface Agent {
  readonly client: Client;
  readonly pid: number;
  /** All that the server said on stderr. */
  readonly stderr: () => string;
  /** The link to the newest request that was not handed out yet; waits for it. */
  readonly link: () => Promise<string>;
  readonly call: (tool: string, args: Record<string, unknown>, options?: RequestOptions) => Promise<CallToolResult>;
  readonly get: (name: string, options?: RequestOptions & { reason?: string }) => Promise<CallToolResult>;
  readonly close: () => Promise<void>;
}

/** The real program, driven by a real MCP client over stdio. */
export async function startAgent(world: World, options: AgentOptions = {}): Promise<Agent> {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [options.program ?? PROGRAM, ...(options.args ?? [])],
    cwd: world.project,
    env: { ...world.env, ...options.env },
    stderr: "pipe",
  });
  let said = "";
  const links: string[] = [];
  const waiting: ((link: string) => void)[] = [];
  transport.stderr?.on("data", (chunk: Buffer) => {
    const from = said.lastIndexOf("\n") + 1;
    said += chunk.toString("utf8");
    const whole = said.slice(from, said.lastIndexOf("\n") + 1);
    for (const line of whole.split("\n")) {
      const link = LINK.exec(line)?.[0];
      if (link === undefined) continue;
      const next = waiting.shift();
      if (next) next(link);
      else links.push(link);
    }
  });
  const client = new Client(
    { name: options.name ?? "test-client", version: "1.0.0" },
    { capabilities: options.capabilities ?? {} },
  );
  if (options.elicit && options.capabilities?.elicitation) {
    const { elicit } = options;
    client.setRequestHandler(ElicitRequestSchema, (request, extra) => elicit(request, extra.signal));
  }
  await client.connect(transport);
  const call: Agent["call"] = async (name, args, requestOptions) =>
    CallToolResultSchema.parse(await client.callTool({ name, arguments: args }, CallToolResultSchema, requestOptions));
  return {
    client,
    pid: transport.pid ?? 0,
    stderr: () => said,
    link: () => {
      const ready = links.shift();
      return ready === undefined ? new Promise((found) => waiting.push(found)) : Promise.resolve(ready);
    },
    call,
    get: (name, { reason = "run migration 0042", ...requestOptions } = {}) =>
      call("get_secret", { vault: "dev", name, reason }, requestOptions),
    close: () => client.close(),
  };
}

/** What a result says of itself: ok, pending or an error code. */
export function statusOf(result: CallToolResult): unknown {
  return result._meta?.["agent-vault/status"];
}

/** The first content block's text. */
export function textOf(result: CallToolResult): string {
  const [first] = result.content;
  return first?.type === "text" ? first.text : "";
}

/** The events of a world's log, oldest first, as the database has them. */
export function eventsOf(world: World): Record<string, unknown>[] {
  return query(world, "SELECT * FROM event ORDER BY seq");
}

export function query(world: World, sql: string): Record<string, unknown>[] {
  const Database = createRequire(import.meta.url)("better-sqlite3") as typeof BetterSqlite3;
  const database = new Database(world.database, { readonly: true });
  try {
    return database.prepare(sql).all() as Record<string, unknown>[];
  } finally {
    database.close();
  }
}
