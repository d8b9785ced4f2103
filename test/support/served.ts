import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { dirname, join } from "node:path";
import { afterEach } from "vitest";
import { type Agent, type AgentOptions, PROGRAM, type World } from "./agent.ts";
import { type Served, serving } from "./asked.ts";
import { agentIn } from "./begin.ts";

const running: ChildProcess[] = [];

afterEach(async () => {
  const alive = running.splice(0).filter((child) => child.exitCode === null && child.signalCode === null);
  await Promise.all(alive.map((child) => (child.kill("SIGKILL"), once(child, "close"))));
});

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

/** A child that is to serve, whoever it was started as. It goes away after the test. */
export function begun(child: ChildProcess, socket: string): ReturnType<typeof serving> {
  running.push(child);
  return serving(child, socket);
}

/** A real client, through the real shim. It goes away after the test. */
export function through(socket: string, world: World, options: AgentOptions = {}): Promise<Agent> {
  return agentIn(world, { ...options, args: ["connect", socket] });
}

/** A connection in bytes, and all that came over it until it ended. */
export function raw(socket: string): { readonly socket: Socket; readonly all: Promise<string> } {
  const connection = connect(socket);
  let text = "";
  connection.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  connection.on("error", () => {});
  return { socket: connection, all: new Promise((resolve) => void connection.once("close", () => resolve(text))) };
}
