import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { VaultError } from "../../src/core/errors.ts";
import type { OpenTunnel } from "../../src/core/ports.ts";
import type { NgrokSdk } from "../../src/tunnels/ngrok-sdk.ts";
import { ngrokTunnel } from "../../src/tunnels/ngrok.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { type FakeNgrok, fakeNgrok, later, type Steps } from "./fake-ngrok.ts";

const TOKEN = "2hunter2-4711-ngrok-token";
const never = new AbortController().signal;

interface Setup {
  readonly clock: FakeClock;
  readonly fake: FakeNgrok;
  readonly lost: VaultError[];
  readonly open: (signal?: AbortSignal) => Promise<OpenTunnel>;
}

function setup(steps: Steps = {}, domain?: string): Setup {
  const clock = new FakeClock();
  const fake = fakeNgrok(steps);
  const lost: VaultError[] = [];
  const tunnel = ngrokTunnel({ authToken: TOKEN, domain, clock, load: async () => fake.sdk });
  return { clock, fake, lost, open: (signal = never) => tunnel.open(9999, (why) => lost.push(why), signal) };
}

/** What opening failed with, after making sure that it is one plain sentence with a remedy and no token. */
async function failure(opening: Promise<OpenTunnel>): Promise<VaultError> {
  const error: unknown = await opening.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(VaultError);
  const failed = error as VaultError; // asserted in the line above
  expect(inspect(failed, { depth: Infinity, showHidden: true })).not.toContain("hunter2");
  expect(failed.code).toBe("tunnel_unavailable");
  for (const sentence of [failed.message, failed.hint ?? ""]) expect(sentence).toMatch(/^\S[^\n]{10,200}[^.\s]$/);
  return failed;
}

/** Lets everything that is already due happen. */
function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

describe("opening", () => {
  it("leads from ngrok's address to the page on the loopback", async () => {
    const { fake, open } = setup();
    expect((await open()).origin).toBe("https://abc.ngrok-free.app");
    expect([fake.token(), fake.domain(), fake.forwardsTo()]).toEqual([TOKEN, undefined, "http://127.0.0.1:9999"]);
  });

  it("asks for the configured domain", async () => {
    const { fake, open } = setup({}, "vault.example.com");
    await open();
    expect(fake.domain()).toBe("vault.example.com");
  });

  it.each([null, "", "http://abc.ngrok-free.app", "tcp://1.tcp.ngrok.io:1234"])(
    "refuses the address %s",
    async (url) => {
      const { fake, open } = setup({ url });
      expect((await failure(open())).message).toMatch(/without a usable https address/);
      expect(fake.bound()).toBe(0);
    },
  );

  it("needs a token, and does not load anything to say so", async () => {
    let loaded = false;
    const load = async (): Promise<NgrokSdk> => {
      loaded = true;
      return fakeNgrok().sdk;
    };
    const tunnel = ngrokTunnel({ clock: new FakeClock(), load });
    expect((await failure(tunnel.open(9999, () => {}, never))).message).toMatch(/ngrok has no token/);
    expect(loaded).toBe(false);
  });

  it("says so when the native part is not there", async () => {
    const load = async (): Promise<NgrokSdk> => {
      throw new Error("Cannot find module '@ngrok/ngrok-linux-x64-gnu'");
    };
    const tunnel = ngrokTunnel({ authToken: TOKEN, clock: new FakeClock(), load });
    expect((await failure(tunnel.open(9999, () => {}, never))).message).toBe(
      `the part of ngrok for ${process.platform} on ${process.arch} is not installed`,
    );
  });
});

