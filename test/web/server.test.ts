import { createServer, type Server } from "node:http";
import { connect } from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import { HEADERS } from "../../src/web/guard.ts";
import { listen } from "../../src/web/listen.ts";
import { createWeb } from "../../src/web/server.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { FakeFront } from "../support/fake-front.ts";
import { NOBODY } from "../support/house.ts";
import { browserHeaders, send, startWeb, type Reply } from "../support/web.ts";

const open: { close: () => unknown }[] = [];
afterEach(async () => {
  for (const thing of open.splice(0)) await thing.close();
});

async function start() {
  const started = await startWeb();
  open.push(started.web);
  return started;
}

/** Bytes as they are, and everything that comes back until the other side hangs up. */
function rawBytes(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(bytes));
    let back = "";
    socket.setEncoding("utf8");
    socket.on("data", (chunk) => (back += String(chunk)));
    socket.on("end", () => socket.end());
    socket.on("close", () => resolve(back));
    socket.on("error", reject);
  });
}

function hold(port: number, host: string): Promise<Server> {
  return new Promise((resolve) => {
    const server = createServer((_request, response) => response.end("somebody else"));
    server.listen({ port, host }, () => resolve(server));
    open.push(server);
  });
}

function isGuarded({ headers }: Reply): void {
  for (const [name, value] of Object.entries(HEADERS)) expect(headers).toHaveProperty(name.toLowerCase(), value);
  expect(headers["x-powered-by"]).toBeUndefined();
  expect(headers["etag"]).toBeUndefined();
}

describe("every answer", () => {
  it("carries the protecting headers, whatever its status", async () => {
    const { web, front, post, tap } = await start();
    const [token, decided] = [front.add(), front.add({ standing: { is: "denied", at: 1 } })];
    const form = browserHeaders(web.port);
    const page = `/approve/${token}`;
    const asks = [
      [200, { path: page }],
      [200, { path: `/approve/${decided}` }],
      [200, { path: page, method: "HEAD" }],
      [200, { path: "/" }],
      [200, { path: "/style.css" }],
      [200, { path: "/live.js" }],
      [200, { path: "/icon.svg" }],
      [200, { path: `${page}/live?version=0` }],
      [400, { path: `${page}/live?version=x` }],
      [400, { path: "/approve/%E0%A4%A" }],
      [404, { path: "/approve/nobody-knows-this-one-0" }],
      [404, { path: "/wp-login.php" }],
      [404, { path: `${page}/` }],
      [403, { path: page, method: "POST", headers: form, body: "verdict=approve" }],
      [403, { path: page, method: "POST", body: "verdict=approve" }],
      [405, { path: page, method: "DELETE" }],
      [405, { path: page, method: "OPTIONS" }],
      [405, { path: `${page}/live`, method: "POST" }],
      [405, { path: "/", method: "POST" }],
      [413, { path: page, method: "POST", headers: form, body: `note=${"x".repeat(20_000)}` }],
      [413, { path: page, method: "POST", headers: form, body: "a=1&".repeat(200) }],
      [421, { path: page, headers: { Host: "evil.test" } }],
      [421, { path: "http://evil.test/", headers: {} }],
    ] as const;
    for (const [status, ask] of asks) {
      const reply = await send(web.port, ask);
      expect({ ask, status: reply.status }).toEqual({ ask, status });
      isGuarded(reply);
    }
    isGuarded(await post(token, {}));
    const settled = await tap(token, { verdict: "deny" });
    expect(settled.status).toBe(303);
    isGuarded(settled);
  });

  it("carries them when the page itself fails, and tells nothing of the failure", async () => {
    const { front, faults, show } = await start();
    const token = front.add();
    front.broken = true;
    const reply = await show(token);
    expect(reply.status).toBe(500);
    isGuarded(reply);
    expect(reply.text).not.toContain("hunter2-4711");
    expect(faults).toHaveLength(1);
  });

  it.each([
    ["what is not HTTP", "hello\r\n\r\n", "400"],
    ["headers without end", `GET / HTTP/1.1\r\nX: ${"a".repeat(40_000)}\r\n\r\n`, "431"],
    ["no host at all", "GET / HTTP/1.1\r\nConnection: close\r\n\r\n", "421"],
    ["two hosts", "GET / HTTP/1.1\r\nHost: localhost:1\r\nHost: localhost:2\r\nConnection: close\r\n\r\n", "421"],
  ])("carries them for %s", async (_what, bytes, status) => {
    const { web } = await start();
    const back = await rawBytes(web.port, bytes);
    expect(back).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    for (const [name, value] of Object.entries(HEADERS))
      expect(back.toLowerCase()).toContain(`${name}: ${value}`.toLowerCase());
  });
});

