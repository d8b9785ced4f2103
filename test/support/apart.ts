import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { CallToolResultSchema } from "@modelcontextprotocol/sdk/types.js";
import type { Account, Accounts } from "./accounts.ts";
import type { Agent } from "./agent.ts";
import { type Served, serving } from "./asked.ts";

/** The files of a broker as docs/other-user.sh lays them out, in a folder of their own. */
export interface Place {
  readonly root: string;
  readonly etc: string;
  readonly config: string;
  readonly env: string;
  readonly state: string;
  readonly secrets: string;
  readonly run: string;
  readonly socket: string;
}

export function placeIn(root: string): Place {
  return {
    root,
    etc: join(root, "etc"),
    config: join(root, "etc/agent-vault.config.json"),
    env: join(root, "etc/.env"),
    state: join(root, "state"),
    secrets: join(root, "state/secrets.env"),
    run: join(root, "run"),
    socket: join(root, "run/mcp.sock"),
  };
}

export interface Contents {
  readonly config: object;
  /** NAME=value lines: tokens, and what the vault holds. */
  readonly tokens: string;
  readonly secrets: string;
  /** Puts what it wants into the state folder before that becomes the broker's. */
  readonly before?: (state: string) => void;
}

/** Makes the files, and gives each to whom it belongs. */
export function layOut(place: Place, { broker, clients }: Pick<Accounts, "broker" | "clients">, is: Contents): void {
  const { root, etc, config, env, state, secrets, run } = place;
  for (const folder of [root, etc, state, run]) mkdirSync(folder);
  writeFileSync(config, JSON.stringify(is.config));
  writeFileSync(env, is.tokens);
  writeFileSync(secrets, is.secrets);
  is.before?.(state);
  const own = (owner: string, mode: string, ...paths: string[]): void => {
    execFileSync("chown", ["-R", owner, ...paths]);
    execFileSync("chmod", [mode, ...paths]);
  };
  own("root:root", "755", root);
  own(`root:${broker.name}`, "750", etc);
  own(`root:${broker.name}`, "640", config, env);
  own(`${broker.name}:${broker.name}`, "700", state);
  own(`${broker.name}:${broker.name}`, "600", secrets);
  own(`${broker.name}:${clients.name}`, "755", run);
}

/** What the broker, and the commands of its user, find in their environment. */
export function settingsOf({ config, state }: Place): Record<string, string> {
  return { PATH: process.env["PATH"] ?? "", HOME: state, XDG_STATE_HOME: state, AGENT_VAULT_CONFIG: config };
}

/** `agent-vault serve` as its user, for the agent's alone. */
export function startServing(
  place: Place,
  { broker, agent, clients }: Pick<Accounts, "broker" | "agent" | "clients">,
  program: string,
): Served & { readonly ready: Promise<void> } {
  const words = ["serve", "--socket", place.socket, "--group", clients.name, "--for", agent.name];
  const { command, args } = broker.as([process.execPath, program, ...words], [clients.gid]);
  const child = spawn(command, args, { cwd: "/", env: settingsOf(place), stdio: ["ignore", "ignore", "pipe"] });
  return serving(child, place.socket);
}

export interface Starting {
  readonly client?: string;
  readonly cwd?: string;
  readonly env?: Record<string, string>;
  readonly groups?: readonly number[];
}

/** A client of a user, who starts the program as clients do. */
export async function clientOf(
  who: Account,
  command: readonly string[],
  { client = "test-client", cwd = "/", env = {}, groups = [] }: Starting = {},
): Promise<Pick<Agent, "get" | "call" | "close">> {
  const transport = new StdioClientTransport({
    ...who.as([process.execPath, ...command], groups),
    cwd,
    env: { PATH: process.env["PATH"] ?? "", ...env },
    stderr: "ignore",
  });
  const mcp = new Client({ name: client, version: "1.0.0" });
  await mcp.connect(transport);
  const call: Agent["call"] = async (name, args, options) =>
    CallToolResultSchema.parse(await mcp.callTool({ name, arguments: args }, CallToolResultSchema, options));
  return {
    call,
    get: (name, { reason = "run migration 0042", ...options } = {}) =>
      call("get_secret", { vault: "dev", name, reason }, options),
    close: () => mcp.close(),
  };
}
