import { createServer, type Server } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { once } from "node:events";
import { inspect } from "node:util";
import ngrok from "@ngrok/ngrok";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { VaultError } from "../../src/core/errors.ts";
import type { OpenTunnel } from "../../src/core/ports.ts";
import type { NgrokSdk } from "../../src/tunnels/ngrok-sdk.ts";
import { ngrokTunnel } from "../../src/tunnels/ngrok.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { type FakeNgrokService, startFakeNgrokService } from "./fake-ngrok-service.ts";
import { later } from "./fake-ngrok.ts";

// The real SDK with its native code, led to an ngrok of our own on the loopback.
const TOKEN = "2hunter2-4711-ngrok-token";
const DOMAIN = "vault.example.com";
const never = new AbortController().signal;

let service: FakeNgrokService;
let page: Server;
let clock: FakeClock;
let lost: VaultError[];
let firstLoss: ReturnType<typeof later<void>>;
let visitors: string[];
beforeEach(async () => {
  service = await startFakeNgrokService();
  visitors = [];
  page = createServer((request, response) => {
    visitors.push(request.url ?? "");
    response.end(`page for ${request.headers.host}`);
  });
  page.listen(0, "127.0.0.1");
  await once(page, "listening");
  clock = new FakeClock();
  lost = [];
  firstLoss = later<void>();
});
afterEach(async () => {
  page.close();
  page.closeAllConnections();
  await service.close();
});

/** The real SDK, except for where it looks for ngrok and whom it trusts there. */
function ledTo(address: string, cert = service.cert): NgrokSdk {
  const SessionBuilder = function () {
    return new ngrok.SessionBuilder().serverAddr(address).caCert(Buffer.from(cert));
  };
  // A constructor that returns another object is beyond what the type of a function can say.
  return { SessionBuilder } as unknown as NgrokSdk;
}

/** One tunnel, to be opened any number of times. */
function tunnelTo(sdk: NgrokSdk, options: { domain?: string } = { domain: DOMAIN }): () => Promise<OpenTunnel> {
  const tunnel = ngrokTunnel({ authToken: TOKEN, ...options, clock, load: async () => sdk });
  const onLost = (why: VaultError): void => {
    lost.push(why);
    firstLoss.resolve();
  };
  return () => tunnel.open((page.address() as AddressInfo).port, onLost, never);
}

const open = (sdk = ledTo(service.address)): Promise<OpenTunnel> => tunnelTo(sdk)();

async function failure(opening: Promise<OpenTunnel>): Promise<string> {
  const error: unknown = await opening.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toMatchObject({ code: "tunnel_unavailable" });
  expect(inspect(error, { depth: Infinity, showHidden: true })).not.toContain("hunter2");
  return (error as VaultError).message; // it has a code, so it is one
}

