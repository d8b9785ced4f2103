// What the prototype before this program got wrong, one test for each finding, under the letter it was found as.
// "More of this in" names the tests that go through the same promise at length.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import { dirname, join } from "node:path";
import type { CallToolResult } from "@modelcontextprotocol/sdk/types.js";
import type BetterSqlite3 from "better-sqlite3";
import { parse } from "dotenv";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { type Agent, eventsOf, PROGRAM, query, statusOf, textOf, type World } from "./support/agent.ts";
import { agentIn, begin, world as makeWorld } from "./support/begin.ts";
import { mountDisk } from "./support/locker.ts";
import { buildPatched } from "./support/patched.ts";
import { approve, decide, deny, readPage } from "./support/person.ts";
import { startRaw, statusOfAnswer, textOfAnswer } from "./support/raw.ts";
import { wallOf } from "./support/wall.ts";
import { send } from "./support/web.ts";

const VALUE = "postgres://hunter2-4711";
const SECOND = 1_000;
const MINUTE = 60 * SECOND;

const awaited = new WeakMap<Agent, Promise<string>>();

/** The next link. A call that was served without one leaves it to whoever asks next. */
async function linkOf(agent: Agent): Promise<string> {
  const next = awaited.get(agent) ?? agent.link();
  awaited.set(agent, next);
  const link = await next;
  awaited.delete(agent);
  return link;
}

/** Asks once, and a person approves. */
async function approved(
  agent: Agent,
  name = "DATABASE_URL",
  choice?: "window" | "once",
): Promise<{ link: string; result: CallToolResult }> {
  const asked = agent.get(name);
  const link = await linkOf(agent);
  expect(await approve(link, choice)).toBe(303);
  return { link, result: await asked };
}

/** Whether the next call is served without anybody being asked; where somebody is, they deny. */
async function isOpen(agent: Agent, name = "DATABASE_URL", vault = "dev"): Promise<boolean> {
  const asked = agent.call("get_secret", { vault, name, reason: "once more" });
  const link = await Promise.race([asked.then(() => undefined), linkOf(agent)]);
  if (link === undefined) return statusOf(await asked) === "ok";
  await deny(link);
  expect(statusOf(await asked)).toBe("denied");
  return false;
}

/** Saves a value, which a person approves. */
async function save(agent: Agent, name: string, value: string, vault = "dev"): Promise<CallToolResult> {
  const asked = agent.call("set_secret", { vault, name, value, reason: "rotate it" });
  const refused = asked.then(() => undefined);
  const link = await Promise.race([linkOf(agent), refused]);
  if (link !== undefined) await approve(link, "once");
  return asked;
}

const WRITABLE = { vault: { writable: true }, config: { approval: { denyCooldownSeconds: 0 } } };
const portOf = (link: string): number => Number(new URL(link).port);

