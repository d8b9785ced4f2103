import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ntfyMessage } from "../../src/channels/ntfy-message.ts";
import { ntfy } from "../../src/channels/ntfy.ts";
import { VaultError } from "../../src/core/errors.ts";
import type { Clock } from "../../src/core/clock.ts";
import type { Channel, Notice } from "../../src/core/ports.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { type FakeNtfy, refuse, startFakeNtfy } from "./fake-ntfy.ts";
import { HOSTILE_NAMES } from "./hostile-names.ts";

const TOPIC = "av-hunter2-topic-4711";
const TOKEN = "tk_hunter2token4711";
const PUBLIC = "https://abc.ngrok-free.app/approve/hunter2linkhunter2link";
const LOCAL = "http://localhost:9999/approve/hunter2linkhunter2link";
const never = new AbortController().signal;

let server: FakeNtfy;
let clock: FakeClock;
beforeEach(async () => {
  server = await startFakeNtfy();
  clock = new FakeClock();
});
afterEach(() => server.close());

const notice = (change: Partial<Notice> = {}): Notice => ({
  vault: "prod",
  action: "read",
  count: 2,
  link: { local: LOCAL, public: PUBLIC },
  expiresAt: clock.now() + 15 * 60_000,
  ...change,
});

function open(options: Record<string, unknown> = {}, on: Clock = clock): Channel {
  return ntfy.open({ type: "ntfy", topic: TOPIC, server: server.url, ...options }, { clock: on, environment: {} });
}

/** What the ring failed with, after making sure that it gives nothing away. */
async function failure(ring: Promise<void>): Promise<VaultError> {
  const error: unknown = await ring.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(VaultError);
  const whole = inspect(error, { depth: Infinity, showHidden: true });
  expect(whole).not.toContain("hunter2");
  const failed = error as VaultError; // asserted two lines above
  expect(failed.code).toBe("channel_unavailable");
  expect(failed.message).not.toMatch(/[\n.]$|\n/);
  return failed;
}

/** A clock that tells when somebody begins to wait for this long. */
function watched(ms: (waited: number) => boolean): { clock: Clock; armed: Promise<void> } {
  let tell = (): void => {};
  const armed = new Promise<void>((resolve) => {
    tell = resolve;
  });
  const after: Clock["after"] = (wait, run) => {
    const cancel = clock.after(wait, run);
    if (ms(wait)) tell();
    return cancel;
  };
  return { clock: { now: clock.now, mono: clock.mono, after }, armed };
}

describe("the message", () => {
  it("is one POST of JSON to the root, with the link to tap and to press", async () => {
    await open({ token: TOKEN }).ring(notice(), never);
    expect(server.posted).toHaveLength(1);
    const [posted] = server.posted;
    expect([posted?.method, posted?.path]).toEqual(["POST", "/"]);
    expect(posted?.headers["content-type"]).toBe("application/json");
    expect(posted?.headers.authorization).toBe(`Bearer ${TOKEN}`);
    expect(JSON.parse(posted?.body ?? "")).toEqual({
      topic: TOPIC,
      title: "Approval needed: read 2 secrets",
      message: 'An agent waits for your answer about the vault "prod". It waits for another 15 minutes.',
      priority: 4,
      tags: ["agent-vault"],
      click: PUBLIC,
      actions: [{ action: "view", label: "Review", url: PUBLIC, clear: true }],
    });
  });

  it("leads to the computer when there is no public link, and says why", async () => {
    const link = { local: LOCAL, trouble: "ngrok cannot be reached from this computer" };
    await open().ring(notice({ action: "write", count: 1, link, expiresAt: clock.now() + 20_000 }), never);
    expect(server.posted[0]?.headers.authorization).toBeUndefined();
    expect(JSON.parse(server.posted[0]?.body ?? "")).toEqual({
      topic: TOPIC,
      title: "Approval needed: write 1 secret",
      message: [
        'An agent waits for your answer about the vault "prod". It waits for another minute.',
        `This can only be answered on the computer where the agent runs, at ${LOCAL}`,
        "Why: ngrok cannot be reached from this computer",
      ].join("\n"),
      priority: 4,
      tags: ["agent-vault"],
    });
  });

  it("posts below the folder of a reverse proxy", async () => {
    server.next((response) => response.end(JSON.stringify({ id: "x", event: "message" })));
    await open({ server: `${server.url}/push` }).ring(notice(), never);
    expect(server.posted[0]?.path).toBe("/push/");
  });

  /** Whether a text can only be read: nothing unseen, nothing that rearranges, and short enough for a push message. */
  function isInert(message: string, lines: number): boolean {
    return (
      !/[\p{C}\p{Zl}\p{Zp}]/u.test(message.replaceAll("\n", "")) &&
      message.split("\n").length === lines &&
      Buffer.byteLength(message) <= 4096
    );
  }

  it("keeps 200 hostile vault names inert and bounded", async () => {
    expect(new Set(HOSTILE_NAMES).size).toBe(200);
    const channel = open();
    for (const vault of HOSTILE_NAMES) await channel.ring(notice({ vault }), never);
    expect(server.posted).toHaveLength(200);
    const seen = server.posted.map(({ body }) => JSON.parse(body) as Record<string, unknown>);
    expect(seen.filter(({ message }) => !isInert(String(message), 1))).toEqual([]);
    for (const message of seen) {
      expect(Object.keys(message)).toEqual(["topic", "title", "message", "priority", "tags", "click", "actions"]);
      expect(message["title"]).toBe("Approval needed: read 2 secrets");
      expect(message["click"]).toBe(PUBLIC);
    }
  });

  it("would be found out if a name went in as it came", () => {
    const raw = HOSTILE_NAMES.map((vault) =>
      ntfyMessage(notice({ vault: "NAME" }), clock.now()).message.replace("NAME", () => vault),
    );
    expect(raw.filter((message) => !isInert(message, 1)).length).toBeGreaterThan(150);
  });

  it("keeps a trouble of any length within a push message", () => {
    const link = { local: LOCAL, trouble: "\u{1F512}\u202E".repeat(50_000) };
    const { message } = ntfyMessage(notice({ link, vault: HOSTILE_NAMES.at(-1) ?? "" }), clock.now());
    expect(isInert(message, 3)).toBe(true);
  });
});

