import { afterEach, describe, expect, it } from "vitest";
import { VaultError } from "../../src/core/errors.ts";
import type { Event } from "../../src/core/event.ts";
import { startInbox } from "../support/inbox.ts";
import { textOf } from "../support/web.ts";

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

describe("the inbox", () => {
  it("shows what waits with links, identical ones as one, and how many wait behind", async () => {
    const { front, signIn, get } = await start();
    const token = front.waits();
    const twin = front.waits({ twin: "same", vault: "shop", names: ["A", "B"] });
    front.waits({ twin: "same", vault: "shop", names: ["A", "B"], client: "Cursor" });
    const write = front.waits({ action: "write", names: ["PIN"] });
    const hidden = [1, 2].map(() => front.waits({ isBehind: true }));
    const { text } = await get("/inbox", await signIn());
    const read = textOf(text);
    expect(read).toContain("3 requests waiting");
    expect(read).toContain("Claude Code wants to read DATABASE_URL from prod");
    expect(read).toContain("Claude Code wants to read 2 secrets A, B from shop");
    expect(read).toContain("The same for 2 sessions");
    expect(read).toContain("Claude Code wants to save PIN to prod");
    expect(read).toContain("2 more of Claude Code wait behind these.");
    for (const each of [token, twin, write]) expect(text).toContain(`href="/approve/${each}"`);
    for (const each of hidden) expect(text).not.toContain(each);
  });

  it("shows what is open, and ends one, or all of it, without any signature", async () => {
    const { front, signIn, get, tap } = await start();
    front.opens();
    front.opens({ vault: "dev", scope: "vault", by: "Maria's phone" });
    const { until: _none, ...endless } = { approval: "approval-9", isOnce: true as const, until: 0 };
    front.opens(endless);
    const cookie = await signIn();
    const read = textOf((await get("/inbox", cookie)).text);
    expect(read).toContain("STRIPE_KEY in prod");
    expect(read).toContain("ALL of dev");
    expect(read).toContain("Approved by Maria's phone");
    expect((await tap(cookie, { do: "revoke", approval: "approval-1" })).status).toBe(303);
    expect(front.ended).toEqual(["approval-1"]);
    await tap(cookie, { do: "revoke-all" });
    expect(front.ended).toEqual(["approval-1", "approval-2", "approval-9"]);
    expect(textOf((await get("/inbox", cookie)).text)).toContain("Nothing is open");
  });

  it("tells the newest events in plain words, at most twenty, and goes on without the log", async () => {
    const { clock } = await start();
    const at = clock.now();
    const requester = { claims: { client: "Claude Code" }, facts: { user: "maria", host: "devbox" } };
    const about = { at, vault: "prod", names: ["KEY"], requester, action: "read" as const };
    const telling: Event[] = [
      { ...about, kind: "released" },
      { ...about, kind: "releasing" },
      { ...about, kind: "approved", approver: "Maria's phone (abc-123)", until: at + 1 },
      { ...about, kind: "refused", count: 7 },
      { kind: "started", at },
    ];
    const many = Array.from({ length: 40 }, (): Event => ({ ...about, kind: "denied" }));
    const one = await start({ events: [...telling, ...many] });
    const { text } = await one.get("/inbox", await one.signIn());
    const read = textOf(text);
    expect(read).toContain("Handed over");
    expect(read).toContain("by Maria's phone, for Claude Code");
    expect(read).toContain("Refused by the rules, 7 times");
    expect(text).not.toContain("abc-123");
    expect(text.match(/<li>\s*<p class="what">/g)).toHaveLength(20);
    const away = await start({
      recent: () => {
        throw new VaultError("audit_unavailable", "the log is away");
      },
    });
    expect(textOf((await away.get("/inbox", await away.signIn())).text)).toContain("The log cannot be read just now.");
  });

  it("shows texts as texts", async () => {
    const { front, signIn, get } = await start({
      events: [{ kind: "denied", at: 1, vault: "<b>v", names: ["\u202ename", "<img src=x>"] }],
    });
    front.waits({ client: "<script>alert(1)</script>", names: ["<i>n"], vault: '"v', folder: "<u>" });
    front.opens({ client: "<s>", names: ["<em>"], folder: "", by: "<q>" });
    const { text } = await get("/inbox", await signIn());
    expect(text).not.toMatch(/<script>alert|<i>n|<u>|<s>|<em>|<q>|<b>v|<img|\u202e/);
    expect(textOf(text)).toContain("⟦U+202E⟧name");
  });

  it("leads there from the front door", async () => {
    const { signIn, get } = await start();
    const reply = await get("/", await signIn());
    expect([reply.status, reply.headers["location"]]).toEqual([303, "/inbox"]);
  });
});

describe("being live", () => {
  const versionIn = (text: string): string => /data-version="([\w-]+)"/.exec(text)?.[1] ?? "";

  it("answers when a request arrives, and says nothing happened when nothing does", async () => {
    const { front, signIn, get, clock } = await start();
    const cookie = await signIn();
    const version = versionIn((await get("/inbox", cookie)).text);
    const looks = front.looks;
    const held = get(`/inbox/live?version=${version}`, cookie);
    await expect.poll(() => front.looks).toBe(looks + 1);
    front.waits();
    const reply = await held;
    expect(reply.status).toBe(200);
    const { version: next } = JSON.parse(reply.text) as { version: string };
    expect(next).not.toBe(version);
    const before = front.looks;
    const quiet = get(`/inbox/live?version=${next}`, cookie);
    await expect.poll(() => front.looks).toBe(before + 1);
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(25_000);
    expect((await quiet).status).toBe(204);
  });

  it("ends when the approver is removed while it is held", async () => {
    const { front, signIn, get, notes, phone } = await start();
    const cookie = await signIn();
    const version = versionIn((await get("/inbox", cookie)).text);
    const looks = front.looks;
    const held = get(`/inbox/live?version=${version}`, cookie);
    await expect.poll(() => front.looks).toBe(looks + 1);
    notes("approvers").delete(phone.credentialId);
    front.waits();
    expect((await held).status).toBe(404);
  });

  it("holds at most sixteen pages of one phone", async () => {
    const { front, signIn, get } = await start();
    const cookie = await signIn();
    const version = versionIn((await get("/inbox", cookie)).text);
    const looks = front.looks;
    const held = Array.from({ length: 16 }, () => get(`/inbox/live?version=${version}`, cookie));
    await expect.poll(() => front.looks).toBe(looks + 16);
    await new Promise((resolve) => setImmediate(resolve));
    expect((await get(`/inbox/live?version=${version}`, cookie)).status).toBe(429);
    front.waits();
    for (const each of held) expect((await each).status).toBe(200);
  });
});