describe("a refusal becomes one sentence and its remedy", () => {
  const rows: [number, string, RegExp, RegExp][] = [
    [
      105,
      `The authtoken you specified does not look like a proper ngrok authtoken.\nYour authtoken: ${TOKEN}`,
      /does not take the configured token/,
      /your-authtoken/,
    ],
    [106, "is an ngrok v1 authtoken", /of an old kind/, /your-authtoken/],
    [107, "is properly formed, but it is invalid", /revoked, replaced/, /your-authtoken/],
    [
      108,
      "Your account is limited to 3 simultaneous ngrok agent sessions.",
      /as many sessions as its plan allows/,
      /dashboard.ngrok.com\/agents/,
    ],
    [120, "agent version is no longer supported", /no longer accepts the version/, /update agent-vault/],
    [121, "agent version is too old", /no longer accepts the version/, /update agent-vault/],
    [319, "not reserved", /has not reserved av\.example\.com/, /dashboard.ngrok.com\/domains/],
    [320, "reserved for another account", /av\.example\.com is reserved by another/, /dashboard.ngrok.com\/domains/],
    [
      334,
      "The endpoint 'https://av.example.com' is already online.",
      /another session already uses the ngrok domain av\.example\.com/,
      /one domain.*link on this computer keeps working/,
    ],
    [725, "bandwidth", /used up its bandwidth for the month/, /billing/],
    [727, "requests", /used up its requests for the month/, /billing/],
    [734, "rate", /takes no more requests for this account just now/, /wait a minute/],
    [
      4018,
      "Usage of ngrok requires a verified account and authtoken.",
      /account with a verified address/,
      /ngrokAuthToken/,
    ],
    [9999, `something new about ${TOKEN}`, /refused to open a tunnel with ERR_NGROK_9999/, /err_ngrok_9999/],
  ];

  it.each(rows)("ERR_NGROK_%i from connecting, where the SDK sets errorCode", async (number, text, message, hint) => {
    const thrown = Object.assign(new Error(`failed to connect session: ${text}\n\nERR_NGROK_${number}\n`), {
      code: "GenericFailure",
      errorCode: `ERR_NGROK_${number}`,
    });
    const failed = await failure(setup({ connect: () => Promise.reject(thrown) }, "av.example.com").open());
    expect(failed.message).toMatch(message);
    expect(failed.hint).toMatch(hint);
  });

  it.each(rows)(
    "ERR_NGROK_%i from listening, where only the text has it, and the session is closed",
    async (number, text, message) => {
      const thrown = new Error(`failed to start listener: ${text} error_code: ERR_NGROK_${number}`);
      const { fake, open } = setup({ listen: () => Promise.reject(thrown) }, "av.example.com");
      expect((await failure(open())).message).toMatch(message);
      expect(fake.bound()).toBe(0);
    },
  );

  it("also where no domain is configured", async () => {
    const thrown = new Error("failed to start listener: already online error_code: ERR_NGROK_334");
    expect((await failure(setup({ listen: () => Promise.reject(thrown) }).open())).message).toBe(
      "another session already uses this ngrok domain",
    );
  });

  it.each([
    ["failed to connect session: failed to establish tcp connection", /cannot be reached from this computer/],
    ["failed to connect session: failed to connect through proxy", /cannot be reached from this computer/],
    ["failed to connect session: tls handshake error", /breaks the encrypted connection/],
    [`something else, ${TOKEN}`, /gave no reason/],
  ])("%s", async (text, message) => {
    expect((await failure(setup({ connect: () => Promise.reject(new Error(text)) }).open())).message).toMatch(message);
  });

  it("whatever is thrown", async () => {
    for (const thrown of [undefined, null, TOKEN, { message: TOKEN, errorCode: 7 }]) {
      // oxlint-disable-next-line no-await-in-loop, prefer-promise-reject-errors -- one after the other; a library may throw anything
      const failed = await failure(setup({ connect: () => Promise.reject(thrown) }).open());
      expect(failed.message).toMatch(/gave no reason/);
    }
  });
});

