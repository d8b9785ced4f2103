import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { type AddressInfo, createServer as createRawServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterEach, describe, expect, it } from "vitest";
import { VaultError } from "../../src/core/errors.ts";
import { Secret } from "../../src/core/secret.ts";
import { faultOf, mayHaveHappened, networkError } from "../../src/providers/http-faults.ts";
import { readCa } from "../../src/providers/http-ca.ts";
import { createHttp, type Http, type HttpOptions, isServerAddress } from "../../src/providers/http.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { loadPatched } from "../support/patched.ts";
import { selfSigned } from "../tunnels/self-signed.ts";

const TOKEN = "tok-hunter2-4711";
const OPTIONS = { address: "server", ca: "ca" };
const open: (() => unknown)[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((close) => close()));
});

interface Host {
  readonly origin: string;
  readonly seen: {
    readonly method: string;
    readonly url: string;
    readonly headers: NodeJS.Dict<string | string[]>;
    readonly body: string;
  }[];
}

/** A server of this test's own; `answer` gets the number of the call, from 1 on. */
async function host(
  answer: (response: ServerResponse, call: number, request: IncomingMessage) => void,
  tls?: { key: string; cert: string },
): Promise<Host> {
  const seen: Host["seen"] = [];
  const listener: RequestListener = (request, response) => {
    const { method = "", url = "", headers } = request;
    let body = "";
    request.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
    request.on("end", () => answer(response, seen.push({ method, url, headers, body }), request));
  };
  const server = tls ? createSecureServer(tls, listener) : createServer(listener);
  const port = await listen(server);
  open.push(() => {
    server.closeAllConnections();
    return new Promise((closed) => server.close(closed));
  });
  return { origin: tls ? `https://localhost:${port}` : `http://127.0.0.1:${port}`, seen };
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

/** A clock that lets no time pass but skips every pause, and remembers how long each would have been. */
class SkippingClock extends FakeClock {
  readonly pauses: number[] = [];
  override readonly after = (ms: number, run: () => void): (() => void) => {
    // The time-out of a call is none that anybody waits for here.
    if (ms >= 15_000) return () => {};
    this.pauses.push(ms);
    const timer = setImmediate(run);
    return () => clearImmediate(timer);
  };
}

function client(origin: string, own: Partial<HttpOptions> = {}): Http {
  const http = createHttp({
    who: "12Port",
    origin,
    options: OPTIONS,
    token: new Secret(TOKEN),
    userAgent: "agent-vault/test",
    clock: new SkippingClock(),
    ...own,
  });
  open.push(() => http.close());
  return http;
}

const never = new AbortController().signal;
const get = (http: Http, path = "/things", signal = never) => http.request({ method: "GET", path, signal });

/** The error, after it was searched for whatever must not be in it. */
async function refusal(promise: Promise<unknown>): Promise<VaultError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(VaultError);
  const all = `${inspect(error, { depth: 9, showHidden: true })}${JSON.stringify(error)}${(error as VaultError).hint}`;
  expect(all).not.toContain(TOKEN);
  expect(all).not.toContain("Bearer");
  expect(all).not.toContain("body-canary");
  return error as VaultError;
}

const json = (response: ServerResponse, status: number, body: unknown): void =>
  void response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));

describe("a request", () => {
  it("goes to the origin with the token, the query and a body of JSON, and comes back as JSON", async () => {
    const { origin, seen } = await host((response) => {
      response.setHeader("etag", '"1"');
      json(response, 200, { id: 7 });
    });
    const http = client(origin);
    const answer = await http.request({
      method: "POST",
      path: "/a%20b/c",
      query: { "q.1.f": "a b&c" },
      body: { x: "é" },
      signal: never,
    });
    expect([answer.status, answer.json, answer.header("etag")]).toEqual([200, { id: 7 }, '"1"']);
    const [sent] = seen;
    expect([sent?.method, sent?.url, sent?.body]).toEqual(["POST", "/a%20b/c?q.1.f=a+b%26c", '{"x":"é"}']);
    expect(sent?.headers).toMatchObject({
      authorization: `Bearer ${TOKEN}`,
      accept: "application/json",
      "content-type": "application/json",
      "user-agent": "agent-vault/test",
    });
  });

  it.each(["//evil.example/x", "/\\evil.example", "/../../x", "/@evil.example"])(
    "never leaves its host for %s",
    async (path) => {
      const { origin, seen } = await host((response) => json(response, 200, {}));
      await get(client(origin), path);
      expect(seen).toHaveLength(1);
      expect(seen[0]?.headers["host"]).toBe(new URL(origin).host);
    },
  );

  it.each([401, 403, 404, 400])("leaves %i to the caller, whatever stands in it", async (status) => {
    const { origin } = await host((response) =>
      response.writeHead(status, { "content-type": "text/html" }).end("<p>no"),
    );
    expect(await get(client(origin))).toMatchObject({ status, json: undefined });
  });

  it("leaves a 500 that is JSON to the caller, and an empty answer", async () => {
    const { origin } = await host((response, call) =>
      call === 1 ? json(response, 500, { value: "MSG-00863" }) : response.writeHead(204).end(),
    );
    const http = client(origin);
    expect(await get(http)).toMatchObject({ status: 500, json: { value: "MSG-00863" } });
    expect(await get(http)).toMatchObject({ status: 204, json: undefined });
  });
});