describe("time", () => {
  const QUICK = { vault: { ttl: 1 }, config: { approval: { denyCooldownSeconds: 0 } } };

  it("a: a window of a minute is closed after a minute, also across midnight UTC", async () => {
    const world = makeWorld(QUICK);
    const wall = wallOf(world);
    const midnight = Date.UTC(2026, 10, 21);
    wall.set(midnight - 30 * SECOND);
    const agent = await agentIn(world, { program: wall.program });
    await approved(agent);
    wall.set(midnight + 20 * SECOND);
    expect(await isOpen(agent)).toBe(true);
    wall.set(midnight + 31 * SECOND);
    expect(await isOpen(agent)).toBe(false);
    const ends = query(world, "SELECT until - at AS length FROM event WHERE kind = 'approved'");
    expect(Number(ends[0]?.["length"])).toBeGreaterThan(MINUTE - SECOND);
    expect(Number(ends[0]?.["length"])).toBeLessThanOrEqual(MINUTE);
  });

  it("a: a window whose end lies at the beginning of the day is closed in the morning", async () => {
    expect(await isOpenInTheMorning()).toBe(false);
  });

  it("a: would be seen open if only the clock that sleeps were asked", async () => {
    const plants = [
      { file: "src/core/clock.ts", from: "return now >= this.endsAt || mono", to: "return mono" },
      // The proof is looked at once more at each use, and by the wall clock.
      { file: "src/core/vouch.ts", from: "&& now < begun + statement.windowMs", to: "&& begun > 0" },
    ];
    const twin = await buildPatched("src/main.ts", plants);
    onTestFinished(twin.remove);
    expect(await isOpenInTheMorning(twin.file)).toBe(true);
  });

  async function isOpenInTheMorning(program?: string): Promise<boolean> {
    const world = makeWorld(QUICK);
    const wall = wallOf(world, program);
    wall.set(Date.UTC(2026, 10, 20, 23, 59, 1));
    const agent = await agentIn(world, { program: wall.program });
    await approved(agent);
    wall.set(Date.UTC(2026, 10, 21, 8, 20));
    return isOpen(agent);
  }

  it.each([
    ["back", -3 * SECOND],
    ["forward", 60 * MINUTE],
  ])("a: a wall clock that is set %s closes the window", async (_, by) => {
    const world = makeWorld(QUICK);
    const wall = wallOf(world);
    const agent = await agentIn(world, { program: wall.program });
    await approved(agent);
    expect(await isOpen(agent)).toBe(true);
    wall.set(Date.now() + by);
    expect(await isOpen(agent)).toBe(false);
  });

  it("a: a window ends by itself on the real clock, and its page says so", async () => {
    const { agent } = await begin({ vault: { ttl: 0.03 } });
    const { link } = await approved(agent);
    expect(await isOpen(agent)).toBe(true);
    await vi.waitFor(async () => expect(await readPage(link)).toContain("Window closed"), { timeout: 10_000 });
    expect(await isOpen(agent)).toBe(false);
  });

  it("a.2: a negative ttl is refused by name, with every tool saying so", async () => {
    const { agent } = await begin({ vault: { ttl: -1 } });
    const result = await agent.get("DATABASE_URL");
    expect(statusOf(result)).toBe("config_invalid");
    expect(textOf(result)).toContain("vaults.dev.ttl");
  });

  it("a.3: a window ends with the process, with the person's word, and is not there for a ttl of 0", async () => {
    const { world, agent } = await begin({ vault: { ttl: 60 } });
    await approved(agent);
    await agent.close();
    const next = await agentIn(world);
    expect(await isOpen(next)).toBe(false);
    const { link } = await approved(next, "STRIPE_KEY");
    expect(await isOpen(next, "STRIPE_KEY")).toBe(true);
    await decide(link, { verdict: "revoke" });
    expect(await isOpen(next, "STRIPE_KEY")).toBe(false);
    const file = join(world.project, "agent-vault.config.json");
    writeFileSync(file, readFileSync(file, "utf8").replace('"ttl":60', '"ttl":0'));
    const strict = await agentIn(world);
    await approved(strict);
    expect(await isOpen(strict)).toBe(false);
  });
});

