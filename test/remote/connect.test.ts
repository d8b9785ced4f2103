import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync } from "node:fs";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";
import { PROGRAM, statusOf, textOf } from "../support/agent.ts";
import { ask } from "../support/asked.ts";
import { world as makeWorld } from "../support/begin.ts";
import { approve } from "../support/person.ts";
import { serve, socketOf, through } from "../support/served.ts";

describe("agent-vault connect, with no broker there", () => {
  it("starts all the same, and tells the agent and the person what is wrong", async () => {
    const world = makeWorld();
    const agent = await through(socketOf(world), world);
    expect(agent.stderr()).toMatch(/there is no broker at .*mcp\.sock; start it as its own user/);
    expect(agent.client.getInstructions()).toContain("there is no broker at");
    expect((await agent.client.listTools()).tools.map(({ name }) => name)).toEqual(["list_secrets"]);
    const result = await agent.call("list_secrets", {});
    expect(result.isError).toBe(true);
    expect(statusOf(result)).toBe("broker_unavailable");
    expect(textOf(result)).toContain("systemctl start agent-vault");
    await expect(agent.client.ping()).resolves.toEqual({});
  });

  it("goes on with the broker as soon as there is one, and says that the tools are others", async () => {
    const world = makeWorld();
    const agent = await through(socketOf(world), world);
    expect(statusOf(await agent.call("list_secrets", {}))).toBe("broker_unavailable");
    await serve(world);
    const result = await agent.call("list_secrets", {});
    expect(statusOf(result)).toBe("ok");
    expect(textOf(result)).toContain("DATABASE_URL");
    expect((await agent.client.listTools()).tools.map(({ name }) => name)).toContain("get_secret");
    const { link, result: secret } = await ask(agent, "DATABASE_URL");
    await approve(link, "once");
    expect(textOf(await secret)).toBe("postgres://hunter2-4711");
  });

  it("finds it without being asked", async () => {
    const world = makeWorld();
    const agent = await through(socketOf(world), world);
    const seen = new Promise<void>((resolve) => {
      agent.client.fallbackNotificationHandler = ({ method }) => {
        if (method === "notifications/tools/list_changed") resolve();
        return Promise.resolve();
      };
    });
    await serve(world);
    await seen;
    expect((await agent.client.listTools()).tools.map(({ name }) => name)).toContain("get_secret");
  });

  it("says who may not use it", async () => {
    const world = makeWorld();
    const served = await serve(world);
    chmodSync(served.socket, 0o600);
    const { stderr } = await asNobody(["connect", served.socket], world.project);
    expect(stderr).toMatch(/you may not use the broker at .*; be in the group of the socket/);
  });

  it("takes no other program for one", async () => {
    const world = makeWorld();
    const path = join(world.project, "other.sock");
    const other = createServer((socket) => void socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")).listen(path);
    const agent = await through(path, world);
    expect(agent.stderr()).toContain("does not answer as a broker");
    other.close();
  });
});

describe("agent-vault connect", () => {
  it("ends with status 0 when its client does, and 1 when the broker does", async () => {
    const world = makeWorld();
    const served = await serve(world);
    const shim = (): { child: ReturnType<typeof spawn>; over: Promise<unknown> } => {
      const child = spawn(process.execPath, [PROGRAM, "connect", served.socket], { env: world.env, stdio: "pipe" });
      return { child, over: once(child, "close").then(([code]) => code as unknown) };
    };
    const [one, two] = [shim(), shim()];
    const initialize = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "raw", version: "1" } };
    for (const { child } of [one, two]) {
      child.stdin?.write(`${JSON.stringify({ jsonrpc: "2.0", id: 1, method: "initialize", params: initialize })}\n`);
      if (child.stdout) await once(child.stdout, "data");
    }
    one.child.stdin?.end();
    expect(await one.over).toBe(0);
    await served.stop();
    expect(await two.over).toBe(1);
  });

  it("carries large values both ways whole", async () => {
    const value = "hunter2-4711-".repeat(10_000);
    const world = makeWorld({ vault: { writable: true } });
    const served = await serve(world);
    const agent = await through(served.socket, world);
    const saving = agent.call(
      "set_secret",
      { vault: "dev", name: "LARGE", value, reason: "keep the bundle" },
      { timeout: 600_000, onprogress: ({ message = "" }) => void approveAt(message) },
    );
    expect(statusOf(await saving)).toBe("ok");
    const { link, result } = await ask(agent, "LARGE");
    await approve(link, "once");
    expect(textOf(await result)).toBe(value);
  });

  it("is made of nothing that reads a configuration or a secret", async () => {
    const { metafile } = await build({
      entryPoints: ["src/connect.ts"],
      absWorkingDir: resolve(import.meta.dirname, "../.."),
      bundle: true,
      metafile: true,
      write: false,
      platform: "node",
      format: "esm",
      packages: "external",
    });
    const parts = Object.keys(metafile.inputs);
    expect(parts).toContain("src/remote/shim.ts");
    const own =
      /^src\/(?:connect|wall-clock|remote\/[\w-]+|core\/(?:errors|text|clock|request)|mcp\/(?:facts|instructions))\.ts$/;
    expect(parts.filter((part) => !own.test(part))).toEqual([]);
    const packages = Object.values(metafile.inputs).flatMap(({ imports }) =>
      imports.filter(({ external }) => external),
    );
    expect(packages.map(({ path }) => path).filter((path) => !path.startsWith("node:"))).toEqual([]);
  });
});

async function approveAt(message: string): Promise<void> {
  const link = /https?:\/\/\S+\/approve\/[\w-]+/.exec(message)?.[0];
  if (link !== undefined) await approve(link);
}

/** Runs the program as a user who owns nothing here; the client behind it says nothing. */
async function asNobody(args: readonly string[], cwd: string): Promise<{ stderr: string }> {
  const child = promisify(execFile)(process.execPath, [PROGRAM, ...args], { cwd, uid: 65_534, gid: 65_534, env: {} });
  child.child.stdin?.end();
  const { stderr } = await child;
  return { stderr };
}