describe("what it refuses", () => {
  it("does not follow a redirect, and names the host it leads to", async () => {
    const other = await host((response) => json(response, 200, {}));
    const { origin } = await host((response) =>
      response.writeHead(307, { location: `${other.origin}/steal?t=body-canary` }).end("body-canary"),
    );
    const error = await refusal(get(client(origin)));
    expect(error).toMatchObject({
      code: "provider_unavailable",
      message: `12Port at ${new URL(origin).host} sends us on to ${new URL(other.origin).host}, which is not followed`,
      hint: `if ${new URL(other.origin).host} is right, write it into "server"; the token is sent nowhere else`,
    });
    expect(other.seen).toEqual([]);
  });

  it("does not follow a redirect within the same host either", async () => {
    const { origin, seen } = await host((response) => response.writeHead(302, { location: "/login" }).end());
    const error = await refusal(get(client(origin)));
    expect(error.message).toContain("sends us on within the same host");
    expect(error.hint).toBe('tell the user to correct "server"; the token is sent nowhere else');
    expect(seen).toHaveLength(1);
  });

  it("a copy that follows redirects is noticed", async () => {
    const other = await host((response) => json(response, 200, {}));
    const { origin } = await host((response) => response.writeHead(307, { location: `${other.origin}/x` }).end());
    const twin = (await loadPatched("src/providers/http.ts", [
      {
        file: "src/providers/http.ts",
        from: "const response = await send(urlOf(origin, request), {\n        dispatcher: agent,",
        to: "const response = await send(urlOf(origin, request), {\n        dispatcher: agent.compose((await import('undici')).default.interceptors.redirect({ maxRedirections: 3 })),",
      },
    ])) as { createHttp: typeof createHttp };
    const http = twin.createHttp({ who: "12Port", origin, options: OPTIONS, userAgent: "x", clock: new FakeClock() });
    open.push(() => http.close());
    await get(http);
    expect(other.seen).toHaveLength(1);
  });

  it("tells a web page from JSON, and repeats nothing of it", async () => {
    const { origin } = await host((response, call) => {
      if (call === 1) response.writeHead(200, { "content-type": "text/html" }).end("<html>body-canary</html>");
      else response.writeHead(500, { "content-type": "text/plain" }).end("body-canary {");
    });
    const http = client(origin);
    const page = await refusal(get(http));
    expect(page.message).toMatch(/answered with a web page instead of JSON \(status 200\)$/);
    expect((await refusal(get(http))).message).toMatch(/answered with something that is not JSON \(status 500\)$/);
  });

  it("does not read an answer of two megabytes to its end", async () => {
    const { origin } = await host((response) => json(response, 200, { value: "body-canary".repeat(200_000) }));
    const error = await refusal(get(client(origin)));
    expect(error).toMatchObject({
      code: "provider_unavailable",
      message: expect.stringMatching(/more than 1 MiB$/) as string,
    });
  });

  it.each([200, 400, 500])("takes nothing that is nested too deep from an answer of %i", async (status) => {
    const nested = (depth: number): string => `${"[".repeat(depth)}"body-canary"${"]".repeat(depth)}`;
    const { origin } = await host((response, call) => {
      response.writeHead(status, { "content-type": "application/json" }).end(nested(call === 1 ? 100 : 500_000));
    });
    const http = client(origin);
    expect(JSON.stringify((await get(http)).json)).toBe(nested(100));
    if (status === 400) return expect(await get(http)).toMatchObject({ status, json: undefined });
    const error = await refusal(get(http));
    expect(error).toMatchObject({ code: "provider_unavailable" });
    expect(error.message).toMatch(new RegExp(`answered with something that is not JSON \\(status ${status}\\)$`));
  });

  it("takes an answer of a little under one", async () => {
    const value = "x".repeat(1024 * 1024 - 20);
    const { origin } = await host((response) => json(response, 200, { value }));
    expect(await get(client(origin))).toMatchObject({ json: { value } });
  });

  it.each([
    ["https://vault.example", true],
    ["https://vault.example:6443/", true],
    ["http://127.0.0.1:80", true],
    ["http://localhost", true],
    ["http://vault.example", false],
    ["http://localhost.example", false],
    ["http://127.0.0.1.example", false],
    ["https://vault.example/ztna", false],
    ["https://me@vault.example", false],
    ["https://vault.example?x", false],
    ["https://vault.example/#", false],
    ["ftp://vault.example", false],
    ["vault.example", false],
  ])("%s may get a token: %s", (text, expected) => {
    expect(isServerAddress(text)).toBe(expected);
    if (!expected)
      expect(() =>
        createHttp({ who: "x", origin: text, options: OPTIONS, userAgent: "x", clock: new FakeClock() }),
      ).toThrow(RangeError);
  });
});

