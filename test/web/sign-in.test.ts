import { afterEach, describe, expect, it } from "vitest";
import { createAuthenticator, recordOf } from "../support/authenticator.ts";
import { cookieOf, PAGE_KEY, startInbox } from "../support/inbox.ts";
import { fakeNotes } from "../support/provider-context.ts";
import { browserHeaders, send, textOf } from "../support/web.ts";

type Started = Awaited<ReturnType<typeof startInbox>>;

const open: Started[] = [];
afterEach(async () => {
  for (const { web } of open.splice(0)) await web.close();
});

async function start(options: Parameters<typeof startInbox>[0] = {}): Promise<Started> {
  const started = await startInbox(options);
  open.push(started);
  return started;
}

const DAY_MS = 24 * 3_600_000;
const isInbox = (text: string): boolean => text.includes("Sign out");

describe("signing in", () => {
  it("lets the passkey of an approver in, with a cookie that no script and no other site gets", async () => {
    const { trySignIn, get, refused } = await start();
    const reply = await trySignIn();
    expect(reply.status).toBe(303);
    expect(refused).toEqual([]);
    expect(reply.headers["location"]).toBe("/inbox");
    expect(reply.headers["set-cookie"]).toEqual([
      expect.stringMatching(/^agent-vault-\d+=[\w-]{43}; Max-Age=2592000; Path=\/; HttpOnly; SameSite=Strict$/),
    ]);
    expect(isInbox((await get("/inbox", cookieOf(reply))).text)).toBe(true);
  });

  it("names the cookie on https so that no host beside ours can set it", async () => {
    const { web, phone, challenge, notes } = await start();
    web.setPublicOrigin("https://name.example");
    notes("approvers").put(phone.credentialId, {
      ...recordOf(phone),
      origin: "https://name.example",
      rpId: "name.example",
    });
    const headers = { ...browserHeaders(web.port), Host: "name.example", Origin: "https://name.example" };
    const seal =
      /name="seal" value="([\w-]+)"/.exec((await send(web.port, { path: "/inbox", headers })).text)?.[1] ?? "";
    const body = new URLSearchParams({ seal }).toString();
    const { decision, options } = JSON.parse(
      (await send(web.port, { method: "POST", path: "/inbox/challenge", headers, body })).text,
    ) as Awaited<ReturnType<typeof challenge>>;
    phone.origin = "https://name.example";
    const signed = JSON.stringify({ decision, response: phone.sign(options) });
    const reply = await send(web.port, {
      method: "POST",
      path: "/inbox",
      headers,
      body: new URLSearchParams({ seal, do: "sign-in", signed }).toString(),
    });
    expect(reply.headers["set-cookie"]).toEqual([
      expect.stringMatching(/^__Host-agent-vault=[\w-]{43}; .*; Path=\/; HttpOnly; SameSite=Strict; Secure$/),
    ]);
    // What was signed in there is nobody on this machine's own address.
    const cookie = cookieOf(reply).replace("__Host-agent-vault", `agent-vault-${web.port}`);
    expect(isInbox((await send(web.port, { path: "/inbox", headers: { Cookie: cookie } })).text)).toBe(false);
  });

  it("takes more than a cookie on this computer, whose ports are all sent it: what the page keeps for itself", async () => {
    const { web, signIn, front, get, tap } = await start();
    front.waits({ names: ["hunter2-4711"] });
    front.opens();
    const cookie = await signIn();
    expect(isInbox((await get("/inbox", cookie)).text)).toBe(true);
    const bare = (await get("/inbox")).text;
    for (const key of [undefined, "", "x".repeat(43), PAGE_KEY.slice(1), `${PAGE_KEY}k`]) {
      const headers = { Cookie: cookie, ...(key !== undefined && { "agent-vault-page": key }) };
      for (const path of ["/", "/inbox", "/inbox/live?version=x"]) {
        expect((await send(web.port, { path, headers })).text).toBe(bare);
      }
      await tap(cookie, { do: "revoke-all", key: key ?? "" });
    }
    expect(front.ended).toEqual([]);
    expect(isInbox((await get("/inbox", cookie)).text)).toBe(true);
  });

  it("takes a browser that keeps something for our pages", async () => {
    const { challenge, phone, post } = await start();
    const { seal, decision, options } = await challenge();
    const signed = JSON.stringify({ decision, response: phone.sign(options) });
    const reply = await post("/inbox", { seal, do: "sign-in", signed, key: "" });
    expect([reply.status, reply.headers["set-cookie"]]).toEqual([503, undefined]);
  });

  it("takes each signature once, and only in time", async () => {
    const { challenge, phone, post, clock } = await start();
    const once = await challenge();
    const signed = JSON.stringify({ decision: once.decision, response: phone.sign(once.options) });
    const form = { seal: once.seal, do: "sign-in", signed };
    expect((await post("/inbox", form)).status).toBe(303);
    const again = await post("/inbox", form);
    expect(again.status).toBe(403);
    expect(again.headers["set-cookie"]).toBeUndefined();
    const late = await challenge();
    const lateSigned = JSON.stringify({ decision: late.decision, response: phone.sign(late.options) });
    clock.advance(120_001);
    expect((await post("/inbox", { ...form, signed: lateSigned })).status).toBe(403);
  });

  it("takes a signature only once, even in the process that takes the page over", async () => {
    const notes = fakeNotes();
    const formKey = Buffer.alloc(32, 7).toString("base64url");
    const first = await start({ notes, formKey });
    const { seal, decision, options } = await first.challenge();
    const form = { seal, do: "sign-in", signed: JSON.stringify({ decision, response: first.phone.sign(options) }) };
    expect((await first.post("/inbox", form)).status).toBe(303);
    const port = first.web.port;
    await open.splice(0)[0]?.web.close();
    const second = await start({
      notes,
      formKey,
      create: async (wanted) => (await import("../../src/web/server.ts")).createWeb({ ...wanted, port }),
    });
    expect(second.web.port).toBe(port);
    const replayed = await second.post("/inbox", form);
    expect(replayed.status).toBe(403);
    expect(replayed.headers["set-cookie"]).toBeUndefined();
  });

  it.each<[string, (started: Started) => Promise<Record<string, string>>]>([
    [
      "a stranger's passkey",
      async ({ challenge, origin }) => {
        const { seal, decision, options } = await challenge();
        return { seal, signed: JSON.stringify({ decision, response: createAuthenticator({ origin }).sign(options) }) };
      },
    ],
    [
      "a signature for something else",
      async ({ challenge, phone }) => {
        const { seal, decision } = await challenge();
        const other = { ...decision, decision: "approve" as const };
        return { seal, signed: JSON.stringify({ decision: other, response: phone.signed(other).response }) };
      },
    ],
    [
      "a nonce of one's own",
      async ({ challenge, phone, clock }) => {
        const { seal } = await challenge();
        const hashes = ["0-".padEnd(45, "x"), "n".repeat(22)];
        const decision = { v: 1 as const, decision: "sign-in" as const, at: clock.now(), hashes };
        return { seal, signed: JSON.stringify({ decision, response: phone.signed(decision).response }) };
      },
    ],
    [
      "a signature without its owner there",
      async ({ challenge, phone }) => {
        const { seal, decision, options } = await challenge();
        phone.userVerified = false;
        return { seal, signed: JSON.stringify({ decision, response: phone.sign(options) }) };
      },
    ],
    [
      "a signature from another page",
      async ({ challenge, phone }) => {
        const { seal, decision, options } = await challenge();
        phone.origin = "http://localhost:1";
        return { seal, signed: JSON.stringify({ decision, response: phone.sign(options) }) };
      },
    ],
    ["nothing signed", async ({ challenge }) => ({ seal: (await challenge()).seal, signed: "{}" })],
  ])("refuses %s", async (_what, made) => {
    const started = await start();
    const form = await made(started);
    const reply = await started.post("/inbox", { do: "sign-in", ...form });
    expect(reply.status).toBe(403);
    expect(reply.headers["set-cookie"]).toBeUndefined();
    expect(textOf(reply.text)).toContain("That passkey did not sign you in.");
    expect(started.refused).toEqual(["a sign-in to the inbox"]);
  });

  it("names no passkey to whoever asks for a challenge, and remembers nothing of it", async () => {
    const { challenge, notes } = await start();
    const { options } = await challenge();
    expect(options.allowCredentials).toEqual([]);
    expect(notes("inbox").all().size).toBe(0);
  });

  it("keeps only the hash of the cookie", async () => {
    const { signIn, notes } = await start();
    const [, value = ""] = (await signIn()).split("=");
    expect(value).toHaveLength(43);
    const kept = JSON.stringify([...notes("inbox").all()]);
    expect(kept).not.toContain(value);
  });
});

