import { createServer } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { keepRoom } from "../../src/web/crowd.ts";
import { createWeb } from "../../src/web/server.ts";
import { loadPatched } from "../support/patched.ts";
import { send, startWeb } from "../support/web.ts";

const open: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close();
});

async function start(create: typeof createWeb = createWeb) {
  const started = await startWeb(create);
  open.push(started.web.close);
  return started;
}

const GET = (path = "/", port = 0): string => `GET ${path} HTTP/1.1\r\nHost: localhost:${port}\r\n`;

/** What somebody sends who only wants to be in the way. */
const IN_THE_WAY: Readonly<Record<string, (port: number) => string>> = {
  "nothing at all": () => "",
  "half a question": (port) => GET("/", port),
  "a form whose end never comes": (port) =>
    `POST /inbox HTTP/1.1\r\nHost: localhost:${port}\r\nOrigin: http://localhost:${port}\r\nSec-Fetch-Site: same-origin\r\n` +
    "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\nseal=",
};

/** Keeps 300 connections to a page, each of them opened anew as soon as it is closed. Resolves once all were open. */
async function crowd(port: number, said: string): Promise<void> {
  const sockets = new Set<Socket>();
  let isOver = false;
  const once = (): Promise<void> =>
    new Promise((resolve) => {
      const socket = connect(port, "127.0.0.1", resolve);
      sockets.add(socket.pause());
      socket.on("error", () => undefined);
      socket.on("close", () => {
        sockets.delete(socket);
        resolve();
        if (!isOver) setTimeout(() => void once(), 5);
      });
      socket.write(said);
    });
  open.push(() => {
    isOver = true;
    for (const socket of sockets) socket.destroy();
  });
  await Promise.all(Array.from({ length: 300 }, once));
}

/** How many of twenty looks of a person at their request are answered, while others are in the way. */
async function looks(said: (port: number) => string, create?: typeof createWeb): Promise<number> {
  const { web, front, show } = await start(create);
  const token = front.add();
  await crowd(web.port, said(web.port));
  let answered = 0;
  for (let n = 0; n < 20; n++) {
    const status = await show(token).then(
      (reply) => reply.status,
      () => 0,
    );
    if (status === 200) answered += 1;
  }
  return answered;
}

describe("a crowd of connections", () => {
  it.each(Object.entries(IN_THE_WAY))("with %s does not keep the person from the page", async (_what, said) => {
    expect(await looks(said)).toBe(20);
  });

  it("would, were the new ones turned away instead of the idle", async () => {
    const twin = (await loadPatched("src/web/server.ts", [
      { file: "src/web/crowd.ts", from: "find(([, asked]) => isIdle(asked)) ?? [];", to: "slice(0, 0);" },
    ])) as { createWeb: typeof createWeb };
    expect(await looks(IN_THE_WAY["half a question"] ?? String, twin.createWeb)).toBeLessThan(20);
  });

  it("of which none reads what it asked for gives way too", async () => {
    const server = createServer((_request, response) => void response.end(Buffer.alloc(16_000_000)));
    keepRoom(server, 4);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    open.push(
      () => server.close(),
      () => server.closeAllConnections(),
    );
    const { port } = server.address() as AddressInfo;
    const greedy = Array.from({ length: 4 }, () => connect(port, "127.0.0.1"));
    open.push(() => greedy.forEach((socket) => socket.destroy()));
    for (const socket of greedy) {
      socket.on("error", () => undefined).write(`${GET("/", port)}\r\n`);
      await new Promise((resolve) => socket.once("readable", resolve));
    }
    expect((await send(port, { path: "/" })).text).toHaveLength(16_000_000);
  });

  it("does not end the answers that are being waited for", async () => {
    const { web, front, clock } = await start();
    const token = front.add();
    const held = send(web.port, { path: `/approve/${token}/live?version=1` });
    while (front.waiting === 0) await new Promise((resolve) => setImmediate(resolve));
    await crowd(web.port, GET("/", web.port));
    clock.advance(25_000);
    expect((await held).status).toBe(204);
  });
});