describe("trying again", () => {
  it.each([429, 502, 503, 504])("a GET that met %i twice succeeds the third time", async (status) => {
    const { origin, seen } = await host((response, call) => json(response, call < 3 ? status : 200, {}));
    expect(await get(client(origin))).toMatchObject({ status: 200 });
    expect(seen).toHaveLength(3);
  });

  it("a GET whose connection was reset is tried again, three times in all", async () => {
    const { origin, seen } = await host((response) => response.socket?.resetAndDestroy());
    const clock = new SkippingClock();
    const error = await refusal(get(client(origin, { clock })));
    expect(error).toMatchObject({
      code: "provider_unavailable",
      message: expect.stringMatching(/broke the connection off$/) as string,
    });
    expect(seen).toHaveLength(3);
    expect(clock.pauses).toHaveLength(2);
    expect(clock.pauses[0]).toBeGreaterThanOrEqual(125);
    expect(clock.pauses[1]).toBeGreaterThanOrEqual(250);
    expect(Math.max(...clock.pauses)).toBeLessThan(751);
  });

  it("a POST is never tried again, and may have happened", async () => {
    const { origin, seen } = await host((response, call) => {
      if (call === 1) response.socket?.resetAndDestroy();
      else json(response, call === 2 ? 503 : 429, {});
    });
    const http = client(origin);
    const post = () => refusal(http.request({ method: "POST", path: "/", body: { a: "body-canary" }, signal: never }));
    expect([await post(), await post(), await post()].map(mayHaveHappened)).toEqual([true, true, false]);
    expect(seen).toHaveLength(3);
  });

  it.each([
    [301, true],
    [302, true],
    [303, true],
    [307, false],
    [308, false],
  ])("a POST that is sent on with %i may have happened: %s", async (status, expected) => {
    const { origin } = await host((response) => response.writeHead(status, { location: "/made/4711" }).end());
    const error = await refusal(client(origin).request({ method: "POST", path: "/", signal: never }));
    expect(mayHaveHappened(error)).toBe(expected);
  });

  it("what breaks here after it was sent may have happened", () => {
    expect(mayHaveHappened(new RangeError("Maximum call stack size exceeded"))).toBe(true);
    expect(mayHaveHappened(new VaultError("provider_forbidden", "no"))).toBe(false);
  });

  it.each(["ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH"])("%s tells a connection that stood from none", (code) => {
    const place = { who: "12Port", origin: "https://vault.example", options: { address: "server" } };
    const failed = (syscall: string): VaultError =>
      networkError(Object.assign(new Error(`${syscall} ${code}`), { code, syscall }), place);
    expect(mayHaveHappened(failed("connect"))).toBe(false);
    expect(mayHaveHappened(failed("read"))).toBe(true);
  });

  it("waits as long as a short Retry-After says", async () => {
    const { origin } = await host((response, call) => {
      response.setHeader("retry-after", "3");
      json(response, call === 1 ? 429 : 200, {});
    });
    const clock = new SkippingClock();
    await get(client(origin, { clock }));
    expect(clock.pauses).toEqual([3_000]);
  });

  it.each([
    ["137", "try again in 137 s"],
    [new Date(new FakeClock().now() + 90_000).toUTCString(), "try again in 90 s"],
    ["soon", "try again later"],
  ])("says when, and does not wait, where Retry-After is %s", async (retryAfter, hint) => {
    const { origin, seen } = await host((response) => {
      response.setHeader("retry-after", retryAfter);
      json(response, 429, { value: "body-canary" });
    });
    const error = await refusal(get(client(origin)));
    expect(error).toMatchObject({ code: "rate_limited", hint });
    expect(seen).toHaveLength(retryAfter === "soon" ? 3 : 1);
    expect(faultOf(error)?.status).toBe(429);
  });
});