describe("a sign-in", () => {
  it("outlives the process", async () => {
    const notes = fakeNotes();
    const first = await start({ notes });
    const cookie = await first.signIn();
    const port = first.web.port;
    await open.splice(0)[0]?.web.close();
    const create: typeof import("../../src/web/server.ts").createWeb = async (wanted) =>
      (await import("../../src/web/server.ts")).createWeb({ ...wanted, port });
    const second = await start({ notes, create });
    expect(isInbox((await second.get("/inbox", cookie)).text)).toBe(true);
  });

  it("ends with its time, with a clock that is set back, and with the approver", async () => {
    const { signIn, get, clock, notes, phone } = await start();
    const cookie = await signIn();
    const isIn = async (): Promise<boolean> => isInbox((await get("/inbox", cookie)).text);
    const began = clock.now();
    clock.setWall(began + 30 * DAY_MS - 1);
    expect(await isIn()).toBe(true);
    clock.setWall(began + 30 * DAY_MS);
    expect(await isIn()).toBe(false);
    clock.setWall(began - 60_000);
    expect(await isIn()).toBe(false);
    clock.setWall(began);
    expect(await isIn()).toBe(true);
    notes("approvers").delete(phone.credentialId);
    expect(await isIn()).toBe(false);
  });

  it("ends when its phone signs out, and no other does", async () => {
    const { signIn, tap, get } = await start();
    const [mine, other] = [await signIn(), await signIn()];
    const reply = await tap(mine, { do: "sign-out" });
    expect(reply.headers["set-cookie"]).toEqual([expect.stringMatching(/^agent-vault-\d+=; Max-Age=0; /)]);
    expect(isInbox((await get("/inbox", mine)).text)).toBe(false);
    expect(isInbox((await get("/inbox", other)).text)).toBe(true);
  });

  it("is one of a bounded number: the oldest give way", async () => {
    const { signIn, get, notes, clock } = await start();
    const first = await signIn();
    for (let n = 0; n < 32; n++) {
      clock.advance(1_000);
      await signIn();
    }
    const kept = [...notes("inbox").all().keys()].filter((key) => !key.startsWith("nonce"));
    expect(kept).toHaveLength(32);
    expect(isInbox((await get("/inbox", first)).text)).toBe(false);
    clock.advance(31 * DAY_MS);
    await signIn();
    expect(notes("inbox").all().size).toBe(2);
  });
});
