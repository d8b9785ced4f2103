import { afterEach, describe, expect, it, vi } from "vitest";
import { VaultError } from "../../src/core/errors.ts";
import type { OpenTunnel, Tunnel } from "../../src/core/ports.ts";
import { createDoor, type OwnDoor } from "../../src/web/door.ts";
import { createWeb, type Web } from "../../src/web/server.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { FakeFront } from "../support/fake-front.ts";
import { NOBODY } from "../support/house.ts";
import { send } from "../support/web.ts";

const ORIGIN = "https://name.example";
const doors: OwnDoor[] = [];
afterEach(async () => {
  await Promise.all(doors.splice(0).map((door) => door.close()));
});

/** A tunnel whose ends the test holds. Each `open` waits for `up` or `fail`. */
function fakeTunnel() {
  const opened: { port: number; lost: (why: VaultError) => void; signal: AbortSignal }[] = [];
  let waiting: { resolve: (open: OpenTunnel) => void; reject: (error: unknown) => void } | undefined;
  let closed = 0;
  const tunnel: Tunnel = {
    name: "fake",
    open: (port, lost, signal) =>
      new Promise((resolve, reject) => {
        opened.push({ port, lost, signal });
        waiting = { resolve, reject };
      }),
  };
  const close = async (): Promise<void> => void (closed += 1);
  return {
    tunnel,
    opened,
    closed: () => closed,
    up: (over: Partial<OpenTunnel> = {}) => waiting?.resolve({ origin: ORIGIN, close, ...over }),
    fail: (error: unknown) => waiting?.reject(error),
  };
}

const refused = (): VaultError =>
  new VaultError("tunnel_unavailable", "ngrok refused the token", { hint: "set ngrokAuthToken to a valid one" });

function start({
  tunnel,
  startWeb,
  isNeeded,
}: { tunnel?: Tunnel; startWeb?: () => Promise<Web>; isNeeded?: () => boolean } = {}) {
  const clock = new FakeClock();
  const front = new FakeFront(clock);
  const failures: VaultError[] = [];
  const webs: Web[] = [];
  const real = async (): Promise<Web> => {
    const web = await createWeb({ front, approvers: NOBODY, clock, port: 0 });
    webs.push(web);
    return web;
  };
  const options = {
    startWeb: startWeb ?? real,
    onTunnelFailed: (error: VaultError) => void failures.push(error),
    clock,
    ...(isNeeded && { isNeeded }),
  };
  const door = createDoor(tunnel === undefined ? options : { ...options, tunnel });
  doors.push(door);
  const host = (name: string, token: string) =>
    send(webs[0]?.port ?? 0, { path: `/approve/${token}`, headers: { Host: name } });
  return { door, clock, front, failures, webs, host, real };
}

describe("the door", () => {
  it("opens nothing before it is asked, then one page, however often", async () => {
    const { door, front, webs } = start();
    expect(webs).toEqual([]);
    await Promise.all([door.open(), door.open(), door.open()]);
    await door.open();
    expect(webs).toHaveLength(1);
    const token = front.add();
    expect(door.link(token)).toEqual({ local: `http://localhost:${webs[0]?.port}/approve/${token}` });
    expect((await fetch(door.link(token).local)).status).toBe(200);
    await door.settled();
  });

  it("says that the page cannot be had, and tries afresh the next time", async () => {
    let broken = true;
    const { door, real } = start({ startWeb: () => (broken ? Promise.reject(new Error("no sockets left")) : real()) });
    await expect(door.open()).rejects.toMatchObject({
      code: "page_unavailable",
      hint: expect.stringContaining("port"),
    });
    expect(() => door.link("x")).toThrow("closed");
    broken = false;
    await door.open();
    expect(door.link("x").local).toContain("/approve/x");
  });

  it("gives the local link at once and the public one when the tunnel is up", async () => {
    const fake = fakeTunnel();
    const { door, front, webs, host } = start({ tunnel: fake.tunnel });
    await door.open();
    const token = front.add();
    expect(door.link(token).public).toBeUndefined();
    expect((await host("name.example", token)).status).toBe(421);
    expect(fake.opened[0]?.port).toBe(webs[0]?.port);
    fake.up();
    await door.settled();
    expect(door.link(token).public).toBe(`${ORIGIN}/approve/${token}`);
    expect((await host("name.example", token)).status).toBe(200);
    await door.open();
    expect(fake.opened).toHaveLength(1);
  });

  it.each([
    [
      "refuses",
      (fake: ReturnType<typeof fakeTunnel>) => fake.fail(refused()),
      "ngrok refused the token; set ngrokAuthToken to a valid one",
    ],
    [
      "gives a useless address",
      (fake: ReturnType<typeof fakeTunnel>) => fake.up({ origin: "http://plain.example" }),
      "the tunnel gave an address that is not a plain https origin; set its domain to a host name without a path",
    ],
  ])(
    "keeps the local link and says why when the tunnel %s, and tries again after a pause",
    async (_how, end, trouble) => {
      const fake = fakeTunnel();
      const { door, failures, clock } = start({ tunnel: fake.tunnel });
      await door.open();
      end(fake);
      await door.settled();
      expect(door.link("x")).toEqual({ local: expect.stringContaining("localhost") as string, trouble });
      expect(failures).toHaveLength(1);
      await door.open();
      expect(fake.opened).toHaveLength(1);
      clock.advance(15_000);
      await door.open();
      expect(fake.opened).toHaveLength(2);
      fake.up();
      await door.settled();
      expect(door.link("x")).toEqual({ local: expect.any(String) as string, public: `${ORIGIN}/approve/x` });
    },
  );

  it("waits longer after each failure", async () => {
    const fake = fakeTunnel();
    const { door, clock } = start({ tunnel: fake.tunnel });
    const pauses: number[] = [];
    for (let attempt = 1; attempt <= 9; attempt += 1) {
      let waited = 0;
      for (; fake.opened.length < attempt; waited += 5_000) {
        await door.open();
        if (fake.opened.length < attempt) clock.advance(5_000);
      }
      pauses.push(Math.max(0, waited - 5_000));
      fake.fail(refused());
      await door.settled();
    }
    expect(pauses).toEqual([0, 15_000, 30_000, 60_000, 120_000, 240_000, 480_000, 600_000, 600_000]);
  });

  it("takes the public address back when the tunnel is lost, once, and not for a tunnel that came after", async () => {
    const fake = fakeTunnel();
    const { door, front, failures, clock, host } = start({ tunnel: fake.tunnel });
    const token = front.add();
    await door.open();
    fake.up();
    await door.settled();
    fake.opened[0]?.lost(refused());
    fake.opened[0]?.lost(refused());
    expect(door.link(token)).toEqual({
      local: expect.any(String) as string,
      trouble: expect.stringContaining("refused") as string,
    });
    expect((await host("name.example", token)).status).toBe(421);
    expect(failures).toHaveLength(1);
    clock.advance(15_000);
    await door.open();
    fake.up();
    await door.settled();
    fake.opened[0]?.lost(refused());
    expect(door.link(token).public).toBeDefined();
  });

  it("does not take a tunnel for open that was lost while it opened", async () => {
    const fake = fakeTunnel();
    const { door } = start({ tunnel: fake.tunnel });
    await door.open();
    fake.opened[0]?.lost(refused());
    fake.up();
    await door.settled();
    expect(door.link("x").public).toBeUndefined();
    expect(fake.closed()).toBe(1);
  });
});