describe("looking", () => {
  it("changes nothing, however often a preview bot calls", async () => {
    const { web, front, show, tap } = await start();
    const token = front.add();
    const before = (await show(token)).text;
    const bots = ["Slackbot-LinkExpanding 1.0", "WhatsApp/2.23", "facebookexternalhit/1.1", "TelegramBot", "SafeLinks"];
    for (let at = 0; at < 100; at += 1) {
      const headers = { "User-Agent": bots[at % bots.length] ?? "", Purpose: "prefetch" };
      const { status } = await send(web.port, { method: at % 2 ? "HEAD" : "GET", path: `/approve/${token}`, headers });
      expect(status).toBe(200);
    }
    expect((await show(token)).text).toBe(before);
    expect(front.decided).toEqual([]);
    expect((await tap(token, { verdict: "approve", choice: "window" })).status).toBe(303);
    expect(front.decided).toHaveLength(1);
  });

  it("lists nothing at the front door", async () => {
    const { front, get } = await start();
    const token = front.add();
    const { text } = await get("/");
    expect(text).not.toContain(token);
    expect(text).not.toContain("/approve/");
    expect(text).not.toContain("DATABASE_URL");
  });

  it("says the same of every unknown link", async () => {
    const { get } = await start();
    const pages = await Promise.all(
      ["A".repeat(22), "b-_".repeat(8), "short", "..%2f..%2fetc"].map((t) => get(`/approve/${t}`)),
    );
    expect(pages.map(({ status }) => status)).toEqual([404, 404, 404, 404]);
    expect(new Set(pages.map(({ text }) => text)).size).toBe(1);
  });
});

describe("the long poll", () => {
  it("answers at once when the page is behind, and as soon as something changes when it is not", async () => {
    const { front, get } = await start();
    const token = front.add();
    expect(JSON.parse((await get(`/approve/${token}/live?version=0`)).text)).toEqual({ version: 1 });
    const waiting = get(`/approve/${token}/live?version=1`);
    await vi.waitUntil(() => front.waiting === 1);
    front.change(token, { attached: 0 });
    expect(JSON.parse((await waiting).text)).toEqual({ version: 2 });
  });

  it("lets go after 25 quiet seconds", async () => {
    const { front, clock, get } = await start();
    const waiting = get(`/approve/${front.add()}/live?version=1`);
    await vi.waitUntil(() => front.waiting === 1);
    clock.advance(24_999);
    expect(front.waiting).toBe(1);
    clock.advance(1);
    expect((await waiting).status).toBe(204);
  });

  it("lets go within a second of an approval being used up, which is no new version of its card", async () => {
    const { front, clock, get } = await start();
    const at = clock.now();
    const token = front.add({ attached: 0, standing: { is: "approved", at } });
    const waiting = get(`/approve/${token}/live?version=1`);
    await vi.waitUntil(() => front.waiting === 1);
    clock.advance(1_000);
    await vi.waitUntil(() => front.waiting === 1);
    front.change(token, { standing: { is: "approved", at, ended: "over" }, quietly: true });
    clock.advance(1_000);
    expect((await waiting).status).toBe(204);
    expect((await get(`/approve/${token}/live?version=1`)).status).toBe(204);
  });

  it("goes on while the vault's own people are waited for, though the window is over", async () => {
    const { front, clock, get } = await start();
    const standing = { is: "approved", at: clock.now(), ended: "over" } as const;
    const token = front.add({ standing, upstream: { text: "waiting for the approvers", since: clock.now() } });
    const waiting = get(`/approve/${token}/live?version=1`);
    await vi.waitUntil(() => front.waiting === 1);
    front.waitsFor(token, undefined);
    expect(JSON.parse((await waiting).text)).toEqual({ version: 2 });
  });

  it("stops waiting when the page goes away", async () => {
    const { web, front } = await start();
    const gone = new AbortController();
    const path = `/approve/${front.add()}/live?version=1`;
    const waiting = send(web.port, { path, signal: gone.signal }).catch(() => "gone");
    await vi.waitUntil(() => front.waiting === 1);
    gone.abort();
    expect(await waiting).toBe("gone");
    await vi.waitUntil(() => front.waiting === 0);
  });

  it("holds only so many at a time and frees their places again", async () => {
    const { front, clock, get } = await start();
    const path = `/approve/${front.add()}/live?version=1`;
    let answered = 0;
    const waiting = Array.from({ length: 40 }, () => get(path).finally(() => (answered += 1)));
    await vi.waitUntil(() => front.waiting === 16 && answered === 24);
    clock.advance(25_000);
    const statuses = (await Promise.all(waiting)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 204)).toHaveLength(16);
    expect(statuses.filter((status) => status === 429)).toHaveLength(24);
    const next = get(path);
    await vi.waitUntil(() => front.waiting === 1);
    clock.advance(25_000);
    expect((await next).status).toBe(204);
  });
});