describe("time", () => {
  it("ends a call that nobody answers when its time is up", async () => {
    const clock = new FakeClock();
    const arrived = moment();
    const { origin } = await host(() => arrived.come());
    const pending = refusal(client(origin, { clock }).request({ method: "POST", path: "/", signal: never }));
    await arrived.came;
    clock.advance(15_000);
    const error = await pending;
    expect(error).toMatchObject({
      code: "provider_unavailable",
      message: expect.stringMatching(/did not answer within 15 s$/) as string,
    });
    expect(mayHaveHappened(error)).toBe(true);
  });

  it("ends one that stops in the middle of its answer", async () => {
    const clock = new FakeClock();
    const half = moment();
    const { origin } = await host((response) => {
      response.writeHead(200, { "content-type": "application/json" });
      response.write('{"value":"body-canary', () => half.come());
    });
    const pending = refusal(
      client(origin, { clock, timeoutMs: 3_000 }).request({ method: "POST", path: "/", signal: never }),
    );
    await half.came;
    clock.advance(3_000);
    expect((await pending).message).toMatch(/did not answer within 3 s$/);
  });

  it("stops at once when the caller does, on the wire too", async () => {
    const gone = moment();
    const came = moment();
    const { origin } = await host((response) => {
      came.come();
      response.once("close", () => gone.come());
    });
    const stop = new AbortController();
    const pending = refusal(get(client(origin), "/", stop.signal));
    await came.came;
    stop.abort(new Error(TOKEN));
    expect(await pending).toMatchObject({ code: "cancelled" });
    await gone.came;
  });

  it("does not begin for a caller who has left", async () => {
    const { origin, seen } = await host((response) => json(response, 200, {}));
    const error = await refusal(get(client(origin), "/", AbortSignal.abort()));
    expect([error.code, seen.length]).toEqual(["cancelled", 0]);
  });

  it("stops waiting between two tries when the caller leaves", async () => {
    const stop = new AbortController();
    const { origin, seen } = await host((response) => {
      json(response, 503, {});
      response.once("close", () => setImmediate(() => stop.abort()));
    });
    const error = await refusal(get(client(origin, { clock: new FakeClock() }), "/", stop.signal));
    expect([error.code, seen.length]).toEqual(["cancelled", 1]);
  });
});

describe("a server that cannot be reached", () => {
  it("refuses connections", async () => {
    const server = createRawServer();
    const port = await listen(server);
    await new Promise((closed) => server.close(closed));
    const error = await refusal(get(client(`https://127.0.0.1:${port}`)));
    expect(error.message).toBe(`12Port at 127.0.0.1:${port} refuses connections`);
    expect(mayHaveHappened(error)).toBe(false);
  });

  it("has a name that nobody knows", async () => {
    const error = await refusal(get(client("https://nobody.invalid")));
    expect(error.message).toContain("is not found: its name is not known here (DNS)");
  });

  it("does not speak TLS", async () => {
    const { origin } = await host((response) => json(response, 200, {}));
    const error = await refusal(get(client(origin.replace("http:", "https:"))));
    expect(error.message).toContain("does not speak TLS");
  });

  it("does not speak HTTP", async () => {
    const server = createRawServer((socket) => {
      socket.on("error", () => {});
      socket.end("SSH-2.0-body-canary\r\n", () => socket.destroy());
    });
    const port = await listen(server);
    open.push(() => new Promise((closed) => server.close(closed)));
    expect((await refusal(get(client(`http://127.0.0.1:${port}`)))).code).toBe("provider_unavailable");
  });
});

