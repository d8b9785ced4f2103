import { chmodSync, existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { eventsOf, statusOf, textOf, type World } from "../support/agent.ts";
import { ask, type Served } from "../support/asked.ts";
import { world as makeWorld } from "../support/begin.ts";
import { buildPatched } from "../support/patched.ts";
import { approve, readPage } from "../support/person.ts";
import { raw, serve, socketOf, through } from "../support/served.ts";

const SOON = { timeout: 5_000, interval: 10 };
const HELLO = `${JSON.stringify({ agentVault: 1, version: "0" })}\n`;

async function begin(options: Parameters<typeof makeWorld>[0] = {}): Promise<{ world: World; served: Served }> {
  const world = makeWorld({ vault: { ttl: 5 }, ...options });
  return { world, served: await serve(world) };
}

describe("agent-vault serve", () => {
  it("hands out what a person approves, to each session what was approved for it", async () => {
    const { world, served } = await begin();
    const [one, two] = await Promise.all([through(served.socket, world), through(served.socket, world)]);
    const first = await ask(one, "DATABASE_URL");
    expect(await approve(first.link, "window")).toBe(303);
    expect(textOf(await first.result)).toBe("postgres://hunter2-4711");
    expect(textOf(await one.get("DATABASE_URL"))).toBe("postgres://hunter2-4711");
    const second = await ask(two, "DATABASE_URL");
    expect(second.link).not.toBe(first.link);
    const sessions = eventsOf(world).flatMap(({ kind, session }) => (kind === "requested" ? [session] : []));
    expect(new Set(sessions).size).toBe(2);
  });

  it("says on the page what the shim says as what it says, and saw nothing of it but who may connect", async () => {
    await expect(claimsAndFacts(undefined)).resolves.toBeUndefined();
  });

  it("would be seen to take the shim's word for what it saw", async () => {
    const from = "afar?.facts ?? observe(folder)";
    const to = "afar ? { ...afar.facts, ...afar.claims } : observe(folder)";
    const twin = await buildPatched("src/main.ts", [{ file: "src/mcp/server.ts", from, to }]);
    try {
      await expect(claimsAndFacts(twin.file)).rejects.toThrow("not to contain");
    } finally {
      twin.remove();
    }
  });

  async function claimsAndFacts(program: string | undefined): Promise<void> {
    const world = makeWorld();
    const served = await serve(world, program === undefined ? {} : { program });
    const agent = await through(served.socket, world);
    const { link } = await ask(agent, "DATABASE_URL");
    const page = await readPage(link);
    const [said = "", seen = ""] = page.split("<h2>We saw</h2>");
    expect(said).toContain(world.project);
    expect(seen).not.toContain(world.project);
    expect(seen).toMatch(/anybody in the group/);
    const [requested] = eventsOf(world).filter(({ kind }) => kind === "requested");
    const { claims, facts } = JSON.parse(String(requested?.["requester"])) as { claims: object; facts: object };
    expect(claims).toMatchObject({ folder: world.project });
    expect(Object.keys(facts)).toEqual(["user", "host"]);
  }

  it("writes no link where a log might keep it", async () => {
    const { world, served } = await begin();
    const agent = await through(served.socket, world);
    await ask(agent, "DATABASE_URL");
    await vi.waitFor(() => expect(served.stderr()).toContain("waits for approval: read 1 secret of dev"), SOON);
    expect(served.stderr()).not.toMatch(/approve\/|https?:/);
  });

  it("ends what a session waits for and what it was permitted when its client goes, and nothing of another", async () => {
    await expectSessionsToEnd(undefined);
  });

  it("would be seen to leave it all standing if it forgot to", async () => {
    const twin = await buildPatched("src/main.ts", [
      { file: "src/serve.ts", from: "broker.endSession(session, await closed)", to: "(await closed).length * 0" },
    ]);
    try {
      await expect(expectSessionsToEnd(twin.file)).rejects.toThrow("ArrayContaining");
    } finally {
      twin.remove();
    }
  });

  async function expectSessionsToEnd(program: string | undefined): Promise<void> {
    const world = makeWorld({ vault: { ttl: 5 } });
    const served = await serve(world, program === undefined ? {} : { program });
    const [going, staying] = await Promise.all([through(served.socket, world), through(served.socket, world)]);
    const opened = await ask(going, "STRIPE_KEY");
    await approve(opened.link, "window");
    await opened.result;
    const [left, kept] = [await ask(going, "DATABASE_URL"), await ask(staying, "DATABASE_URL")];
    await going.close();
    await vi.waitFor(
      () =>
        expect(eventsOf(world).map(({ kind }) => kind)).toEqual(expect.arrayContaining(["cancelled", "window_ended"])),
      { timeout: program === undefined ? 5_000 : 500, interval: 10 },
    );
    expect(await readPage(left.link)).not.toContain("Approve");
    expect(await approve(kept.link, "once")).toBe(303);
    expect(textOf(await kept.result)).toBe("postgres://hunter2-4711");
  }

  it("is gone within two seconds when asked to end, with every request ended as cancelled and no socket left", async () => {
    const { world, served } = await begin();
    const agents = await Promise.all([1, 2, 3].map(() => through(served.socket, world)));
    await Promise.all(agents.map((agent) => ask(agent, "DATABASE_URL")));
    const { code, ms } = await served.stop();
    expect(code).toBe(0);
    expect(ms).toBeLessThan(2_000);
    expect(existsSync(served.socket)).toBe(false);
    const events = eventsOf(world);
    expect(events.filter(({ kind }) => kind === "cancelled")).toHaveLength(3);
    expect(events.at(-1)).toMatchObject({ kind: "stopped", detail: "signal SIGTERM" });
    await vi.waitFor(() => expect(agents[0]?.stderr()).toContain("ended the session"), SOON);
  });
});

describe("whoever speaks something else over the socket", () => {
  it.each([
    ["another protocol", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"],
    ["MCP without a word about itself", `${JSON.stringify({ jsonrpc: "2.0", id: 1, method: "initialize" })}\n`],
    ["another version of ours", `${JSON.stringify({ agentVault: 2, version: "0" })}\n`],
    ["claims that are no text", `${JSON.stringify({ agentVault: 1, version: "0", folder: { toString: 1 } })}\n`],
  ])("is told that it is refused: %s", async (_, text) => {
    const { served } = await begin();
    const { socket, all } = raw(served.socket);
    socket.write(text);
    expect(await all).toContain('"refused":"what came over the socket is not agent-vault connect"');
  });

  it("ends only its own session with a message that is too long, or none at all", async () => {
    const { world, served } = await begin();
    const agent = await through(served.socket, world);
    const { link, result } = await ask(agent, "DATABASE_URL");
    const [endless, long, mixed] = [raw(served.socket), raw(served.socket), raw(served.socket)];
    endless.socket.write("x".repeat(100_000));
    expect(await endless.all).toBe("");
    long.socket.write(HELLO);
    const block = Buffer.alloc(1024 * 1024, "x");
    for (let i = 0; i < 11; i++) long.socket.write(block);
    await long.all;
    mixed.socket.end(`${HELLO}not JSON\n[]\n{"jsonrpc":"2.0"}\n\u0000\n`);
    await mixed.all;
    await approve(link, "once");
    expect(textOf(await result)).toBe("postgres://hunter2-4711");
  });
});

describe("how many there may be", () => {
  it("lets in 32 sessions, and refuses the next one with the reason", async () => {
    const { world, served } = await begin();
    const crowd = Array.from({ length: 31 }, () => raw(served.socket));
    for (const { socket } of crowd) socket.write(HELLO);
    await Promise.all(crowd.map(({ socket }) => vi.waitFor(() => expect(socket.bytesRead).toBeGreaterThan(0), SOON)));
    const agent = await through(served.socket, world);
    expect(statusOf(await agent.call("list_secrets", {}))).toBe("ok");
    const next = raw(served.socket);
    next.socket.write(HELLO);
    expect(await next.all).toContain("as many sessions as it takes");
    for (const { socket } of crowd) socket.destroy();
  });
});

describe("a client that asks, goes and comes back", () => {
  it("finds no seat before its requests would have been over, however often it comes", async () => {
    const { world, served } = await begin();
    const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "raw", version: "1" } };
    const call = { name: "get_secret", arguments: { vault: "dev", name: "DATABASE_URL", reason: "ring" } };
    const messages = [
      { id: 1, method: "initialize", params },
      { method: "notifications/initialized" },
      { id: 2, method: "tools/call", params: call },
    ];
    const text = HELLO + messages.map((message) => `${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`).join("");
    const asked = (): number => eventsOf(world).filter(({ kind }) => kind === "requested").length;
    for (let times = 1; times <= 32; times++) {
      const { socket, all } = raw(served.socket);
      socket.write(text);
      await vi.waitFor(() => expect(asked()).toBe(times), SOON);
      socket.end();
      await all;
    }
    const late = raw(served.socket);
    late.socket.write(text);
    expect(await late.all).toContain("as many sessions as it takes");
    expect(asked()).toBe(32);
  });
});