describe("a failure is one plain line", () => {
  const rows: [string, () => Promise<void>, RegExp][] = [
    [
      "a wrong token",
      () => ringWith(refuse(401, 40101, "unauthorized"), { token: TOKEN }),
      /refuses the configured token/,
    ],
    ["a protected topic", () => ringWith(refuse(401, 40101, "unauthorized")), /refuses a message without a token/],
    [
      "a token without the right",
      () => ringWith(refuse(403, 40301, "forbidden"), { token: TOKEN }),
      /refuses the configured token/,
    ],
    ["a reserved topic", () => ringWith(refuse(403, 40301, "forbidden")), /the topic is reserved by somebody else/],
    [
      "a message it does not like",
      () => ringWith(refuse(400, 40018, `bad ${TOPIC}`)),
      /did not take the message \(status 400\) \(code 40018\)$/,
    ],
    ["a broken server", () => ringWith(refuse(500, 50001, "internal")), /out of order \(status 500\)/],
    ["a page that is not JSON", () => ringWith((r) => r.end(`<h1>Log in ${TOKEN}</h1>`)), /is not ntfy/],
    [
      "JSON of somebody else",
      () => ringWith((r) => r.end(JSON.stringify({ ok: true, id: 7, event: TOKEN }))),
      /is not ntfy/,
    ],
    [
      "an answer that ends early",
      () => ringWith((r) => void r.writeHead(200, { "content-length": "99" }).write("{", () => r.destroy())),
      /cannot be reached/,
    ],
    [
      "a closed connection",
      () => ringWith((r) => r.destroy()),
      /cannot be reached \(UND_ERR_SOCKET\)|cannot be reached \(ECONNRESET\)/,
    ],
  ];
  it.each(rows)("for %s", async (_, ring, expected) => {
    const { message, hint } = await failure(ring());
    expect(message).toMatch(expected);
    expect(hint).toBeTruthy();
  });

  function ringWith(behaviour: Parameters<FakeNtfy["next"]>[0], options: Record<string, unknown> = {}): Promise<void> {
    server.next(behaviour);
    return open(options).ring(notice(), never);
  }

  it("for a server that is not there", async () => {
    await server.close();
    expect((await failure(open({ token: TOKEN }).ring(notice(), never))).message).toMatch(
      /^ntfy at 127\.0\.0\.1:\d+ cannot be reached \(ECONNREFUSED\)$/,
    );
  });

  it("for a redirect, which is not followed with the token in hand", async () => {
    const elsewhere = await startFakeNtfy();
    server.next((response) => response.writeHead(307, { location: `${elsewhere.url}/` }).end());
    expect((await failure(open({ token: TOKEN }).ring(notice(), never))).message).toMatch(/sends us elsewhere/);
    expect(elsewhere.posted).toEqual([]);
    await elsewhere.close();
  });

  it("for a server that never answers, after ten seconds", async () => {
    server.next(() => {});
    const ring = failure(open().ring(notice(), never));
    await server.received(1);
    clock.advance(10_000);
    expect((await ring).message).toMatch(/did not answer within 10 seconds/);
  });

  it("for a server that begins an answer and never ends it", async () => {
    const { promise: begun, begin } = signalled();
    server.next((response) => void response.writeHead(200).write('{"id":', begin));
    const ring = failure(open().ring(notice(), never));
    await begun;
    clock.advance(10_000);
    expect((await ring).message).toMatch(/did not answer within 10 seconds/);
  });

  it("for a body without end, of which little is read", async () => {
    let sent = 0;
    const { promise: stopped, begin: stop } = signalled();
    server.next((response) => {
      const flood = (): void => {
        while (!response.destroyed && response.write("x".repeat(65_536))) sent += 65_536;
      };
      response.on("drain", flood).on("close", stop);
      flood();
    });
    expect((await failure(open().ring(notice(), never))).message).toMatch(/is not ntfy/);
    await stopped;
    expect(sent).toBeLessThan(32 * 1_048_576);
  });
});