describe("certificates", () => {
  it("refuses one that vouches for itself, says that ca exists, and takes it once it stands there", async () => {
    const tls = selfSigned();
    const { origin, seen } = await host((response) => json(response, 200, {}), tls);
    const error = await refusal(get(client(origin)));
    expect(error.message).toContain("shows a certificate that is signed by itself");
    expect(error.hint).toContain("the vault's ca option");
    const { hint } = await refusal(get(client(origin, { options: { address: "url" } })));
    expect(hint).toBe("tell the user to have the server show a certificate of a public authority");
    expect(seen).toEqual([]);
    const ca = await readCa(tls.cert, "/");
    expect(await get(client(origin, { ca }))).toMatchObject({ status: 200 });
  });

  it("takes no other authority than the one in ca", async () => {
    const { origin, seen } = await host((response) => json(response, 200, {}), selfSigned());
    const error = await refusal(get(client(origin, { ca: selfSigned().cert })));
    expect([error.code, seen.length]).toEqual(["provider_unavailable", 0]);
  });

  it("refuses one for another host name, and says that ca does not help", async () => {
    const tls = selfSigned();
    const { origin, seen } = await host((response) => json(response, 200, {}), tls);
    const error = await refusal(get(client(origin.replace("localhost", "127.0.0.1"), { ca: tls.cert })));
    expect(error.message).toContain("shows a certificate for another host name");
    expect(error.hint).toContain("trusting its authority does not change this");
    expect(seen).toEqual([]);
  });

  it("ignores the variable that turns certificates off", async () => {
    const { origin } = await host((response) => json(response, 200, {}), selfSigned());
    process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = "0";
    open.push(() => delete process.env["NODE_TLS_REJECT_UNAUTHORIZED"]);
    expect((await refusal(get(client(origin)))).message).toContain("shows a certificate that is signed by itself");
  });

  it.skipIf(!hasOpenssl())("refuses one that has expired, and one of an authority nobody knows", async () => {
    const folder = mkdtempSync(join(tmpdir(), "agent-vault-tls-"));
    open.push(() => rmSync(folder, { recursive: true }));
    const { authority, leaf, expired } = certificates(folder);
    const unknown = await host((response) => json(response, 200, {}), leaf);
    expect((await refusal(get(client(unknown.origin)))).message).toContain("from an authority that is not known here");
    expect(await get(client(unknown.origin, { ca: await readCa(authority, "/") }))).toMatchObject({ status: 200 });
    const old = await host((response) => json(response, 200, {}), expired);
    const error = await refusal(get(client(old.origin, { ca: expired.cert })));
    expect(error.message).toContain("shows a certificate that has expired");
  });
});

describe("the ca option", () => {
  it("is a file beside the configuration, or its text, of which the certificates are taken", async () => {
    const folder = mkdtempSync(join(tmpdir(), "agent-vault-ca-"));
    open.push(() => rmSync(folder, { recursive: true }));
    const { key, cert } = selfSigned();
    writeFileSync(join(folder, "ca.pem"), `a comment\n${key}${cert}${cert}`);
    const read = await readCa("ca.pem", folder);
    expect(read).not.toContain("PRIVATE KEY");
    expect(read.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    expect((await readCa(cert, folder)).trim()).toBe(cert.trim());
  });

  it.each([
    ["nowhere.pem", /^the ca file .*nowhere\.pem cannot be read \(ENOENT\)$/],
    ["empty.pem", /^the ca file .*empty\.pem holds no certificate$/],
    ["broken.pem", /^the ca file .*broken\.pem holds a certificate that cannot be read$/],
    ["-----BEGIN PRIVATE KEY-----\nbody-canary", /^the ca option holds no certificate$/],
  ])("says what is wrong with %s", async (ca, message) => {
    const folder = mkdtempSync(join(tmpdir(), "agent-vault-ca-"));
    open.push(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, "empty.pem"), "body-canary");
    writeFileSync(join(folder, "broken.pem"), "-----BEGIN CERTIFICATE-----\nbody-canary\n-----END CERTIFICATE-----\n");
    const error = await refusal(readCa(ca, folder));
    expect(error).toMatchObject({ code: "config_invalid", message: expect.stringMatching(message) as string });
  });
});

/** Something that happens once. */
function moment(): { readonly come: () => void; readonly came: Promise<void> } {
  let come = (): void => {};
  const came = new Promise<void>((resolve) => (come = resolve));
  return { come: () => come(), came };
}

function hasOpenssl(): boolean {
  try {
    execFileSync("openssl", ["version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** An authority, a certificate it signed, and one that vouches for itself and is over. */
function certificates(folder: string) {
  const run = (...args: string[]): void => void execFileSync("openssl", args, { cwd: folder, stdio: "ignore" });
  const read = (name: string): string => readFileSync(join(folder, name), "utf8");
  const ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const names = "subjectAltName=DNS:localhost";
  run("req", "-x509", ...ec, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Test CA", "-days", "2");
  run("req", ...ec, "-keyout", "leaf.key", "-out", "leaf.csr", "-subj", "/CN=localhost");
  writeFileSync(join(folder, "ext"), names);
  const signing = ["-in", "leaf.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "ext"];
  run("x509", "-req", ...signing, "-out", "leaf.pem", "-days", "2");
  run("x509", "-req", "-in", "leaf.csr", "-signkey", "leaf.key", "-extfile", "ext", "-out", "old.pem", "-days", "-1");
  const leafKey = read("leaf.key");
  return {
    authority: read("ca.pem"),
    leaf: { key: leafKey, cert: read("leaf.pem") },
    expired: { key: leafKey, cert: read("old.pem") },
  };
}