describe("an SDK that does not answer", () => {
  it("is given up after ten seconds, and what it then connects is used the next time", async () => {
    const answer = later<void>();
    const { clock, fake, open } = setup({ connect: () => answer.promise });
    const opening = failure(open());
    await fake.connecting;
    clock.advance(9_999);
    await settle();
    clock.advance(1);
    expect((await opening).message).toBe("ngrok did not answer within 10 seconds");
    answer.resolve();
    await settle();
    expect(fake.done).toEqual(["connect"]);
    await open();
    expect(fake.done).toEqual(["connect", "bind"]);
  });

  it("while it listens is given up at the same time, and the address that comes too late is given back", async () => {
    const answer = later<void>();
    const { clock, fake, open } = setup({ listen: () => answer.promise });
    const opening = failure(open());
    await fake.listening;
    clock.advance(10_000);
    expect((await opening).message).toBe("ngrok did not answer within 10 seconds");
    answer.resolve();
    await settle();
    expect(fake.done).toEqual(["connect", "bind", "unbind"]);
  });

  it("gets ten seconds in all, not for each step", async () => {
    const [connected, bound] = [later<void>(), later<void>()];
    const { clock, fake, open } = setup({ connect: () => connected.promise, listen: () => bound.promise });
    const opening = failure(open());
    await fake.connecting;
    clock.advance(6_000);
    connected.resolve();
    await fake.listening;
    clock.advance(4_000);
    expect((await opening).message).toBe("ngrok did not answer within 10 seconds");
  });

  it("is given up when the caller gives up", async () => {
    const stop = new AbortController();
    const answer = later<void>();
    const { fake, open } = setup({ listen: () => answer.promise });
    const opening = failure(open(stop.signal));
    await fake.listening;
    stop.abort();
    expect((await opening).message).toMatch(/given up before it stood/);
    answer.resolve();
    await settle();
    expect(fake.bound()).toBe(0);
  });

  it("is not even asked when the caller has given up already", async () => {
    const { fake, open } = setup();
    await failure(open(AbortSignal.abort()));
    expect(fake.token()).toBeUndefined();
  });

  it("may fail later without anybody hearing of it", async () => {
    const answer = later<void>();
    const { clock, fake, open } = setup({ connect: () => answer.promise });
    const opening = failure(open());
    await fake.connecting;
    clock.advance(10_000);
    await opening;
    answer.reject(new Error("failed to connect session"));
    await settle();
    expect(fake.done).toEqual([]);
  });

  it("leaves the deadline without effect once it has answered", async () => {
    const { clock, fake, lost, open } = setup();
    await open();
    clock.advance(60_000);
    await settle();
    expect([fake.bound(), lost.length]).toEqual([1, 0]);
  });
});

