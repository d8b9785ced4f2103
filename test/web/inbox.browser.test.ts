import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { openApprovers } from "../../src/approvers/store.ts";
import { createSignIns } from "../../src/web/sign-ins.ts";
import { recordOf } from "../support/authenticator.ts";
import { hasBrowser, startBrowser } from "../support/browser.ts";
import { startInbox } from "../support/inbox.ts";
import { giveLock, startNamedHost } from "../support/phone.ts";

const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
const LONG = "VERY_LONG_SECRET_NAME_".repeat(4).slice(0, 80);

describe.skipIf(!hasBrowser)("a phone", () => {
  let browser: Browser;
  const open: { close: () => unknown }[] = [];
  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterEach(async () => {
    for (const thing of open.splice(0).toReversed()) await thing.close();
  });
  afterAll(() => browser.close());

  /** A page with an inbox, and a browser whose owner holds the passkey that is enrolled there. */
  async function start(options: Parameters<Browser["newContext"]>[0] = {}) {
    const inbox = await startInbox();
    open.push(inbox.web);
    const context = await browser.newContext({ ...PHONE, ...options });
    open.push(context);
    const page = await context.newPage();
    const lock = await giveLock(page);
    await lock.add(inbox.phone);
    return { ...inbox, context, page, lock };
  }
  const signInOn = async (page: Page, origin: string): Promise<void> => {
    await page.goto(`${origin}/inbox`);
    await page.tap("#sign-in");
    await page.waitForSelector("#sign-out");
  };
  const headline = (page: Page): Promise<string> => page.getByRole("heading", { level: 1 }).innerText();

  it("signs in with its passkey and sees a request arrive, and be gone, without a reload", async () => {
    const { page, origin, front } = await start();
    await signInOn(page, origin);
    expect(await headline(page)).toBe("Nothing waits");
    await page.evaluate('document.body.classList.add("never-loaded-again")');
    front.waits({ names: ["hunter2-name"] });
    await page.getByText("hunter2-name").waitFor();
    expect(await headline(page)).toBe("1 request waiting");
    expect(await page.title()).toBe("(1) Inbox - agent-vault");
    expect(await page.locator("#news").innerText()).toBe("1 request waiting. Nothing open.");
    front.opens();
    await page.getByText("Revoke").waitFor();
    expect(await page.locator("body.never-loaded-again").count()).toBe(1);
  });

  it("opens the card of what waits with one tap, and answers it as a device that is signed in", async () => {
    const { page, origin, front } = await start();
    front.waits();
    await signInOn(page, origin);
    await page.tap("a.row");
    await page.waitForSelector("#approve");
    expect(await headline(page)).toContain("wants to read");
    await page.tap("#deny");
    await page.waitForSelector("#verdict");
    expect(front.decided).toMatchObject([{ what: { verdict: "deny" }, signedIn: true }]);
  });

  it("revokes one window, then everything, and signs out", async () => {
    const { page, origin, front } = await start();
    for (const vault of ["prod", "dev", "shop"]) front.opens({ vault });
    await signInOn(page, origin);
    await page.tap("#end-approval-2");
    await page.waitForSelector("#end-approval-2", { state: "detached" });
    expect(front.ended).toEqual(["approval-2"]);
    await page.tap("#end-all");
    await page.getByText("Nothing is open").waitFor();
    expect(front.ended).toEqual(["approval-2", "approval-1", "approval-3"]);
    await page.tap("#sign-out");
    await page.waitForSelector("#sign-in");
    expect(await page.content()).not.toContain("Latest");
  });

  it("does all of it without script through a tunnel, once it is signed in", async () => {
    const { web, phone, notes, front, clock } = await start();
    const host = await startNamedHost();
    open.push(host);
    host.leadTo(web);
    const { origin } = host;
    const rpId = new URL(origin).hostname;
    notes("approvers").put(phone.credentialId, { ...recordOf(phone), origin, rpId });
    front.waits();
    front.opens();
    const approvers = openApprovers({ notes: notes("approvers"), clock });
    const signIns = createSignIns({ notes: notes("inbox"), approvers, clock });
    const [maria] = approvers.all();
    if (!maria) throw new Error("she is enrolled");
    const outside = await startBrowser(...host.flags);
    open.push(outside);
    const context = await outside.newContext({ ...PHONE, javaScriptEnabled: false });
    await bring(context, origin, signIns.open(maria, { headers: {} }, origin).split(";")[0] ?? "");
    const page = await context.newPage();
    await page.goto(`${origin}/`);
    expect(await headline(page)).toBe("1 request waiting");
    await page.tap("#end-approval-1");
    await page.getByText("Nothing is open").waitFor();
    await page.tap("#sign-out");
    await page.waitForSelector("#sign-in");
    expect(await page.content()).toContain("Signing in needs JavaScript.");
  });

  it("that is signed in on this computer shows nothing to another program there, which is sent its cookie", async () => {
    const { page, context, origin, front } = await start();
    front.waits({ names: ["hunter2-name"] });
    await signInOn(page, origin);
    let sent = "";
    const other = createServer((request, response) => {
      sent ||= request.headers.cookie ?? "";
      response.setHeader("Content-Type", "text/html").end("<p>hi</p>");
    });
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    open.push(other);
    const their = await context.newPage();
    await their.goto(`http://localhost:${(other.address() as AddressInfo).port}/`);
    expect(sent).toMatch(/^agent-vault-\d+=[\w-]{43}$/);
    const shown = await (await fetch(`${origin}/inbox`, { headers: { cookie: sent } })).text();
    expect(shown).not.toContain("hunter2-name");
    expect(shown).toContain("Sign in with your passkey");
    await page.reload();
    await page.getByText("hunter2-name").waitFor();
  });

  it("sees nothing of it without script on this computer, where a cookie alone is not enough", async () => {
    const { origin, front, signIn } = await start();
    front.waits();
    const context = await browser.newContext({ ...PHONE, javaScriptEnabled: false });
    open.push(context);
    await bring(context, origin, await signIn());
    const page = await context.newPage();
    await page.goto(`${origin}/inbox`);
    expect(await page.content()).toContain("Signing in needs JavaScript.");
  });

  it("that has nothing to sign with stays outside, and reads why", async () => {
    const { page, origin, lock, front } = await start();
    front.waits({ names: ["hunter2-name"] });
    await lock.opens(false);
    await page.goto(`${origin}/inbox`);
    await page.tap("#sign-in");
    await page.getByText("The passkey was not used, so you are not signed in.").waitFor();
    expect(await page.content()).not.toContain("hunter2-name");
  });

  it("sees nothing any more once its approver is removed, without a reload", async () => {
    const { page, origin, front, notes, phone } = await start();
    front.waits({ names: ["hunter2-name"] });
    await signInOn(page, origin);
    notes("approvers").delete(phone.credentialId);
    front.opens();
    await page.getByText("Each request has its own link.").waitFor();
    expect(await page.content()).not.toContain("hunter2-name");
  });

  it("that comes by a link on another site is still signed in", async () => {
    const { page, origin, front } = await start();
    front.waits();
    await signInOn(page, origin);
    const elsewhere = createServer((_request, response) => {
      response.setHeader("Content-Type", "text/html").end(`<a href="${origin}/inbox" id="there">inbox</a>`);
    });
    await new Promise<void>((resolve) => elsewhere.listen(0, "127.0.0.1", resolve));
    open.push(elsewhere);
    await page.goto(`http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/`);
    await page.tap("#there");
    await page.waitForSelector("#sign-out");
    expect(await headline(page)).toBe("1 request waiting");
  });

  it("keeps the focus on a button while the list around it changes", async () => {
    const { page, origin, front } = await start();
    front.opens();
    await signInOn(page, origin);
    await page.focus("#end-approval-1");
    front.opens({ vault: "dev" });
    await page.waitForSelector("#end-approval-2");
    expect(await page.evaluate("document.activeElement.id")).toBe("end-approval-1");
  });

  it.each([
    { width: 320, height: 568 },
    { width: 390, height: 844 },
  ])("of $width pixels shows long texts and many rows without moving sideways", async (viewport) => {
    const { page, origin, front } = await start({ viewport });
    const long = { client: "C".repeat(80), vault: "v".repeat(80), folder: `/home/${"d".repeat(200)}` };
    front.waits({ ...long, names: Array.from({ length: 5 }, () => LONG) });
    front.waits({ client: "مساعد البرمجة", vault: "خزنة", names: ["مفتاح_قاعدة_البيانات"], action: "write" });
    for (let n = 0; n < 60; n++) front.waits({ names: [`SERVICE_${n}_TOKEN`] });
    front.opens({ ...long, names: [LONG], by: "b".repeat(60) });
    front.opens({ ...long, scope: "vault" });
    await signInOn(page, origin);
    expect(await page.locator("a.row").count()).toBe(62);
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(viewport.width);
    for (const button of await page.locator(".row.window button, #end-all, #sign-out").all()) {
      const box = await button.boundingBox();
      expect(box?.height).toBeGreaterThanOrEqual(44);
      expect((box?.x ?? 0) + (box?.width ?? 999)).toBeLessThanOrEqual(viewport.width);
    }
  });
});

async function bring(context: BrowserContext, origin: string, cookie: string): Promise<void> {
  const [name = "", value = ""] = cookie.split("=");
  await context.addCookies([{ name, value, url: origin, httpOnly: true, sameSite: "Strict" }]);
}
