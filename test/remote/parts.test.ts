import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, describe, expect, it } from "vitest";
import { firstLine } from "../../src/remote/first-line.ts";
import { Lines } from "../../src/remote/lines.ts";
import { Seats } from "../../src/remote/seats.ts";
import { helloLine, parseHello, parseWelcome, welcomeLine } from "../../src/remote/words.ts";
import { FakeClock } from "../support/fake-clock.ts";

const MINUTE = 60_000;
const open: { server: Server; folder: string; sockets: Socket[] }[] = [];

afterEach(() => {
  for (const { server, folder, sockets } of open.splice(0)) {
    for (const socket of sockets) socket.destroy();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

/** Two ends of a real connection. */
async function pair(): Promise<{ near: Socket; far: Socket }> {
  const folder = mkdtempSync(join(tmpdir(), "agent-vault-pair-"));
  const server = createServer().listen(join(folder, "s"));
  const near = connect(join(folder, "s"));
  const [far] = (await once(server, "connection")) as [Socket];
  open.push({ server, folder, sockets: [near, far] });
  return { near, far };
}

describe("the first line of a connection", () => {
  it("is taken however it comes in pieces, and what follows is left to be read", async () => {
    const { near, far } = await pair();
    const line = firstLine(far, MINUTE);
    for (const piece of ["hel", "lo\nwor", "ld\n"]) {
      near.write(piece);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await line).toBe("hello");
    let rest = "";
    far.setEncoding("utf8").on("data", (chunk: string) => (rest += chunk));
    near.end();
    await once(far, "end");
    expect(rest).toBe("world\n");
  });

  it.each([
    ["it does not come in time", (_near: Socket) => {}, 20],
    ["it is too long", (near: Socket) => void near.write("x".repeat(20_000)), MINUTE],
    ["the connection ends before it does", (near: Socket) => void near.end("half"), MINUTE],
    ["the connection breaks", (near: Socket) => void near.destroy(), MINUTE],
  ])("is none when %s", async (_, act, timeoutMs) => {
    const { near, far } = await pair();
    const line = firstLine(far, timeoutMs);
    act(near);
    expect(await line).toBeUndefined();
  });
});

describe("the first words", () => {
  it("come back as they were said, bounded", () => {
    const hello = { version: "1.2.3", folder: "/home/maria/shop", process: "claude" };
    expect(parseHello(helloLine(hello))).toEqual(hello);
    expect(parseHello(helloLine({ version: "1", folder: "/".repeat(50_000) }))?.folder).toHaveLength(1_000);
    expect(parseWelcome(welcomeLine({ is: "welcome", version: "1" }))).toEqual({ is: "welcome", version: "1" });
    expect(parseWelcome(welcomeLine({ is: "refused", why: "full" }))).toEqual({ is: "refused", why: "full" });
  });

  it.each(["", "null", "[]", "1", '"agentVault"', "{", '{"agentVault":1}', '{"agentVault":"1","version":"1"}'])(
    "are none of ours: %s",
    (text) => {
      expect(parseHello(text)).toBeUndefined();
      expect(parseWelcome(text)).toBeUndefined();
    },
  );
});

describe("seats", () => {
  it("are free again when their session has ended, and later when it left requests before a person", () => {
    const clock = new FakeClock();
    const seats = new Seats(2, clock);
    const [first, second] = [seats.take(), seats.take()];
    expect(seats.take()).toBeUndefined();
    clock.advance(MINUTE);
    first?.giveBack(0);
    first?.giveBack(0);
    const third = seats.take();
    expect(third).toBeDefined();
    expect(seats.take()).toBeUndefined();
    second?.giveBack(15 * MINUTE);
    expect(seats.take()).toBeUndefined();
    clock.advance(15 * MINUTE);
    expect(seats.take()).toBeDefined();
  });

  it("are taken for ten seconds at least, however short the session", () => {
    const clock = new FakeClock();
    const seats = new Seats(1, clock);
    seats.take()?.giveBack(0);
    expect(seats.take()).toBeUndefined();
    clock.advance(9_999);
    expect(seats.take()).toBeUndefined();
    clock.advance(1);
    expect(seats.take()).toBeDefined();
  });
});

describe("lines that are left to somebody else", () => {
  it("lose nothing of what was not taken", async () => {
    const input = new PassThrough();
    const taken: string[] = [];
    const lines = new Lines(
      input,
      (line) => {
        taken.push(line);
        if (line === "two") lines.leave();
      },
      () => taken.push("over"),
    );
    input.write("one\ntw");
    input.write("o\nthree\nfo");
    input.end("ur\n");
    await new Promise((resolve) => setImmediate(resolve));
    expect(taken).toEqual(["one", "two"]);
    let rest = "";
    for await (const chunk of input) rest += String(chunk);
    expect(rest).toBe("three\nfour\n");
  });

  it("are over when they end, or when one has no end", async () => {
    for (const last of [
      (input: PassThrough) => void input.end(),
      (input: PassThrough) => void input.write(Buffer.alloc(11 * 1024 * 1024)),
    ]) {
      const input = new PassThrough();
      const over = new Promise<string>((resolve) => {
        void new Lines(
          input,
          () => {},
          () => resolve("over"),
        );
      });
      last(input);
      expect(await over).toBe("over");
    }
  });
});