describe("a tunnel that stands", () => {
  it("is lost when forwarding ends, said once", async () => {
    const { fake, lost, open } = setup();
    await open();
    fake.endForwarding();
    await settle();
    fake.stopCommand();
    await settle();
    expect(lost.map(({ code, message }) => [code, message])).toEqual([
      ["tunnel_unavailable", "the connection to ngrok was lost and did not come back"],
    ]);
    expect(fake.bound()).toBe(0);
  });

  it("is lost when forwarding fails", async () => {
    const { fake, lost, open } = setup();
    await open();
    fake.endForwarding(new Error(`error on join: ${TOKEN}`));
    await settle();
    expect(lost).toHaveLength(1);
    expect(inspect(lost, { depth: Infinity, showHidden: true })).not.toContain("hunter2");
  });

  it("survives a connection that comes back and holds", async () => {
    const { clock, fake, lost, open } = setup();
    await open();
    expect(fake.breakOff()).toBe(true);
    clock.advance(15_000);
    fake.heartbeat();
    clock.advance(10_000);
    fake.heartbeat();
    clock.advance(60_000);
    await settle();
    expect([fake.bound(), lost.length]).toEqual([1, 0]);
  });

  it("is lost when the connection comes back only to break again, since ngrok refuses the address", async () => {
    const { clock, fake, lost, open } = setup();
    await open();
    for (let tries = 0; tries < 3; tries++) {
      fake.breakOff();
      fake.heartbeat();
      clock.advance(9_999);
    }
    expect(lost).toHaveLength(0);
    clock.advance(3);
    expect(lost).toHaveLength(1);
    await settle();
    expect(fake.done).toEqual(["connect", "bind", "unbind", "close"]);
  });

  it("is lost when heartbeats stay out, though nothing breaks", async () => {
    const { clock, fake, lost, open } = setup();
    await open();
    fake.heartbeat(null);
    clock.advance(25_000);
    fake.heartbeat(null);
    clock.advance(5_000);
    expect(lost).toHaveLength(1);
    await settle();
    expect(fake.done).toEqual(["connect", "bind", "unbind", "close"]);
  });

  it("is lost when the connection stays away for 30 seconds, however often the SDK tries", async () => {
    const { clock, fake, lost, open } = setup();
    await open();
    for (let tries = 0; tries < 6; tries++) {
      fake.breakOff();
      clock.advance(5_000);
    }
    expect(lost).toHaveLength(1);
    await settle();
    expect(fake.done).toEqual(["connect", "bind", "unbind", "close"]);
  });

  it("is not handed out when it has ended already", async () => {
    const answer = later<void>();
    const { fake, lost, open } = setup({ listen: () => answer.promise });
    const opening = open();
    await fake.listening;
    fake.stopCommand();
    answer.resolve();
    expect((await failure(opening)).message).toMatch(/stopped from the ngrok dashboard/);
    await settle();
    expect([fake.bound(), lost.length]).toEqual([0, 0]);
  });

  it("ends when somebody stops it from the dashboard", async () => {
    const { fake, lost, open } = setup();
    await open();
    fake.stopCommand();
    await settle();
    expect(lost.map(({ message }) => message)).toEqual(["the tunnel was stopped from the ngrok dashboard"]);
    expect(fake.bound()).toBe(0);
  });

  it("closes address before session, and what comes after is no loss", async () => {
    const { clock, fake, lost, open } = setup();
    const tunnel = await open();
    fake.breakOff();
    await tunnel.close();
    expect(fake.done).toEqual(["connect", "bind", "unbind", "close"]);
    fake.endForwarding();
    fake.breakOff();
    clock.advance(60_000);
    await settle();
    expect(lost).toEqual([]);
  });

  it("closes within a second when ngrok does not answer, and although it fails", async () => {
    for (const step of ["unlisten", "close"] as const) {
      const hanging = setup({ [step]: () => new Promise(() => {}) });
      const tunnel = await hanging.open();
      const closing = tunnel.close();
      await settle();
      hanging.clock.advance(1_000);
      await closing;
      const failing = setup({ [step]: () => Promise.reject(new Error(`failed to close ${TOKEN}`)) });
      await (await failing.open()).close();
      expect(failing.fake.done).toEqual(["connect", "bind", "unbind", "close"]);
      expect([...hanging.lost, ...failing.lost]).toEqual([]);
    }
  });
});

describe("the session with ngrok, of which an account has few", () => {
  it("is used again after a refusal", async () => {
    let taken = true;
    const refusal = new Error("failed to start listener: already online error_code: ERR_NGROK_334");
    const { fake, open } = setup({ listen: () => (taken ? Promise.reject(refusal) : Promise.resolve()) });
    for (let tries = 0; tries < 5; tries++) await failure(open());
    taken = false;
    await open();
    expect(fake.done).toEqual(["connect", "bind"]);
  });

  it("is used again when only the forwarding has ended", async () => {
    const { fake, lost, open } = setup();
    await open();
    fake.endForwarding();
    await settle();
    expect([lost.length, fake.done]).toEqual([1, ["connect", "bind", "unbind"]]);
  });

  it("is a new one after it was lost, stopped or closed", async () => {
    const { clock, fake, open } = setup();
    await open();
    fake.breakOff();
    clock.advance(30_000);
    await settle();
    await open();
    fake.stopCommand();
    await settle();
    const tunnel = await open();
    await tunnel.close();
    await open();
    expect(fake.done.filter((what) => what === "connect")).toHaveLength(4);
    expect(fake.bound()).toBe(1);
  });

  it("is a new one after connecting failed", async () => {
    let down = true;
    const { fake, open } = setup({
      connect: () => (down ? Promise.reject(new Error("tcp connection")) : Promise.resolve()),
    });
    await failure(open());
    down = false;
    await open();
    expect(fake.done).toEqual(["connect", "bind"]);
  });
});