function signalled(): { promise: Promise<void>; begin: () => void } {
  let begin = (): void => {};
  const promise = new Promise<void>((resolve) => {
    begin = resolve;
  });
  return { promise, begin };
}

describe("a busy server", () => {
  const busy = (headers: Record<string, string> = {}) =>
    refuse(429, 42901, "limit reached: too many requests", headers);

  it("is asked once more after the time it names", async () => {
    server.next(busy({ "retry-after": "3" }));
    const watch = watched((ms) => ms === 3_000);
    const ring = open({}, watch.clock).ring(notice(), never);
    await watch.armed;
    clock.advance(2_999);
    expect(server.posted).toHaveLength(1);
    clock.advance(1);
    await ring;
    expect(server.posted).toHaveLength(2);
    expect(server.posted[1]?.body).toBe(server.posted[0]?.body);
  });

  it("is asked once more at the date it names", async () => {
    server.next(refuse(503, 50301, "down", { "retry-after": new Date(clock.now() + 5_000).toUTCString() }));
    const watch = watched((ms) => ms === 5_000);
    const ring = open({}, watch.clock).ring(notice(), never);
    await watch.armed;
    clock.advance(5_000);
    await ring;
    expect(server.posted).toHaveLength(2);
  });

  it("is asked twice and not a third time", async () => {
    server.next(busy(), busy({ "retry-after": "1" }));
    const watch = watched((ms) => ms === 1_000);
    const ring = failure(open({}, watch.clock).ring(notice(), never));
    await watch.armed;
    clock.advance(1_000);
    expect((await ring).message).toMatch(/takes no more messages from here for now \(code 42901\)$/);
    expect(server.posted).toHaveLength(2);
  });

  it("is not waited for past the deadline", async () => {
    server.next(busy({ "retry-after": "10" }));
    expect((await failure(open().ring(notice(), never))).message).toMatch(/takes no more messages/);
    expect(server.posted).toHaveLength(1);
  });

  it("is left alone when the request ends meanwhile", async () => {
    server.next(busy({ "retry-after": "3" }));
    const watch = watched((ms) => ms === 3_000);
    const end = new AbortController();
    const ring = open({}, watch.clock).ring(notice(), end.signal);
    await watch.armed;
    end.abort();
    await ring;
    clock.advance(60_000);
    expect(server.posted).toHaveLength(1);
  });
});

it("sends nothing for a request that is over", async () => {
  await open().ring(notice(), AbortSignal.abort());
  expect(server.posted).toEqual([]);
});

describe("the options", () => {
  const refused: [string, Record<string, unknown>][] = [
    ["no topic", { topic: undefined }],
    ["a topic with a slash", { topic: "a/b" }],
    ["a topic that is too long", { topic: "a".repeat(65) }],
    ["http to another machine", { server: "http://ntfy.example" }],
    ["http to a name that only looks local", { server: "http://127.0.0.1.example" }],
    ["a password in the address", { server: "https://hunter2:4711@ntfy.example" }],
    ["a query in the address", { server: "https://ntfy.example/?hunter2" }],
    ["not an address", { server: "hunter2" }],
    ["a token with a line break in it", { token: "tk_hunter2\r\nX-Admin: 1" }],
    ["a variable that is not set", { token: "env:NTFY_TOKEN" }],
    ["a word it does not know", { names: true }],
  ];
  it.each(refused)("refuse %s without repeating it", (_, options) => {
    let thrown: unknown;
    try {
      open(options);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ code: "config_invalid" });
    expect(inspect(thrown, { depth: Infinity, showHidden: true })).not.toContain("hunter2");
  });

  it.each(["https://ntfy.sh", "https://push.example/ntfy/", "http://localhost:8080", "http://[::1]:80"])(
    "take %s",
    (url) => {
      expect(open({ server: url }).name).toBe("ntfy");
    },
  );

  it("keep topic and token from being printed", () => {
    const printed = inspect(open({ token: TOKEN }), { depth: Infinity, showHidden: true });
    expect(printed).not.toContain("hunter2");
  });
});
