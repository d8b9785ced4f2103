import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Card, Standing } from "../../src/core/card.ts";
import { visible } from "../../src/core/text.ts";
import type { createWeb } from "../../src/web/server.ts";
import { item } from "../support/fake-front.ts";
import { loadPatched } from "../support/patched.ts";
import { decode, startWeb, textOf } from "../support/web.ts";

/** Approve, with everything ticked. */
const YES = { verdict: "approve", item: ["0", "1"] } as const;

let started: Awaited<ReturnType<typeof startWeb>>;
let token: string;
beforeAll(async () => void (started = await startWeb()));
beforeEach(() => {
  started.front.decided.length = 0;
  token = started.front.add();
});
afterAll(() => started.web.close());

const reads = async (): Promise<string> => textOf((await started.show(token)).text);

describe("the waiting page", () => {
  it("says who, for what, why, what a yes opens and how long is left", async () => {
    const text = await reads();
    for (const said of [
      "agent-vault 4:12 left",
      "An agent that calls itself Claude Code wants to read 2 secrets READ from prod 1password",
      "DATABASE_URL STRIPE_KEY field: password",
      "The agent says Run migration 0042_add_roles",
      "We saw Folder ~/shop Computer devbox, user maria Started by claude Before First time in this session",
      "If you approve these 2 for 15 minutes",
      "just this once",
      "Whoever holds this link can approve, programs running as maria on devbox included.",
    ]) {
      expect(text).toContain(said);
    }
    expect(text).not.toContain("Nobody is waiting");
  });

  it("names the whole vault when that is what opens", async () => {
    token = started.front.add({ vault: "dev", offer: { windowMs: 1_800_000, scope: "vault" } });
    expect(await reads()).toContain("ALL of dev for 30 minutes");
  });

  it("offers no choice where there is none", async () => {
    token = started.front.add({ offer: { windowMs: 0, scope: "secret" } });
    const { text } = await started.show(token);
    expect(text).not.toContain('type="radio"');
    expect(textOf(text)).toContain("If you approve just this once");
  });

  it("counts what is asked, and lists quietly what is open already", async () => {
    const openUntil = started.clock.now() + 900_000;
    token = started.front.add({ items: [item("NEW"), { ...item("OLD"), openUntil }] });
    const text = await reads();
    expect(text).toContain("1 secret READ");
    expect(text).toMatch(/Already open OLD open until \d\d:47/);
    expect(text).toContain("this secret for 15 minutes");
  });

  it("says what a write replaces and shows no character of a short value", async () => {
    const preview = { length: 32, head: "sk_", tail: "⟦U+202E⟧9x" };
    token = started.front.add({
      action: "write",
      offer: { windowMs: 0, scope: "secret" },
      items: [
        { ...item("KEY"), write: { effect: "replace", preview } },
        { ...item("PIN"), write: { effect: "create", preview: { length: 9 } } },
      ],
    });
    const text = await reads();
    expect(text).toContain("wants to save 2 secrets WRITE to prod");
    expect(text).toContain("KEY replaces 32 characters sk_…⟦U+202E⟧9x");
    expect(text).toMatch(/PIN new 9 characters Untick what it should not get. The agent says/);
    expect(text).toContain("Save to prod");
    expect(text).not.toContain("Approve");
  });

  it("says when nobody waits, when a secret was not checked, and how often it was approved", async () => {
    const items = [{ ...item("A"), checked: false }, item("B")];
    token = started.front.add({ attached: 0, approvedBefore: 2, items });
    const text = await reads();
    expect(text).toContain("Nobody is waiting just now. Approving lets the agent's next try through, for 5 minutes.");
    expect(text).toContain(
      "A not checked B Untick what it should not get. Not checked: whether it exists shows when it is read. The agent says",
    );
    expect(text).toContain("Approved 2 times before in this session");
  });

  it("says once that nothing was checked, and no more of it when that is past", async () => {
    const items = ["A", "B"].map((name) => ({ ...item(name), checked: false }));
    token = started.front.add({ items });
    expect(await reads()).toContain(
      "A B Untick what it should not get. Not checked: whether they exist shows when they are read. The agent says",
    );
    started.front.change(token, { standing: { is: "approved", at: started.clock.now(), ended: "over" } });
    expect(await reads()).not.toContain("checked");
  });

  it("shows every one of 100 items, whole", async () => {
    const names = Array.from({ length: 100 }, (_, at) => `NAME_${at}_${"x".repeat(70)}`);
    token = started.front.add({ items: names.map(item) });
    const text = await reads();
    for (const name of names) expect(text).toContain(name);
  });

  it("shows 500 hostile texts as they are and lets none of them become markup", async () => {
    expect(await brokenBy(started, 500)).toEqual([]);
  });

  it("would be noticed to let them through", async () => {
    const plant = { file: "src/web/html.ts", from: "return escape(String(piece))", to: "return String(piece)" };
    const twin = (await loadPatched("src/web/server.ts", [plant])) as { createWeb: typeof createWeb };
    const broken = await startWeb(twin.createWeb);
    expect(await brokenBy(broken, HOSTILE.length)).not.toEqual([]);
    await broken.web.close();
  });
});