describe("a tunnel that nobody needs", () => {
  it("is given up after five quiet minutes and opened again when somebody has to be asked", async () => {
    const fake = fakeTunnel();
    let needed = true;
    const { door, clock, host, front } = start({ tunnel: fake.tunnel, isNeeded: () => needed });
    const token = front.add();
    await door.open();
    fake.up();
    await door.settled();
    clock.advance(30 * 60_000);
    expect(fake.closed(), "it stays while it is needed").toBe(0);
    needed = false;
    clock.advance(4 * 60_000);
    needed = true;
    clock.advance(60_000);
    needed = false;
    clock.advance(4 * 60_000);
    expect(fake.closed(), "five minutes begin anew").toBe(0);
    clock.advance(60_000);
    expect(fake.closed()).toBe(1);
    expect(door.link(token)).not.toHaveProperty("public");
    expect(door.link(token)).not.toHaveProperty("trouble");
    expect((await host("name.example", token)).status).toBe(421);
    await door.open();
    fake.up();
    await door.settled();
    expect(door.link(token).public).toBe(`${ORIGIN}/approve/${token}`);
  });

  it("counts what was needed between two looks", async () => {
    const fake = fakeTunnel();
    const { door, clock } = start({ tunnel: fake.tunnel, isNeeded: () => false });
    await door.open();
    fake.up();
    await door.settled();
    clock.advance(4 * 60_000 + 30_000);
    await door.open();
    clock.advance(4 * 60_000);
    expect(fake.closed()).toBe(0);
    clock.advance(2 * 60_000);
    expect(fake.closed()).toBe(1);
  });

  it("is opened again only after the one before is closed", async () => {
    const fake = fakeTunnel();
    const { door, clock } = start({ tunnel: fake.tunnel, isNeeded: () => false });
    let closeFirst = (): void => {};
    const closing = new Promise<void>((resolve) => {
      closeFirst = resolve;
    });
    await door.open();
    fake.up({ close: () => closing });
    await door.settled();
    clock.advance(6 * 60_000);
    await door.open();
    await new Promise((resolve) => setImmediate(resolve));
    expect(fake.opened).toHaveLength(1);
    closeFirst();
    await vi.waitFor(() => expect(fake.opened).toHaveLength(2));
    fake.up();
    await door.settled();
  });
});

describe("closing the door", () => {
  it("ends the page and the tunnel, and nothing opens after", async () => {
    const fake = fakeTunnel();
    const { door, webs } = start({ tunnel: fake.tunnel });
    await door.open();
    fake.up();
    await door.settled();
    await door.close();
    expect(fake.closed()).toBe(1);
    await expect(fetch(`http://127.0.0.1:${webs[0]?.port}/`)).rejects.toThrow("fetch failed");
    await expect(door.open()).rejects.toMatchObject({ code: "page_unavailable" });
    expect(() => door.link("x")).toThrow("closed");
  });

  it("does not wait for a tunnel whose close hangs", async () => {
    const fake = fakeTunnel();
    const { door, clock, webs } = start({ tunnel: fake.tunnel });
    await door.open();
    fake.up({ close: () => new Promise(() => undefined) });
    await door.settled();
    const closing = door.close();
    let done = false;
    void closing.then(() => (done = true));
    await vi.waitUntil(() =>
      fetch(`http://127.0.0.1:${webs[0]?.port}/`).then(
        () => false,
        () => true,
      ),
    );
    expect(done).toBe(false);
    clock.advance(1_000);
    await closing;
  });

  it("tells a tunnel that is still opening to stop, and closes it should it open all the same", async () => {
    const fake = fakeTunnel();
    const { door, failures } = start({ tunnel: fake.tunnel });
    await door.open();
    const closing = door.close();
    expect(fake.opened[0]?.signal.aborted).toBe(true);
    fake.up();
    await closing;
    expect(fake.closed()).toBe(1);
    expect(failures).toEqual([]);
  });

  it("before it was ever opened does nothing", async () => {
    const { door, webs } = start();
    await door.close();
    expect(webs).toEqual([]);
  });
});