describe("who may approve", () => {
  it("b.1: an agent finds no link in what it is told, none on the page without one, and cannot post without the page", async () => {
    const { agent } = await begin({ config: { approval: { waitSeconds: 1 } } });
    const pending = await agent.get("DATABASE_URL");
    const link = await linkOf(agent);
    expect(statusOf(pending)).toBe("pending");
    expect(JSON.stringify(pending)).not.toMatch(/approve\/|https?:/);
    expect(await readPage(new URL("/", link).href)).not.toContain("approve/");
    for (const path of [link, `${link}/yes`, new URL("/approve", link).href]) {
      const response = await fetch(path, {
        method: "POST",
        body: new URLSearchParams({ verdict: "approve", choice: "once" }),
      });
      expect(response.ok).toBe(false);
    }
    expect(statusOf(await agent.get("DATABASE_URL"))).toBe("pending");
  });

  it("b.2: rows put into the log or taken out of it neither grant nor revoke", async () => {
    const { world, agent } = await begin({
      vault: { ttl: 60, ttlScope: "vault" },
      config: { approval: { denyCooldownSeconds: 0 } },
    });
    await approved(agent);
    const forge = (database: BetterSqlite3.Database): void => {
      const columns = query(world, "SELECT name FROM pragma_table_info('event')").map(({ name }) => String(name));
      const row = columns.map((name) => (name === "until" ? "4102444800000" : name === "session" ? "NULL" : name));
      // As if everything had been approved, for this and every other session, until the end of the century.
      database.exec(`INSERT INTO event (${columns.filter((name) => name !== "seq").join()})
        SELECT ${row.filter((name) => name !== "seq").join()} FROM event WHERE kind IN ('approved', 'releasing')`);
    };
    tamper(world, forge);
    const other = await agentIn(world);
    expect(await isOpen(other)).toBe(false);
    tamper(world, (database) => {
      const triggers = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'").pluck().all();
      for (const name of triggers) database.exec(`DROP TRIGGER ${String(name)}`);
      database.exec("DELETE FROM event");
    });
    expect(await isOpen(agent, "STRIPE_KEY")).toBe(true);
    expect(await isOpen(await agentIn(world))).toBe(false);
  });

  it("b.2: the log lies outside the project, for its owner only", async () => {
    const { world, agent } = await begin();
    await approved(agent);
    expect(world.database.startsWith(world.project)).toBe(false);
    for (const file of [world.database, `${world.database}-wal`, `${world.database}-shm`])
      expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(dirname(world.database)).mode & 0o777).toBe(0o700);
  });

  it("c: looking decides nothing, and a form from elsewhere is refused", async () => {
    const { agent } = await begin();
    const asked = agent.get("DATABASE_URL");
    const link = await linkOf(agent);
    const path = new URL(link).pathname;
    for (const method of ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"]) await fetch(link, { method });
    await fetch(`${link}/yes`);
    const seal = /name="seal" value="([^"]+)"/.exec(await readPage(link))?.[1] ?? "";
    const body = new URLSearchParams({ seal, verdict: "approve", choice: "once" }).toString();
    const type = { "content-type": "application/x-www-form-urlencoded" };
    const origin = new URL(link).origin;
    for (const headers of [
      { origin: "http://evil.example", "sec-fetch-site": "cross-site" },
      { origin: "null", "sec-fetch-site": "same-origin" },
      { origin, "sec-fetch-site": "cross-site" },
      { origin: "http://evil.example", "sec-fetch-site": "same-origin" },
      { origin },
      { "sec-fetch-site": "same-origin" },
    ])
      expect((await send(portOf(link), { method: "POST", path, headers: { ...type, ...headers }, body })).status).toBe(
        403,
      );
    expect(await readPage(link)).toContain('value="approve"');
    await approve(link);
    expect(textOf(await asked)).toBe(VALUE);
  });

  // More of this in test/web/server.test.ts and test/web/attacks.browser.test.ts.
  it("g: another Host, as after DNS rebinding, gets nothing and decides nothing", async () => {
    const { agent } = await begin();
    void agent.get("DATABASE_URL").catch(() => {});
    const link = await linkOf(agent);
    const [port, path] = [portOf(link), new URL(link).pathname];
    for (const Host of ["evil.example", `evil.example:${port}`, "localhost", "localhost.evil.example", ""]) {
      for (const ask of [{ path: "/" }, { path }, { path, method: "POST", body: "verdict=approve" }]) {
        const reply = await send(port, { ...ask, headers: { Host } });
        expect(reply.status).toBe(421);
        expect(reply.text).not.toContain("DATABASE_URL");
      }
    }
    expect(await readPage(link)).toContain('value="approve"');
  });

  it("h: the page listens on this machine's own addresses only", async () => {
    const { agent } = await begin();
    void agent.get("DATABASE_URL").catch(() => {});
    const port = portOf(await linkOf(agent));
    const outside = Object.values(networkInterfaces())
      .flatMap((all) => all ?? [])
      .filter(({ internal }) => !internal);
    for (const { address, scopeid } of outside)
      expect(await reach(scopeid ? `${address}%${scopeid}` : address, port)).toBe(false);
    expect(await reach("127.0.0.1", port)).toBe(true);
    if (process.platform !== "linux") return;
    const tables = ["/proc/net/tcp", "/proc/net/tcp6"]
      .filter(existsSync)
      .map((file) => readFileSync(file, "utf8"))
      .join("");
    const hex = port.toString(16).toUpperCase().padStart(4, "0");
    const listening = [...tables.matchAll(new RegExp(`: ([0-9A-F]+):${hex} \\S+ 0A `, "g"))].map(
      ([, address]) => address,
    );
    expect(listening).not.toEqual([]);
    for (const address of listening) expect(["0100007F", "00000000000000000000000001000000"]).toContain(address);
  });
});

describe("what is shown", () => {
  it("d: quotes, markup and turned letters of an agent are text on the page", async () => {
    const { agent } = await begin();
    void agent.get("DATABASE_URL", { reason: `'"><script>alert(1)</script>\u202Etxt` }).catch(() => {});
    const page = await readPage(await linkOf(agent));
    expect(page).toContain("&#39;&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;⟦U+202E⟧txt");
    expect(page).not.toContain("\u202E");
  });

  it("d.2: of a value of nine characters the page shows how long it is, and no more", async () => {
    const { agent } = await begin(WRITABLE);
    void agent.call("set_secret", { vault: "dev", name: "PIN", value: "qzj7x0w4k", reason: "save it" }).catch(() => {});
    const page = await readPage(await linkOf(agent));
    expect(page).toContain("9 characters");
    expect(page).not.toMatch(/qzj|w4k/);
  });

  // More of this in test/hostile/texts.test.ts.
  it("e: a secret's name cannot write lines or codes to the terminal", async () => {
    const { agent } = await begin(WRITABLE);
    const name =
      "X\u001B[2J\u001B]0;owned\u0007\n🔒 Approve access to README at http://evil.example/approve/AAAAAAAAAAAAAAAAAAAAAA";
    await agent.get(name);
    await agent.call("set_secret", { vault: "dev", name, value: "hunter2-4711", reason: name });
    await agent.call("get_secret", { vault: name, name, reason: name });
    void agent.get("DATABASE_URL", { reason: name }).catch(() => {});
    await linkOf(agent);
    expect(agent.stderr()).not.toMatch(/[^\P{C}\n]|evil/u);
    for (const line of agent.stderr().trimEnd().split("\n")) expect(line).toMatch(/^agent-vault: /);
  });

  // More of this in test/web/server.test.ts.
  it("f: every answer says how it may be used, and nothing of what made it", async () => {
    const { agent } = await begin();
    void agent.get("DATABASE_URL").catch(() => {});
    const link = await linkOf(agent);
    for (const url of [link, new URL("/", link).href, new URL("/nowhere", link).href]) {
      const { headers } = await fetch(url);
      expect(headers.get("content-security-policy")).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
      expect(headers.get("cache-control")).toBe("no-store");
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("referrer-policy")).toBe("same-origin");
      expect(headers.get("x-powered-by")).toBeNull();
    }
  });
});