/** Shows hostile texts in every place a text can go, and returns those that changed a page's structure or themselves. */
async function brokenBy({ front, show }: typeof started, rounds: number): Promise<string[]> {
  const tags = (page: string): number => page.split("<").length;
  const broken: string[] = [];
  for (let at = 0; at < rounds; at += 1) {
    const text = visible(`${HOSTILE[at % HOSTILE.length]}${at}${HOSTILE[(at * 7 + 3) % HOSTILE.length]}`);
    const everywhere = (text: string, standing: Standing, more: Partial<Card>) =>
      front.add({
        vault: text,
        provider: text,
        items: [
          { ...item(text), title: `T${text}`, field: text },
          { ...item("KEY"), title: text, field: text, write: { effect: "create", preview: { length: 9 } } },
        ],
        reason: text,
        requester: {
          claims: { client: text, roots: [text] },
          facts: { user: text, host: text, folder: text, process: text },
        },
        standing,
        ...more,
      });
    for (const [standing, times, more] of [
      [{ is: "waiting" }, 16, {}],
      [{ is: "approved", at: 0 }, 8, { upstream: { text, since: 0 } }],
      [{ is: "approved", at: 0 }, 7, { failure: { text } }],
    ] as const) {
      const page = await show(everywhere(text, standing, more));
      const plain = await show(everywhere("x".repeat(text.length), standing, more));
      if (tags(page.text) !== tags(plain.text) || decode(page.text).split(text).length <= times) broken.push(text);
    }
  }
  return broken;
}

const HOSTILE = [
  "<script>alert(1)</script>",
  '"><img src=x onerror=alert(1)>',
  "'><svg/onload=alert(1)>",
  "</title><script>",
  "</textarea><b>",
  "</bdi></li></ul></main>",
  '" autofocus onfocus="x',
  "<!--",
  "-->",
  "&lt;b&gt;",
  "javascript:alert(1)",
  "${7*7}{{7*7}}",
  "\u202egnp.exe",
  "\u001b[2J\u001b]0;x\u0007",
  "\u200b\u2066",
  "<meta http-equiv=refresh content=0>",
  "<base href=//evil.test>",
  "مفتاح",
  "𝒳😀",
];