describe("where the socket may lie", () => {
  it("is open to its owner and one group, and to nobody else", async () => {
    const { served } = await begin();
    expect((statSync(served.socket).mode & 0o7777).toString(8)).toBe("660");
  });

  it.each([
    [
      "a folder that others can write to",
      (folder: string) => chmodSync(folder, 0o777),
      /written to by others\n.*chmod/,
    ],
    [
      "a folder that is everybody's",
      (folder: string) => chmodSync(folder, 0o1777),
      /written to by others\nhint: choose a folder of its own/,
    ],
    [
      "a folder in one that others can write to",
      (folder: string) => chmodSync(dirname(folder), 0o777),
      "written to by others",
    ],
    [
      "a file that is no socket",
      (folder: string) => writeFileSync(`${folder}/mcp.sock`, ""),
      "is there and no socket of ours",
    ],
  ])("is refused: %s", async (_, spoil, words) => {
    const world = makeWorld();
    const folder = dirname(socketOf(world));
    mkdirSync(folder);
    spoil(folder);
    await expect(serve(world)).rejects.toThrow(words);
  });

  it("is not opened by putting somebody into a group that can do more", async () => {
    const world = makeWorld();
    const refused = serve(world, { args: ["--for", "nobody"] });
    await expect(refused).rejects.toThrow("serve with --group agent-vault-clients");
    await expect(serve(world, { args: ["--for", "nosuch"] })).rejects.toThrow("hint: name the user");
  });

  it("says what an approval is worth where it serves", async () => {
    const { served } = await begin();
    await vi.waitFor(() => expect(served.stderr()).toContain("nobody is enrolled, so whoever has the link"), SOON);
    expect(served.stderr()).toContain("level here: link/same-user (agent-vault doctor --for USER says why)");
  });

  it("is refused while another broker listens there, and taken over from one that was killed", async () => {
    const { world, served } = await begin();
    await expect(serve(world)).rejects.toThrow("is the socket of a broker that runs");
    served.child.kill("SIGKILL");
    await served.exited;
    expect(existsSync(served.socket)).toBe(true);
    const next = await serve(world);
    const agent = await through(next.socket, world);
    expect(statusOf(await agent.call("list_secrets", {}))).toBe("ok");
  });
});
