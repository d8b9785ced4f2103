import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { hasBrowser, startBrowser } from "../support/browser.ts";
import { item } from "../support/fake-front.ts";
import { startWeb } from "../support/web.ts";

const PHONE = { viewport: { width: 320, height: 568 }, hasTouch: true, isMobile: true };

describe.skipIf(!hasBrowser)("a person", () => {
  let started: Awaited<ReturnType<typeof startWeb>>;
  let browser: Browser;
  const contexts = new Map<string, BrowserContext>();
  const pages: Page[] = [];
  beforeAll(async () => {
    started = await startWeb();
    browser = await startBrowser();
  });
  afterEach(async () => {
    await Promise.all(pages.splice(0).map((page) => page.close()));
  });
  afterAll(async () => {
    await browser.close();
    await started.web.close();
  });

  /** A page of its own; pages of one kind share a browser profile, which is slow to make. */
  const newPage = async (options: Parameters<Browser["newContext"]>[0] = {}): Promise<Page> => {
    const kind = JSON.stringify(options);
    const context = contexts.get(kind) ?? (await browser.newContext({ ...PHONE, ...options }));
    contexts.set(kind, context);
    const page = await context.newPage();
    pages.push(page);
    return page;
  };
  const open = async (token: string, options: Parameters<typeof newPage>[0] = {}): Promise<Page> => {
    const page = await newPage(options);
    await page.goto(started.web.link(token));
    return page;
  };
  const standing = (token: string) => started.front.cardAt(token)?.standing;
  const headline = (page: Page) => page.getByRole("heading", { level: 1 }).innerText();

  describe.each([
    ["with script", true],
    ["without script", false],
  ])("%s", (_how, javaScriptEnabled) => {
    it("approves the window with one tap and revokes it with another", async () => {
      const token = started.front.add();
      const page = await open(token, { javaScriptEnabled });
      await page.tap("#approve");
      await page.waitForSelector(".verdict");
      expect(await headline(page)).toBe("Approved");
      expect(standing(token)).toMatchObject({ is: "approved", until: started.clock.now() + 900_000 });
      await page.tap("#revoke");
      await page.getByText("can no longer read").waitFor();
      expect(standing(token)).toMatchObject({ is: "approved", ended: "revoked" });
    });

    it("approves just once", async () => {
      const token = started.front.add();
      const page = await open(token, { javaScriptEnabled });
      await page.getByText("just this once").first().tap();
      expect(await page.getByRole("button", { name: "Approve just this once" }).isVisible()).toBe(true);
      await page.tap("#approve");
      await page.waitForSelector(".verdict");
      expect(standing(token)).not.toHaveProperty("until");
    });

    it("denies", async () => {
      const token = started.front.add();
      const page = await open(token, { javaScriptEnabled });
      await page.tap("#deny");
      await page.waitForSelector(".verdict");
      expect(await headline(page)).toBe("Denied");
      expect(standing(token)?.is).toBe("denied");
    });

    it("sends back with a note", async () => {
      const token = started.front.add();
      const page = await open(token, { javaScriptEnabled });
      await page.getByText("Ask again differently").tap();
      await page.getByLabel("A note for the agent").fill('staging, "not" <prod>\nplease');
      await page.getByRole("button", { name: "Send back" }).tap();
      await page.waitForSelector(".verdict");
      expect(standing(token)).toMatchObject({ is: "returned", note: 'staging, "not" <prod>\nplease' });
      expect(await page.locator("q").innerText()).toContain('staging, "not" <prod>');
    });

    it("revokes while the vault's own people are waited for", async () => {
      const at = started.clock.now();
      const upstream = { text: "waiting for the approvers of 12Port", since: at };
      const token = started.front.add({ attached: 0, standing: { is: "approved", at }, upstream });
      const page = await open(token, { javaScriptEnabled });
      await page.tap("#revoke");
      await page.getByText("can no longer read").waitFor();
      expect(standing(token)).toEqual({ is: "approved", at, ended: "revoked" });
      expect(await page.locator("main").innerText()).not.toContain("waiting for");
    });

    it("is told, after a late tap, that it was already decided", async () => {
      const token = started.front.add();
      const page = await newPage({ javaScriptEnabled });
      await page.route("**/live?*", (poll) => poll.abort());
      await page.goto(started.web.link(token));
      started.front.change(token, { standing: { is: "denied", at: started.clock.now() } });
      await page.tap("#approve");
      await page.getByText("Already decided at").waitFor();
      expect(await headline(page)).toBe("Denied");
      expect(standing(token)?.is).toBe("denied");
    });
  });

  it("does not revoke by tapping Approve twice", async () => {
    const token = started.front.add();
    const page = await open(token);
    const box = await page.locator("#approve").boundingBox();
    if (box === null) throw new Error("no approve button");
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    await page.touchscreen.tap(x, y);
    await page.waitForSelector(".verdict");
    await page.touchscreen.tap(x, y);
    expect(await page.evaluate(`document.elementFromPoint(${x}, ${y}).closest("button, a")`)).toBeNull();
    expect(standing(token)).not.toHaveProperty("ended");
  });

  it("decides by keyboard alone, and Enter on an option decides nothing", async () => {
    const token = started.front.add();
    const page = await open(token, { hasTouch: false, isMobile: false });
    const focused = (): Promise<string> => page.evaluate(`document.activeElement.id || document.activeElement.tagName`);
    const path: string[] = [];
    for (let at = 0; at < 7; at += 1) {
      await page.keyboard.press("Tab");
      path.push(await focused());
    }
    expect(path).toEqual(["item-0", "item-1", "window", "SUMMARY", "deny", "approve", "BODY"]);
    await page.focus("#window");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowDown");
    expect(await focused()).toBe("once");
    await page.keyboard.press("Enter");
    expect(standing(token)?.is).toBe("waiting");
    for (const id of ["SUMMARY", "deny", "approve"]) {
      await page.keyboard.press("Tab");
      expect(await focused()).toBe(id);
      const outline: string = await page.evaluate(`getComputedStyle(document.activeElement).outlineStyle`);
      expect(outline).not.toBe("none");
      const hidden = `(() => { const f = document.activeElement.getBoundingClientRect(), b = document.querySelector(".bar").getBoundingClientRect();
        return !document.activeElement.closest(".bar") && f.bottom > b.top + 1; })()`;
      expect(await page.evaluate(hidden)).toBe(false);
    }
    await page.keyboard.press("Enter");
    await page.waitForSelector(".verdict");
    expect(standing(token)).toEqual({ is: "approved", at: started.clock.now(), ended: "over" });
  });

  it("sees the page change when it is decided elsewhere, and is told", async () => {
    const token = started.front.add();
    const [phone, laptop] = [await open(token), await open(token, { isMobile: false })];
    await phone.tap("#deny");
    await laptop.waitForSelector(".verdict");
    expect(await headline(laptop)).toBe("Denied");
    expect(await laptop.getByRole("status").innerText()).toBe("Denied");
    expect(await laptop.title()).toContain("Denied");
  });

  it("keeps a half-written note, the chosen option and the focus while agents come and go", async () => {
    const token = started.front.add();
    const page = await open(token);
    await page.getByText("just this once").first().tap();
    await page.getByText("Ask again differently").tap();
    await page.getByLabel("A note for the agent").pressSequentially("use sta");
    started.front.change(token, { attached: 0 });
    await page.getByText("Nobody is waiting just now.").first().waitFor();
    await page.keyboard.type("ging");
    expect(await page.getByLabel("A note for the agent").inputValue()).toBe("use staging");
    expect(await page.locator("#once").isChecked()).toBe(true);
    started.front.change(token, { attached: 1 });
    await page.locator(".note").waitFor({ state: "detached" });
    expect(await page.getByLabel("A note for the agent").inputValue()).toBe("use staging");
  });

  it("sees the time run, and the end of it without touching anything", async () => {
    const token = started.front.add({ expiresAt: started.clock.now() + 2_000 });
    const page = await open(token);
    const seen = new Set<string>();
    const timer = page.getByRole("timer");
    await expect.poll(async () => seen.add(await timer.innerText()).size, { timeout: 5_000 }).toBeGreaterThan(1);
    started.front.end(token, "expired");
    await page.getByText("Nobody decided in time").waitFor();
  });

  it("sees that a yes was used, though nothing else changed", async () => {
    const { front, clock } = started;
    const at = clock.now();
    const token = front.add({ attached: 0, standing: { is: "approved", at } });
    const page = await open(token);
    await page.getByText("its next try within 5 minutes").waitFor();
    await expect.poll(() => front.waiting).toBeGreaterThan(0);
    front.change(token, { standing: { is: "approved", at, ended: "over" }, quietly: true });
    clock.advance(1_000);
    await page.getByText("Next time it has to ask again").waitFor();
  });

  it("sees the vault's own people being waited for come and go, keeping focus and place", async () => {
    const { front, clock } = started;
    const at = clock.now();
    const items = Array.from({ length: 40 }, (_, n) => item(`KEY_${n}`));
    const token = front.add({ items, attached: 0, standing: { is: "approved", at, until: at + 900_000 } });
    const page = await open(token);
    await page.focus("#revoke");
    await page.evaluate(`scrollTo(0, 400)`);
    const kept = async (): Promise<unknown> =>
      page.evaluate(
        `[document.activeElement.id, Math.round(document.querySelectorAll("li")[9].getBoundingClientRect().y)]`,
      );
    const before = await kept();
    front.waitsFor(token, { text: "waiting for the approvers of 12Port", since: at });
    await page.getByText("Now waiting for the approvers of 12Port, for less than a minute.").waitFor();
    expect(await page.getByRole("status").innerText()).toContain("own people have not answered yet");
    expect(await headline(page)).toBe("You approved\nThe vault has not yet");
    expect(await page.locator(".mark.yes").count()).toBe(0);
    expect(await kept()).toEqual(before);
    front.waitsFor(token, { text: "waiting for the queue of 12Port", since: at });
    await page.getByText("Now waiting for the queue of 12Port").waitFor();
    expect(await kept()).toEqual(before);
    front.waitsFor(token, undefined);
    await page.getByText("waiting for the").waitFor({ state: "detached" });
    expect(await page.getByText(/^Claude Code can read these 40 secrets until/).isVisible()).toBe(true);
    expect(await headline(page)).toBe("Approved");
    expect(await kept()).toEqual(before);
  });

  it("sees that nothing came of it, keeping the focus, and that the next try did", async () => {
    const { front, clock } = started;
    const at = clock.now();
    const token = front.add({ items: [item("KEY")], standing: { is: "approved", at, until: at + 900_000 } });
    const page = await open(token);
    const focused = (): Promise<string> => page.evaluate(`document.activeElement.id`);
    for (const id of ["revoke", "verdict"]) {
      await page.focus(`#${id}`);
      front.fails(token, { text: "1Password did not answer in time" });
      await page.getByText("You approved, but reading failed: 1Password did not answer in time.").waitFor();
      expect(await headline(page)).toBe("Reading failed");
      expect(await page.getByRole("status").innerText()).toBe("Reading failed");
      expect(await page.title()).toContain("Reading failed");
      expect(await page.getByRole("timer").count()).toBe(0);
      expect(await focused()).toBe(id);
      front.fails(token, undefined);
      await page.getByText(/^Claude Code can read KEY until/).waitFor();
      expect(await headline(page)).toBe("Approved");
      expect(await page.getByRole("timer").innerText()).toMatch(/left$/);
      expect(await focused()).toBe(id);
    }
  });

  it("sees the vault refuse, and what is used up is over", async () => {
    const { front, clock } = started;
    const at = clock.now();
    const token = front.add({ attached: 0, standing: { is: "approved", at } });
    const page = await open(token);
    front.waitsFor(token, { text: "waiting for 12Port's approvers", since: at });
    await page.getByText("The vault has not yet").waitFor();
    front.change(token, {
      standing: { is: "approved", at, ended: "over" },
      failure: { text: "12Port's approvers rejected request 4711", byVault: true },
      quietly: true,
    });
    front.waitsFor(token, undefined);
    await page.getByText("the vault refused: 12Port's approvers rejected request 4711.").waitFor();
    expect(await headline(page)).toBe("Refused by the vault");
    expect(await page.locator("button").count()).toBe(0);
  });

  it("reads times in the phone's own zone", async () => {
    const at = Date.UTC(2026, 10, 20, 12, 0);
    const token = started.front.add({ standing: { is: "denied", at } });
    const page = await open(token, { timezoneId: "Asia/Tokyo", locale: "de-DE" });
    expect(await page.locator("time").innerText()).toMatch(/21:00$/);
  });

  it("is told when the computer that asks cannot be reached any more", async () => {
    const other = await startWeb();
    const page = await newPage();
    await page.goto(other.web.link(other.front.add()));
    await other.web.close();
    await page.getByRole("alert").waitFor({ timeout: 10_000 });
    expect(await page.getByRole("alert").innerText()).toContain("No connection to the computer that asks");
  });
});