describe("an answer", () => {
  it("approves for the window, and the page says until when and offers to revoke", async () => {
    token = started.front.add({ items: [item("DATABASE_URL")] });
    const { status, headers } = await started.tap(token, { verdict: "approve", choice: "window" });
    expect([status, headers["location"]]).toEqual([303, `/approve/${token}`]);
    expect(started.front.decided).toEqual([{ token, what: { verdict: "approve", choice: "window", revision: 1 } }]);
    expect(await reads()).toMatch(/15:00 left Approved Claude Code can read DATABASE_URL until \d\d:47 \S+\. Revoke/);
    await started.tap(token, { verdict: "revoke" });
    expect(await reads()).toContain("Revoked Claude Code can no longer read DATABASE_URL.");
  });

  it("approves just once, whether the agent is there or not", async () => {
    await started.tap(token, { verdict: "approve", choice: "once" });
    expect(await reads()).toContain("Claude Code was allowed to read these 2, just this once.");
    token = started.front.add({ attached: 0 });
    await started.tap(token, { verdict: "approve", choice: "once" });
    expect(await reads()).toContain(
      "just this once. If it no longer waits, its next try within 5 minutes goes through. Revoke",
    );
  });

  it("denies", async () => {
    await started.tap(token, { verdict: "deny" });
    expect(await reads()).toContain("Denied Claude Code was told no. Nothing was released.");
  });

  it("sends back with a note of up to 500 characters, line breaks counted once", async () => {
    const lines = ["a".repeat(490), "b".repeat(9)];
    await started.tap(token, { verdict: "again", note: lines.join("\r\n") });
    expect(started.front.decided.at(-1)?.what).toEqual({ verdict: "again", note: lines.join("\n") });
    expect(await reads()).toContain("Sent back Claude Code was told to ask differently.");
    token = started.front.add();
    expect((await started.tap(token, { verdict: "again", note: "a".repeat(501) })).status).toBe(400);
    expect(started.front.cardAt(token)?.standing.is).toBe("waiting");
  });

  it("changes nothing the second time, and says when it was decided", async () => {
    const seal = { seal: /name="seal" value="([^"]+)"/.exec((await started.show(token)).text)?.[1] ?? "" };
    await started.post(token, { ...seal, verdict: "deny" });
    const second = await started.post(token, { ...seal, ...YES, choice: "window" });
    expect(second.headers["location"]).toBe(`/approve/${token}?late`);
    expect(textOf((await started.get(`/approve/${token}?late`)).text)).toMatch(
      /Already decided at \d\d:32 \S+\. Your tap changed nothing\. Denied/,
    );
    expect(started.front.decided).toHaveLength(1);
  });

  it("is taken once when forty arrive together", async () => {
    const { text } = await started.show(token);
    const seal = /name="seal" value="([^"]+)"/.exec(text)?.[1] ?? "";
    const taps = Array.from({ length: 40 }, (_, at) =>
      started.post(token, at % 2 ? { seal, verdict: "deny" } : { seal, ...YES, choice: "once" }),
    );
    const replies = await Promise.all(taps);
    expect(replies.filter(({ headers }) => headers["location"] === `/approve/${token}`)).toHaveLength(1);
    expect(started.front.decided).toHaveLength(1);
  });

  it.each([
    ["an unknown verdict", { verdict: "yes" }],
    ["no verdict", {}],
    ["an approval without a choice", { verdict: "approve" }],
    ["an unknown choice", { verdict: "approve", choice: "forever" }],
    ["a missing note", { verdict: "again" }],
  ])("with %s is not understood and changes nothing", async (_what, form: Record<string, string>) => {
    expect((await started.tap(token, form)).status).toBe(400);
    expect(started.front.decided).toEqual([]);
  });

  it("cannot choose a window that was not offered", async () => {
    token = started.front.add({ offer: { windowMs: 0, scope: "secret" } });
    expect((await started.tap(token, { verdict: "approve", choice: "window" })).status).toBe(400);
    expect(started.front.decided).toEqual([]);
  });

  it("that could not be recorded releases nothing, says so and can be tried again", async () => {
    started.front.auditBroken = true;
    const refused = await started.tap(token, { verdict: "approve", choice: "once" });
    started.front.auditBroken = false;
    expect(refused.status).toBe(503);
    expect(textOf(refused.text)).toContain(
      "could not be written to the audit log. Nothing was released. The request still waits. Try again",
    );
    expect(await reads()).toContain("wants to read");
    expect((await started.tap(token, { verdict: "approve", choice: "once" })).status).toBe(303);
  });
});

describe("a request that ended without a person", () => {
  it.each([
    ["expired", "Expired Nobody decided in time. Nothing was released."],
    ["withdrawn", "Withdrawn Claude Code no longer asks for this. Nothing was released."],
    ["cancelled", "Cancelled The session of Claude Code ended. Nothing was released."],
  ] as const)("%s: says so, and cannot be approved any more", async (is, text) => {
    const seal = /name="seal" value="([^"]+)"/.exec((await started.show(token)).text)?.[1] ?? "";
    started.front.end(token, is);
    expect(await reads()).toContain(text);
    expect((await started.show(token)).text).not.toContain("<button");
    await started.post(token, { seal, ...YES, choice: "once" });
    expect(started.front.decided).toEqual([]);
  });

  it("a window that closed says until when it was open", async () => {
    const at = started.clock.now();
    token = started.front.add({ standing: { is: "approved", at, until: at + 60_000, ended: "over" } });
    expect(await reads()).toMatch(/was allowed to read these 2 until \d\d:33 \S+\. Next time it has to ask again\./);
  });

  it("a revoke that comes too late changes nothing", async () => {
    const at = started.clock.now();
    token = started.front.add({ standing: { is: "approved", at, until: at + 60_000 } });
    const seal = /name="seal" value="([^"]+)"/.exec((await started.show(token)).text)?.[1] ?? "";
    started.front.change(token, { standing: { is: "approved", at, until: at + 60_000, ended: "over" } });
    expect((await started.post(token, { seal, verdict: "revoke" })).headers["location"]).toContain("?late");
  });
});
