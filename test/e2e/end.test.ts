import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { constants, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, it, vi } from "vitest";
import { eventsOf, PROGRAM, type World } from "../support/agent.ts";
import { world as makeWorld } from "../support/begin.ts";
import { buildPatched } from "../support/patched.ts";

const PENDING = 20;
/** How many of them are before a person at a time. */
const CARDS = 3;
const names = Array.from({ length: PENDING }, (_, at) => `KEY_${at}`);
const secrets = Object.fromEntries(names.map((name) => [name, `canary-${name}`]));
const GONE = { timeout: 2_000, interval: 20 };

interface Running {
  readonly world: World;
  readonly child: ChildProcess;
  /** Of the server itself, which `child` may only have started. */
  readonly pid: number;
  readonly port: number;
}

/** The real program with twenty requests that wait for one, spoken to over plain pipes. */
async function withPending(start: (world: World) => Started): Promise<Running> {
  const world = makeWorld({ secrets });
  const { child, write } = start(world);
  let said = "";
  child.stderr?.on("data", (chunk: Buffer) => void (said += chunk.toString("utf8")));
  const send = (message: object): void => write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
  const lines = createInterface({ input: child.stdout ?? process.stdin });
  const clientInfo = { name: "raw", version: "1" };
  send({ id: 0, method: "initialize", params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo } });
  await once(lines, "line");
  send({ method: "notifications/initialized" });
  names.forEach((name, at) => {
    const params = { name: "get_secret", arguments: { vault: "dev", name, reason: "wait for it" } };
    send({ id: at + 1, method: "tools/call", params });
  });
  await vi.waitFor(() => expect(said.match(/approve\//g)).toHaveLength(CARDS), { timeout: 10_000 });
  // The others wait behind those; they are in the log all the same.
  const asked = (): unknown[] => eventsOf(world).filter(({ kind }) => kind === "requested");
  await vi.waitFor(() => expect(asked()).toHaveLength(PENDING), { timeout: 10_000 });
  const port = Number(/localhost:(\d+)/.exec(said)?.[1]);
  const owner = await fetch(`http://localhost:${port}/`);
  expect(owner.status).toBe(200);
  const pid = Number(/pid (\d+)/.exec(said)?.[1] ?? child.pid);
  return { world, child, pid, port };
}

interface Started {
  readonly child: ChildProcess;
  readonly write: (text: string) => void;
}

function direct(world: World): Started {
  const child = spawn(process.execPath, [PROGRAM], { cwd: world.project, env: world.env, stdio: "pipe" });
  return { child, write: (text) => void child.stdin.write(text) };
}

/** A wrapper that starts the server on a pipe which others hold open too: no end of input tells of the wrapper's death. */
function through(world: World): Started {
  const script = `const c = require("node:child_process").spawn(process.execPath, [${JSON.stringify(PROGRAM)}], { stdio: "inherit" });
    process.stderr.write("pid " + c.pid + "\\n"); setInterval(() => {}, 1000);`;
  const pipe = join(world.project, "pipe");
  execFileSync("mkfifo", [pipe]);
  const held = openSync(pipe, constants.O_RDWR);
  const child = spawn(process.execPath, ["-e", script], {
    cwd: world.project,
    env: world.env,
    stdio: [held, "pipe", "pipe"],
  });
  return { child, write: (text) => void writeSync(held, text) };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  // An orphan that has ended may wait for whoever adopted it to take note.
  return process.platform !== "linux" || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
}

async function expectOver({ world, pid, port }: Running, detail: RegExp): Promise<void> {
  await vi.waitFor(() => expect(isAlive(pid)).toBe(false), GONE);
  await expect(fetch(`http://localhost:${port}/`)).rejects.toThrow();
  const events = eventsOf(world);
  const cancelled = events.filter(({ kind }) => kind === "cancelled");
  expect(new Set(cancelled.map((event) => event["names"]))).toEqual(new Set(names.map((name) => `["${name}"]`)));
  expect(cancelled).toHaveLength(PENDING);
  for (const event of cancelled) expect(event["detail"]).toMatch(detail);
  expect(events.at(-1)).toMatchObject({ kind: "stopped" });
  expect(events.some(({ kind }) => kind === "denied" || kind === "approved")).toBe(false);
}

describe("with 20 requests that wait for a person, the server is gone within 2 s, each request ended as cancelled", () => {
  it("when the client closes its end", async () => {
    const running = await withPending(direct);
    running.child.stdin?.end();
    await expectOver(running, /client closed the connection/);
  });

  it.each(["SIGTERM", "SIGINT", "SIGHUP"] as const)("on %s", async (signal) => {
    const running = await withPending(direct);
    running.child.kill(signal);
    await expectOver(running, new RegExp(signal));
  });

  it.skipIf(process.platform === "win32")("when whoever started it is killed while the pipe stays open", async () => {
    const running = await withPending(through);
    running.child.kill("SIGKILL");
    await expectOver(running, /the client is gone/);
  });

  it("when nobody reads its answers any more", async () => {
    const running = await withPending(direct);
    running.child.stdout?.destroy();
    running.child.stdin?.write(`${JSON.stringify({ jsonrpc: "2.0", id: 99, method: "ping" })}\n`);
    await expectOver(running, /stopped reading/);
  });
});

describe("what a client does to our streams", () => {
  it("closing stderr, which many hide, stops nothing and loses no line", async () => {
    const running = await withPending(direct);
    running.child.stderr?.destroy();
    const lines = createInterface({ input: running.child.stdout ?? process.stdin });
    running.child.stdin?.write(
      `${JSON.stringify({ jsonrpc: "2.0", id: 77, method: "tools/call", params: { name: "get_secret", arguments: { vault: "nowhere", name: "x", reason: "y" } } })}\n`,
    );
    const [answer] = (await once(lines, "line")) as [string];
    expect(JSON.parse(answer)).toMatchObject({ id: 77, result: { isError: true } });
    running.child.stdin?.end();
    await expectOver(running, /client closed the connection/);
  });

  it("a second signal in the same moment does not cut the log short", async () => {
    const running = await withPending(direct);
    running.child.kill("SIGINT");
    running.child.kill("SIGINT");
    await expectOver(running, /SIGINT/);
  });
});

describe("a fault of our own", () => {
  it("is reported by its place alone, even when the message has lines that look like places", async () => {
    const twin = await buildPatched("src/main.ts", [
      {
        file: "src/app.ts",
        from: "const { loadConfig } = await import(",
        to: 'setImmediate(() => { throw new Error("no\\n    at hunter2-4711 (and so on)"); });\n  const { loadConfig } = await import(',
      },
    ]);
    try {
      const world = makeWorld();
      const child = spawn(process.execPath, [twin.file], { cwd: world.project, env: world.env, stdio: "pipe" });
      let said = "";
      child.stderr.on("data", (chunk: Buffer) => void (said += chunk.toString("utf8")));
      const send = (message: object): void =>
        void child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
      child.stdin.on("error", () => {});
      const clientInfo = { name: "raw", version: "1" };
      send({ id: 0, method: "initialize", params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo } });
      send({ id: 1, method: "tools/call", params: { name: "list_secrets", arguments: {} } });
      const [status] = (await once(child, "exit")) as [number];
      expect(status).toBe(1);
      expect(said).toContain("please report this");
      expect(said).toMatch(/^\s+at /m);
      expect(said).not.toContain("hunter2");
    } finally {
      twin.remove();
    }
  });
});