describe("the real SDK", () => {
  const visit = (path: string): Promise<string> =>
    service.visit(`GET ${path} HTTP/1.1\r\nHost: ${DOMAIN}\r\nConnection: close\r\n\r\n`);

  /** Long enough for whatever is on its way to the page to have come: requests that go there themselves. */
  async function whileOthersCome(): Promise<void> {
    for (let others = 0; others < 50; others++) {
      await (await fetch(`http://127.0.0.1:${(page.address() as AddressInfo).port}/other`)).text();
    }
  }

  it("opens a tunnel through which a visitor reaches the page, until it is closed", async () => {
    const tunnel = await open();
    expect(tunnel.origin).toBe(`https://${DOMAIN}`);
    expect(service.asked).toEqual(["auth", `bind ${DOMAIN}`]);
    expect(await visit("/approve/x")).toMatch(/^HTTP\/1\.1 200 OK[^]*page for vault\.example\.com$/);
    await tunnel.close();
    expect(service.asked).toContain("unbind");
    void visit("/approve/late");
    await whileOthersCome();
    expect(visitors).not.toContain("/approve/late");
    expect(lost).toEqual([]);
  });

  it("would go on serving visitors if only its session were closed", async () => {
    const session = await new (ledTo(service.address).SessionBuilder)().connect();
    await session.httpEndpoint().listenAndForward(`http://127.0.0.1:${(page.address() as AddressInfo).port}`);
    await session.close();
    void visit("/approve/late");
    await whileOthersCome();
    expect(visitors).toContain("/approve/late");
  });

  it("takes the address that ngrok chooses", async () => {
    const tunnel = await tunnelTo(ledTo(service.address), {})();
    expect(tunnel.origin).toBe("https://abc.ngrok-free.app");
    await tunnel.close();
  });

  it("is refused for its token, which ngrok repeats and we do not", async () => {
    service.verdicts.auth = `The authtoken you specified does not look right.\nYour authtoken: ${TOKEN}\n\nERR_NGROK_105\n`;
    expect(await failure(open())).toBe("ngrok does not take the configured token for an authtoken");
  });

  it("is refused for its domain, and asks again in the same session", async () => {
    service.verdicts.bind = `The endpoint 'https://${DOMAIN}' is already online.\n\nERR_NGROK_334\n`;
    const tunnel = tunnelTo(ledTo(service.address));
    expect(await failure(tunnel())).toBe(`another session already uses the ngrok domain ${DOMAIN}`);
    service.verdicts.bind = undefined;
    await tunnel();
    expect(service.asked).toEqual(["auth", `bind ${DOMAIN}`, `bind ${DOMAIN}`]);
  });

  it("is not waited for when ngrok does not answer, and gives back what comes too late", async () => {
    service.verdicts.bind = "hang";
    const opening = failure(open());
    await service.askedFor(2);
    clock.advance(10_000);
    expect(await opening).toBe("ngrok did not answer within 10 seconds");
    service.answerLate();
    await service.askedFor(3);
    expect(service.asked[2]).toBe("unbind");
  });

  it("ends when somebody stops it from the dashboard", async () => {
    await open();
    service.stopAgent();
    await firstLoss.promise;
    expect(lost.map(({ message }) => message)).toEqual(["the tunnel was stopped from the ngrok dashboard"]);
    await service.askedFor(3);
    expect(service.asked[2]).toBe("unbind");
  });

  it("reconnects by itself, and we let it", async () => {
    const tunnel = await open();
    service.breakOff();
    await service.askedFor(4);
    expect(service.asked).toEqual(["auth", `bind ${DOMAIN}`, "auth", `bind ${DOMAIN}`]);
    await tunnel.close();
    expect(lost).toEqual([]);
  });

  it("is lost when ngrok gives the address to somebody else meanwhile", async () => {
    await open();
    service.verdicts.bind = "The endpoint is already online.\n\nERR_NGROK_334\n";
    service.breakOff();
    await service.askedFor(6);
    clock.advance(30_000);
    await firstLoss.promise;
    expect(lost.map(({ message }) => message)).toEqual(["the connection to ngrok was lost and did not come back"]);
  });
});

describe("the real SDK finds no ngrok", () => {
  it("where nothing listens", async () => {
    const { address } = service;
    await service.close();
    service = await startFakeNgrokService();
    expect(await failure(open(ledTo(address)))).toBe("ngrok cannot be reached from this computer");
  });

  it("where the certificate is somebody else's", async () => {
    const other = await startFakeNgrokService();
    expect(await failure(open(ledTo(service.address, other.cert)))).toBe(
      "something between this computer and ngrok breaks the encrypted connection",
    );
    await other.close();
  });

  it("where something else answers", async () => {
    const other = createTcpServer((socket) =>
      socket.on("error", () => {}).once("data", () => socket.end("HTTP/1.1 400 no\r\n\r\n")),
    );
    other.listen(0, "127.0.0.1");
    await once(other, "listening");
    expect(await failure(open(ledTo(`localhost:${(other.address() as AddressInfo).port}`)))).toBe(
      "something between this computer and ngrok breaks the encrypted connection",
    );
    other.close();
  });

  it("where nothing ever answers", async () => {
    const other = createTcpServer((socket) => socket.on("error", () => {}));
    other.listen(0, "127.0.0.1");
    await once(other, "listening");
    const connected = once(other, "connection");
    const opening = failure(open(ledTo(`localhost:${(other.address() as AddressInfo).port}`)));
    const [socket] = await connected;
    clock.advance(10_000);
    expect(await opening).toBe("ngrok did not answer within 10 seconds");
    // The SDK tries one connection at a time in a process: without this the next test would wait for it.
    socket.destroy();
    other.close();
  });
});
