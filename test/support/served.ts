import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { dirname, join } from "node:path";
import type { CallToolResult } from "@modelcontextprotocol/sdk/types.js";
import { afterEach } from "vitest";
import { type Agent, type AgentOptions, PROGRAM, type World } from "./agent.ts";
import { agentIn } from "./begin.ts";

const running: ChildProcess[] = [];

afterEach(async () => {
  const alive = running.splice(0).filter((child) => child.exitCode === null && child.signalCode === null);
  await Promise.all(alive.map((child) => (child.kill("SIGKILL"), once(child, "close"))));
});

export interface Served {
  readonly child: ChildProcess;
  readonly socket: string;
  readonly stderr: () => string;
  readonly exited: Promise<{ readonly code: number | null; readonly ms: number }>;
  /** Asks it to end. */
  readonly stop: () => Promise<{ readonly code: number | null; readonly ms: number }>;
}

/** The socket that the broker of a world listens at. */
export function socketOf(world: World): string {
  return join(world.project, "run", "mcp.sock");
}

/** The real program, serving over a socket in the world's project. It goes away after the test. */
export async function serve(
  world: World,
  { program = PROGRAM, args = [] }: { program?: string; args?: readonly string[] } = {},
): Promise<Served> {
  const socket = socketOf(world);
  mkdirSync(dirname(socket), { recursive: true });
  const started = begun(
    spawn(process.execPath, [program, "serve", "--socket", socket, ...args], {
      cwd: world.project,
      env: world.env,
      stdio: ["ignore", "ignore", "pipe"],
    }),
    socket,
  );
  await started.ready;
  return started;
}

/** A child that is to serve, whoever it was started as. `ready` rejects with what it said when it does not. */
export function begun(child: ChildProcess, socket: string): Served & { readonly ready: Promise<void> } {
  running.push(child);
  let said = "";
  let asked = performance.now();
  const exited = once(child, "close").then(([code]) => ({
    code: code as number | null,
    ms: performance.now() - asked,
  }));
  const ready = new Promise<void>((resolve, reject) => {
    child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
      said += chunk;
      if (said.includes("serving at ")) resolve();
    });
    void exited.then(() => reject(new Error(said)));
  });
  const stop: Served["stop"] = () => {
    asked = performance.now();
    child.kill("SIGTERM");
    return exited;
  };
  return { child, socket, stderr: () => said, exited, stop, ready };
}

/** A real client, through the real shim. It goes away after the test. */
export function through(socket: string, world: World, options: AgentOptions = {}): Promise<Agent> {
  return agentIn(world, { ...options, args: ["connect", socket] });
}

/** A request before a person: where they can answer it, and what comes of it. */
export interface Asked {
  readonly link: string;
  readonly result: Promise<CallToolResult>;
}

/** Asks for a secret and waits for the link, which the client shows its person. */
export async function ask(agent: Pick<Agent, "get">, name: string): Promise<Asked> {
  let result!: Promise<CallToolResult>;
  const link = await new Promise<string>((resolve, reject) => {
    result = agent.get(name, {
      timeout: 600_000,
      onprogress: ({ message = "" }) => {
        const found = /https?:\/\/\S+\/approve\/[\w-]+/.exec(message)?.[0];
        if (found !== undefined) resolve(found);
      },
    });
    result.then((early) => reject(new Error(JSON.stringify(early))), reject);
  });
  result.catch(() => {}); // Who does not wait for it does not want to hear of it.
  return { link, result };
}

/** A connection in bytes, and all that came over it until it ended. */
export function raw(socket: string): { readonly socket: Socket; readonly all: Promise<string> } {
  const connection = connect(socket);
  let text = "";
  connection.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  connection.on("error", () => {});
  return { socket: connection, all: new Promise((resolve) => void connection.once("close", () => resolve(text))) };
}