describe("the port", () => {
  it("is the next free one when the wanted one is taken, on either loopback address", async () => {
    const first = await start();
    const options = { front: new FakeFront(), approvers: NOBODY, clock: new FakeClock() };
    const second = await createWeb({ ...options, port: first.web.port });
    open.push(second);
    expect(second.port).toBeGreaterThan(first.web.port);
    const six = await hold(0, "::1");
    const address = six.address();
    const taken = typeof address === "object" && address !== null ? address.port : 0;
    const third = await createWeb({ ...options, port: taken });
    open.push(third);
    expect(third.port).not.toBe(taken);
  });

  it("never serves the links of the session beside it", async () => {
    const [one, two] = [await start(), await start()];
    const [mine, theirs] = [one.front.add(), two.front.add()];
    expect((await one.show(mine)).status).toBe(200);
    expect((await one.show(theirs)).status).toBe(404);
    expect((await two.show(mine)).status).toBe(404);
    expect((await two.show(theirs)).status).toBe(200);
    expect(new URL(one.web.link(mine)).port).toBe(String(one.web.port));
    expect((await fetch(one.web.link(mine))).status).toBe(200);
  });

  it("is reported as unavailable, with the remedy, when no address can be had", async () => {
    const nowhere = listen(() => undefined, 9_999, ["192.0.2.1"]);
    await expect(nowhere).rejects.toMatchObject({ code: "page_unavailable", message: expect.stringContaining("9999") });
    await expect(nowhere).rejects.toHaveProperty("hint", expect.stringContaining('"port"'));
  });

  it("listens on loopback and nowhere else", async () => {
    const { servers } = await listen(() => undefined, 0);
    open.push(...servers);
    const addresses = servers.map((server) => JSON.stringify(server.address()));
    for (const address of addresses) expect(address).toMatch(/"address":"(127\.0\.0\.1|::1)"/);
  });
});

describe("closing", () => {
  it("ends idle connections and waiting polls at once, and frees the port", async () => {
    const { web, front } = await startWeb();
    const kept = connect(web.port, "127.0.0.1");
    const keptEnds = new Promise((resolve) => kept.on("close", resolve));
    kept.write(`GET / HTTP/1.1\r\nHost: localhost:${web.port}\r\n\r\n`);
    await new Promise((resolve) => kept.once("data", resolve));
    const poll = send(web.port, { path: `/approve/${front.add()}/live?version=1` }).catch(() => "cut");
    await vi.waitUntil(() => front.waiting === 1);
    await web.close();
    await keptEnds;
    await poll;
    expect(front.waiting).toBe(0);
    await expect(send(web.port, { path: "/" })).rejects.toThrow("ECONNREFUSED");
  });
});