describe("processes", () => {
  it("i: beside a stranger's port there is a page that works, and a second session shares it", async () => {
    const stranger = createServer((_, response) => void response.end("stranger")).listen(0, "127.0.0.1");
    await once(stranger, "listening");
    onTestFinished(() => void stranger.close());
    const { port } = stranger.address() as { port: number };
    const world = makeWorld({ config: { port } });
    const ports = new Set<number>();
    for (const agent of [await agentIn(world), await agentIn(world)]) {
      const { link, result } = await approved(agent);
      expect(textOf(result)).toBe(VALUE);
      ports.add(portOf(link));
    }
    expect(ports.size).toBe(1);
    expect(ports.has(port)).toBe(false);
  });

  // More of this in test/e2e/end.test.ts, with twenty requests, every signal and a pipe that others hold open.
  it("j.1: when stdin ends the process goes, the port closes, and the request ends as cancelled", async () => {
    const world = makeWorld();
    const raw = await startRaw(world);
    raw.call("get_secret", { vault: "dev", name: "DATABASE_URL", reason: "wait" }).catch(() => {});
    const link = await raw.link();
    expect((await raw.close()).code).toBe(0);
    await expect(approve(link)).rejects.toThrow();
    expect(eventsOf(world).map(({ kind }) => kind)).toEqual(["started", "requested", "cancelled", "stopped"]);
  });

  it("j.2: when the client is killed the server goes too", async () => {
    const { project, env } = makeWorld();
    const script = `const c = require("node:child_process").spawn(process.execPath, [${JSON.stringify(PROGRAM)}], { stdio: ["pipe", "ignore", "ignore"] });
      process.stdout.write(c.pid + "\\n"); setInterval(() => {}, 1000);`;
    const client: ChildProcess = spawn(process.execPath, ["-e", script], {
      cwd: project,
      env,
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [line] = (await once(client.stdout ?? client, "data")) as [Buffer];
    const pid = Number(line.toString());
    expect(isAlive(pid)).toBe(true);
    client.kill("SIGKILL");
    await vi.waitFor(() => expect(isAlive(pid)).toBe(false), { timeout: 5_000 });
  });

  it("j.3: a stop from outside is no denial: the client is told, the log says what it was", async () => {
    const world = makeWorld();
    const raw = await startRaw(world);
    const asked = raw.call("get_secret", { vault: "dev", name: "DATABASE_URL", reason: "wait" });
    await raw.link();
    raw.child.kill("SIGTERM");
    expect(statusOfAnswer(await asked)).toBe("cancelled");
    await raw.exited;
    expect(query(world, "SELECT kind, detail FROM event WHERE kind IN ('denied', 'cancelled')")).toEqual([
      { kind: "cancelled", detail: "signal SIGTERM" },
    ]);
  });
});

describe("env files", () => {
  const PEM = "-----BEGIN PRIVATE KEY-----\nMHcCAQEEIBAAAA==\nPHANTOM=notakey==\n-----END PRIVATE KEY-----";

  it("k.1: names and values are those that dotenv sees; no line of a key becomes a name", async () => {
    const { world, agent } = await begin({ vault: { ttl: 5, ttlScope: "vault" } });
    const text = `\uFEFFexport EXPORTED=one # a comment\r\nQUOTED="# kept"\nLONE="\nPEM="${PEM}"\nEMPTY=\nTWICE=1\nTWICE=2\nEQ=a=b=c\n`;
    writeFileSync(world.secrets, text);
    const wanted = parse(text.replace("\uFEFF", ""));
    const listed = textOf(await agent.call("list_secrets", {}));
    expect(listed.match(/(?<= {2}- ).*/g)).toEqual(Object.keys(wanted));
    expect(listed).not.toContain("PHANTOM");
    await approved(agent, "EXPORTED");
    const names = Object.keys(wanted);
    const batch = await agent.call("get_secrets", { vault: "dev", names, reason: "all of them" });
    expect(JSON.parse(textOf(batch))).toEqual(wanted);
    expect(wanted["PEM"]).toBe(PEM);
  });

  // More of this in test/providers/env/splice.test.ts and write.test.ts.
  it("k.2, k.5: a write changes the value and leaves line ends, comments, quotes and export as they were", async () => {
    const { world, agent } = await begin(WRITABLE);
    writeFileSync(world.secrets, "# top\r\nexport E='old' # why\r\nD=1\r\nOTHER=x\r\nD=2\r\n");
    await save(agent, "E", "new-hunter2");
    await save(agent, "D", "3");
    const text = readFileSync(world.secrets, "utf8");
    expect(text).toBe("# top\r\nexport E='new-hunter2' # why\r\nD=1\r\nOTHER=x\r\nD=3\r\n");
  });

  it("k.3: 21 nasty values read back as they were saved, by a process started later, or are refused", async () => {
    const { world, agent } = await begin(WRITABLE);
    const values = [
      "plain",
      "",
      " lead",
      "trail ",
      "a=b",
      "a#b",
      "a #b",
      `"quoted"`,
      "'single'",
      "it's",
      `both " and '`,
      "back\\slash",
      "\\n",
      "$(id)",
      "${HOME} $X",
      "`id`",
      "line\nbreak",
      "crlf\r\nend",
      PEM,
      '"\nINJECTED="',
      "ünï💥\ttab",
    ];
    expect(values).toHaveLength(21);
    const secrets = values.map((value, at) => ({ name: `V_${at}`, value }));
    const kept: Record<string, string> = {};
    for (const secret of secrets) {
      const result = await save(agent, secret.name, secret.value);
      if (statusOf(result) === "ok") kept[secret.name] = secret.value;
      else expect(statusOf(result)).toBe("unrepresentable");
    }
    expect(Object.keys(kept).length).toBeGreaterThan(18);
    await agent.close();
    const later = await agentIn(world);
    const asked = later.call("get_secrets", { vault: "dev", names: Object.keys(kept), reason: "read them back" });
    await approve(await linkOf(later));
    expect(JSON.parse(textOf(await asked))).toEqual(kept);
    expect(textOf(await later.call("list_secrets", {}))).not.toMatch(/INJECTED|PHANTOM/);
  });

  it("k.4: a name that an env file cannot hold is refused, and overwrites nothing", async () => {
    const { world, agent } = await begin(WRITABLE);
    writeFileSync(world.secrets, "A=1\nADMIN=root-hunter2\n");
    for (const name of [
      "A=B",
      "#C",
      " lead",
      "N1\nADMIN",
      "N1\rADMIN",
      "a b",
      "é",
      "'q'",
      "export X",
      "1A",
      "__proto__",
    ])
      expect(statusOf(await save(agent, name, "hunter2-4711"))).toBe("invalid_name");
    for (const name of ["", "N".repeat(3_000)])
      expect(statusOf(await save(agent, name, "hunter2-4711"))).toBe("invalid_arguments");
    expect(readFileSync(world.secrets, "utf8")).toBe("A=1\nADMIN=root-hunter2\n");
  });

  it("k.6: a file keeps its mode, a new one is for its owner, and a write that failed is not read back", async () => {
    const { world, agent } = await begin(WRITABLE);
    chmodSync(world.secrets, 0o640);
    await save(agent, "ONE", "hunter2-4711");
    expect(statSync(world.secrets).mode & 0o777).toBe(0o640);
    const asked = agent.call("set_secret", { vault: "dev", name: "DATABASE_URL", value: "never-written", reason: "x" });
    const link = await linkOf(agent);
    writeFileSync(world.secrets, "DATABASE_URL=somebody-else\n");
    await approve(link, "once");
    expect(statusOf(await asked)).toBe("conflict");
    const { result } = await approved(agent);
    expect(textOf(result)).toBe("somebody-else");
    rmSync(world.secrets);
    await save(agent, "TWO", "hunter2-4712");
    expect(statSync(world.secrets).mode & 0o777).toBe(0o600);
  });

  // 60 rounds and their twins in test/providers/env/processes.test.ts, 300 in test/hard/providers/env.test.ts.
  it("k.7: two sessions that save into one file at the same instant lose nothing", async () => {
    const others = Object.fromEntries(Array.from({ length: 500 }, (_, at) => [`OTHER_${at}`, `value-${at}`]));
    const { world, agent } = await begin({ ...WRITABLE, secrets: others });
    const agents = [agent, await agentIn(world)];
    for (let round = 0; round < 8; round++) {
      const asked = agents.map((each, at) =>
        each.call("set_secret", {
          vault: "dev",
          name: `NEW_${round}_${at}`,
          value: `v-${round}-${at}`,
          reason: "race",
        }),
      );
      const links = await Promise.all(agents.map((each) => linkOf(each)));
      await Promise.all(links.map((link) => approve(link, "once")));
      for (const result of await Promise.all(asked)) expect(statusOf(result)).toBe("ok");
    }
    const kept = parse(readFileSync(world.secrets, "utf8"));
    expect(Object.keys(kept)).toHaveLength(500 + 16);
    expect(kept).toMatchObject(others);
  });

  // The same with a planted bug in test/providers/env/places.test.ts.
  it("k.8: a disk that is full leaves the file whole, and the answer says so", async ({ skip }) => {
    const disk = mountDisk("128k") ?? skip("no disk can be mounted here");
    onTestFinished(disk.remove);
    const file = join(disk.folder, "secrets.env");
    const text = Array.from({ length: 300 }, (_, at) => `KEY_${at}=${"v".repeat(200)}\n`).join("");
    writeFileSync(file, text, { mode: 0o600 });
    const { agent } = await begin({ ...WRITABLE, vault: { writable: true, file } });
    const result = await save(agent, "KEY_7", "n".repeat(60_000));
    expect(statusOf(result)).toBe("provider_unavailable");
    expect(textOf(result)).toContain("disk is full");
    expect(readFileSync(file, "utf8")).toBe(text);
  });
});

describe("configuration", () => {
  // All broken ones in test/config/broken.test.ts.
  it.each<[what: string, config: object, path: string]>([
    ["a ttl below zero", { vaults: { dev: { ttl: -5 } } }, "vaults.dev.ttl"],
    ["a ttl as text", { vaults: { dev: { ttl: "15" } } }, "vaults.dev.ttl"],
    ["a ttl in words", { vaults: { dev: { ttl: "soon" } } }, "vaults.dev.ttl"],
    ["a ttl of aeons", { vaults: { dev: { ttl: 1e15 } } }, "vaults.dev.ttl"],
    ["a scope with a typing error", { vaults: { dev: { ttlScope: "valut" } } }, "vaults.dev.ttlScope"],
    ["a key with a typing error", { vaults: { dev: { tll: 5 } } }, "vaults.dev.tll"],
    ["writable as text", { vaults: { dev: { writable: "false" } } }, "vaults.dev.writable"],
    ["a port as text", { vaults: { dev: {} }, port: "9999" }, "port"],
    ["a webhook that is no address", { vaults: { dev: {} }, webhooks: [{ url: "nowhere" }] }, "webhooks"],
    [
      "a webhook for an unknown event",
      { vaults: { dev: {} }, webhooks: [{ url: "https://a.example", events: ["approvd"] }] },
      "webhooks",
    ],
    ["no vaults", {}, "vaults"],
    ["a vault called a/b", { vaults: { "a/b": {} } }, "vaults"],
  ])("l: %s is refused by name in every tool's answer, and the server stays up", async (_, config, path) => {
    const world = makeWorld();
    writeFileSync(join(world.project, "agent-vault.config.json"), JSON.stringify(config));
    const raw = await startRaw(world);
    const answers = [
      await raw.call("list_secrets", {}),
      await raw.call("set_secret", { vault: "dev", name: "A", value: "hunter2-4711", reason: "x" }),
    ];
    for (const answer of answers) {
      expect(statusOfAnswer(answer)).toBe("config_invalid");
      expect(textOfAnswer(answer)).toContain(path);
    }
    expect((await raw.request("ping")).result).toEqual({});
    expect(raw.stderr()).not.toMatch(/ {4}at /);
  });
});

describe("requests", () => {
  it("m: for what does not exist nobody is asked, alone or in a batch, and the log has it", async () => {
    const { world, agent } = await begin();
    const dev = { vault: "dev", reason: "look" };
    expect(statusOf(await agent.get("NOPE"))).toBe("secret_not_found");
    expect(statusOf(await agent.call("get_secrets", { ...dev, names: ["DATABASE_URL", "NOPE"] }))).toBe(
      "secret_not_found",
    );
    expect(statusOf(await agent.call("get_secret", { ...dev, vault: "porduction", name: "X" }))).toBe(
      "vault_not_found",
    );
    expect(agent.stderr()).not.toContain("approve/");
    await agent.close();
    const codes = query(
      world,
      "SELECT code, sum(coalesce(count, 1)) AS n FROM event WHERE kind = 'refused' GROUP BY code ORDER BY code",
    );
    expect(codes).toEqual([
      { code: "secret_not_found", n: 2 },
      { code: "vault_not_found", n: 1 },
    ]);
  });

  // Each real client's way of giving up in test/e2e/clients.test.ts.
  it("n: an approval after the client gave up serves the next identical call once, and opens nothing else", async () => {
    const { agent } = await begin();
    const progress: unknown[] = [];
    const first = agent.get("DATABASE_URL", { timeout: 700, onprogress: (news) => progress.push(news) });
    const link = await linkOf(agent);
    await expect(first).rejects.toThrow();
    await vi.waitFor(async () => expect(await readPage(link)).toContain("Nobody is waiting just now"));
    await approve(link, "once");
    expect(progress.length).toBeGreaterThan(0);
    expect(textOf(await agent.get("DATABASE_URL"))).toBe(VALUE);
    expect(await isOpen(agent)).toBe(false);
  });

  it("o: the log tells asking, answer, delivery and failure, reads and writes, each secret, and who asked", async () => {
    const { world, agent } = await begin(
      { vault: { ttl: 60, ttlScope: "vault", writable: true } },
      { name: "test-agent" },
    );
    const no = agent.get("STRIPE_KEY");
    await deny(await linkOf(agent));
    await no;
    await agent.call("list_secrets", {});
    await approved(agent);
    const names = ["DATABASE_URL", "LATER"];
    writeFileSync(world.secrets, `${readFileSync(world.secrets, "utf8")}LATER=hunter2-later\n`);
    await agent.call("get_secrets", { vault: "dev", names, reason: "both" });
    const failing = agent.call("set_secret", { vault: "dev", name: "NEW", value: "hunter2-new", reason: "save" });
    const link = await linkOf(agent);
    writeFileSync(world.secrets, "NEW=somebody-else\nDATABASE_URL=x\n");
    await approve(link, "once");
    expect(statusOf(await failing)).toBe("conflict");
    await agent.close();
    const lines = eventsOf(world).map(({ kind, action, names: about, basis, scope }) =>
      [kind, action, about, basis, scope]
        .map((part) => (typeof part === "string" ? part : ""))
        .filter(Boolean)
        .join(" "),
    );
    expect(lines).toEqual([
      "started",
      'requested read ["STRIPE_KEY"]',
      'denied read ["STRIPE_KEY"]',
      "listed",
      'requested read ["DATABASE_URL"]',
      'approved read ["DATABASE_URL"] vault',
      'releasing read ["DATABASE_URL"] asked',
      'released read ["DATABASE_URL"] asked',
      'releasing read ["DATABASE_URL","LATER"] window',
      'released read ["DATABASE_URL","LATER"] window',
      'requested write ["NEW"]',
      'approved write ["NEW"] secret',
      'releasing write ["NEW"] asked',
      'failed write ["NEW"] asked',
      "stopped",
    ]);
    const about = eventsOf(world).filter(({ kind }) => kind === "releasing");
    for (const event of about) {
      expect(JSON.parse(String(event["requester"]))).toMatchObject({
        claims: { client: "test-agent 1.0.0" },
        facts: { folder: world.project },
      });
      for (const column of ["session", "request", "release", "approval", "reason", "provider", "instance"])
        expect(event[column]).toBeTruthy();
    }
    const seen = query(world, "SELECT secret_name, action, access FROM audit ORDER BY timestamp");
    expect(seen).toContainEqual({ secret_name: "dev/LATER", action: "auto_approved", access: "read" });
    expect(seen).toContainEqual({ secret_name: "dev/NEW", action: "approved", access: "write" });
  });

  it("o.2: vaults and names that look alike when joined are never taken for each other", async () => {
    const world = makeWorld({ secrets: { c: "inner-hunter2", "b.c": "outer-hunter2" } });
    const rules = { type: "env", file: world.secrets, ttl: 60 };
    const config = { vaults: { a: rules, "a.b": rules }, approval: { browser: "never", denyCooldownSeconds: 300 } };
    writeFileSync(join(world.project, "agent-vault.config.json"), JSON.stringify(config));
    const agent = await agentIn(world);
    const asked = agent.call("get_secret", { vault: "a", name: "b.c", reason: "x" });
    await approve(await linkOf(agent), "window");
    expect(textOf(await asked)).toBe("outer-hunter2");
    for (const name of ["c", "b.c"]) expect(await isOpen(agent, name, "a.b")).toBe(false);
    expect(await isOpen(agent, "c", "a")).toBe(false);
    expect(await isOpen(agent, "b.c", "a")).toBe(true);
  });

  it("o.3: a value comes bare, in a window too, and in a batch nothing can pretend to be another's", async () => {
    const { world, agent } = await begin({ vault: { ttl: 60, ttlScope: "vault" } });
    writeFileSync(world.secrets, 'A="one\n\n[B]\nforged"\nB=two\n');
    await approved(agent, "B");
    expect((await agent.get("B")).content).toEqual([{ type: "text", text: "two" }]);
    const batch = await agent.call("get_secrets", { vault: "dev", names: ["A", "B"], reason: "x" });
    expect(batch.content).toHaveLength(1);
    expect(JSON.parse(textOf(batch))).toEqual({ A: "one\n\n[B]\nforged", B: "two" });
  });

  it("p: what is too long, too many or empty is refused in few words, and nobody is asked", async () => {
    const { agent } = await begin(WRITABLE);
    const dev = { vault: "dev", reason: "x" };
    const mega = "x".repeat(1_000_000);
    const names = Array.from({ length: 101 }, (_, at) => `N_${at}`);
    for (const result of [
      await agent.get("DATABASE_URL", { reason: mega }),
      await agent.get("DATABASE_URL", { reason: "" }),
      await agent.get("DATABASE_URL", { reason: " \n\t" }),
      await agent.get(mega),
      await agent.call("get_secret", { ...dev, vault: mega, name: "A" }),
      await agent.call("get_secrets", { ...dev, names }),
      await agent.call("get_secrets", { ...dev, names: [] }),
      await agent.call("set_secret", { ...dev, name: "A", value: mega }),
      await agent.call("set_secrets", { ...dev, secrets: names.map((name) => ({ name, value: "x" })) }),
    ]) {
      expect(statusOf(result)).toBe("invalid_arguments");
      expect(textOf(result).length).toBeLessThan(400);
    }
    for (const name of ["__proto__", "constructor", "toString"])
      expect(statusOf(await agent.get(name))).toBe("secret_not_found");
    expect(agent.stderr()).toBe("");
  });
});

describe("tools", () => {
  // The whole list in test/golden/tools.json.
  it("r.1: they say what they do, and the server says how to use them", async () => {
    const { agent } = await begin({ vault: { writable: true } });
    expect(agent.client.getInstructions()?.length).toBeGreaterThan(500);
    const { tools } = await agent.client.listTools();
    expect(tools.map(({ name }) => name)).toEqual([
      "list_secrets",
      "get_secret",
      "get_secrets",
      "set_secret",
      "set_secrets",
    ]);
    for (const { name, annotations, title, description } of tools) {
      expect(annotations?.readOnlyHint).toBe(!name.startsWith("set_"));
      expect(annotations?.openWorldHint).toBe(false);
      expect(title && description).toBeTruthy();
    }
  });

  it("r.2: one vault that cannot be reached hides no other", async () => {
    const world = makeWorld();
    const vaults = {
      gone: { type: "env", file: "/nowhere/at/all.env" },
      unset: { type: "env", file: "env:NOT_SET_ANYWHERE" },
      dev: { type: "env", file: world.secrets },
    };
    writeFileSync(
      join(world.project, "agent-vault.config.json"),
      JSON.stringify({ vaults, approval: { browser: "never" } }),
    );
    const agent = await agentIn(world);
    const listed = await agent.call("list_secrets", {});
    expect(listed.isError).toBeUndefined();
    expect(textOf(listed)).toContain("[dev]\n  - DATABASE_URL\n  - STRIPE_KEY");
    expect(textOf(listed)).toContain("[gone] cannot be listed");
    expect(textOf(listed)).toContain("NOT_SET_ANYWHERE");
    expect(textOf((await approved(agent)).result)).toBe(VALUE);
  });

  it("r.3: every refusal is an error with a code", async () => {
    const { agent } = await begin();
    const no = agent.get("DATABASE_URL");
    await deny(await linkOf(agent));
    const results = [
      [await no, "denied"],
      [await agent.call("get_secret", { vault: "nope", name: "A", reason: "x" }), "vault_not_found"],
      [await agent.call("set_secret", { vault: "dev", name: "A", value: "v", reason: "y" }), "not_writable"],
      [await agent.get("NOPE"), "secret_not_found"],
    ] as const;
    for (const [result, code] of results) {
      expect(result.isError).toBe(true);
      expect(statusOf(result)).toBe(code);
    }
  });
});

/** What anybody with the file could do to the log. */
function tamper(world: World, how: (database: BetterSqlite3.Database) => void): void {
  const Database = createRequire(import.meta.url)("better-sqlite3") as typeof BetterSqlite3;
  const database = new Database(world.database);
  try {
    how(database);
  } finally {
    database.close();
  }
}

function reach(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 2_000 });
    const done = (reached: boolean) => () => {
      socket.destroy();
      resolve(reached);
    };
    socket.once("connect", done(true)).once("error", done(false)).once("timeout", done(false));
  });
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
