import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { frontOf } from "../../src/core/front.ts";
import { createWeb, type Web } from "../../src/web/server.ts";
import { createAuthenticator, enrolled } from "../support/authenticator.ts";
import { hasBrowser, startBrowser } from "../support/browser.ts";
import { giveLock, type NamedHost, startNamedHost } from "../support/phone.ts";
import { startSigningHouse } from "../support/signing.ts";

const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
const HERE = "http://localhost";

describe.skipIf(!hasBrowser)("a person with a paired phone", () => {
  let host: NamedHost;
  let browser: Browser;
  const open: { close: () => unknown }[] = [];
  beforeAll(async () => {
    host = await startNamedHost();
    browser = await startBrowser(...host.flags);
  });
  afterEach(async () => {
    for (const thing of open.splice(0).toReversed()) await thing.close();
  });
  afterAll(async () => {
    await browser.close();
    host.close();
  });

  /** A real desk whose approver was paired at this origin, its page, and the phone that holds the passkey. */
  async function start(
    paired: string,
    options: Parameters<Browser["newContext"]>[0] & { rules?: Parameters<typeof startSigningHouse>[0] } = {},
  ) {
    const { rules, ...look } = options;
    const house = startSigningHouse({
      rules: { ttlMs: 900_000 },
      ...rules,
      phone: createAuthenticator({ origin: paired }),
    });
    const { approvers } = enrolled(house.phone, undefined, { notes: house.kept, clock: house.clock });
    const web: Web = await createWeb({ front: frontOf(house.desk), approvers, clock: house.clock, port: 0 });
    open.push(web);
    host.leadTo(web);
    const context = await browser.newContext({ ...PHONE, ...look });
    open.push(context);
    const page = await context.newPage();
    const lock = await giveLock(page);
    await lock.add({ ...house.phone, origin: paired });
    const local = `http://localhost:${web.port}`;
    const origin = paired === HERE ? local : paired;
    const ask = async (names: string | string[] = ["DATABASE_URL", "STRIPE_KEY"], at = origin) => {
      const call = house.get(names, { holdMs: 600_000 });
      await expect.poll(() => house.tokens.length).toBeGreaterThan(0);
      await page.goto(`${at}/approve/${house.tokens.at(-1)}`);
      return call;
    };
    return { ...house, web, page, lock, local, origin, ask };
  }
  const headline = (page: Page): Promise<string> => page.getByRole("heading", { level: 1 }).innerText();
  const decided = (page: Page) => page.waitForSelector(".verdict");

  describe.each([
    ["under a host name", (): string => host.origin],
    ["on this computer", (): string => HERE],
  ])("%s", (_where, paired) => {
    it("approves with a passkey: the call is served, and the page says whose it was", async () => {
      const { page, ask, journal } = await start(paired());
      const call = await ask();
      expect(await page.locator("main").innerText()).toContain("Only a paired phone can approve (Maria's phone).");
      await page.tap("#approve");
      await decided(page);
      expect(await headline(page)).toBe("Approved");
      expect(await page.locator("main").innerText()).toContain("Approved by Maria's phone at");
      await expect(call.reply).resolves.toBeDefined();
      expect(journal.events.find(({ kind }) => kind === "approved")).toMatchObject({ proof: "passkey" });
    });

    it("closes the prompt: nothing is decided, it is told so, and the next try approves", async () => {
      const { page, ask, lock, card } = await start(paired());
      await ask();
      await lock.opens(false);
      await page.tap("#approve");
      await page.getByText("the passkey was not used. Use a device that is paired: Maria's phone.").waitFor();
      expect(card().standing.is).toBe("waiting");
      await lock.opens(true);
      await page.tap("#approve");
      await decided(page);
      expect(card().standing).toMatchObject({ is: "approved", by: "Maria's phone" });
    });

    it("denies with one tap and no passkey", async () => {
      const { page, ask, lock, card } = await start(paired());
      await ask();
      await lock.opens(false);
      await page.tap("#deny");
      await decided(page);
      expect(card().standing.is).toBe("denied");
    });
  });

  it("denies without script, and learns there that approving needs it", async () => {
    const { page, ask, card } = await start(host.origin, { javaScriptEnabled: false });
    await ask();
    expect(await page.locator(".bar").innerText()).toContain("the browser asks for it by script. Deny works without.");
    await page.tap("#approve");
    await page.getByText("Approving this needs a paired passkey").waitFor();
    expect(card().standing.is).toBe("waiting");
    await page.getByText("Back to the request").tap();
    await page.tap("#deny");
    await decided(page);
    expect(card().standing.is).toBe("denied");
  });

  it("is led from another address to the one where the passkey works", async () => {
    const { page, ask, local, card } = await start(host.origin);
    await ask("DATABASE_URL", local);
    expect(await page.locator("#approve").count()).toBe(0);
    await page.tap("#elsewhere");
    await page.waitForURL(`${host.origin}/**`);
    await page.tap("#approve");
    await decided(page);
    expect(card().standing).toMatchObject({ is: "approved", by: "Maria's phone" });
  });

  it("is told to pair again where no passkey works any more, and can still deny", async () => {
    const { page, ask, web, card } = await start("https://gone.example.test");
    await ask("DATABASE_URL", `http://localhost:${web.port}`);
    expect(await page.locator(".bar").innerText()).toContain("To approve, pair again: agent-vault pair on devbox.");
    expect(await page.locator("#approve, #elsewhere").count()).toBe(0);
    await page.tap("#deny");
    await decided(page);
    expect(card().standing.is).toBe("denied");
  });

  it("is not sent from a phone to a computer's own name", async () => {
    const { page, ask } = await start(HERE);
    await ask("DATABASE_URL", host.origin);
    expect(await page.locator("#elsewhere").count()).toBe(0);
    expect(await page.locator(".bar").innerText()).toContain("Approve in a browser on devbox, or pair here:");
  });

  it("learns that a signature was refused, and that the request still waits", async () => {
    const { page, ask, kept, phone, card } = await start(host.origin);
    await ask();
    // Between the signature and its arrival the approver is removed.
    await page.route(/approve\/[\w-]+$/, async (route) => {
      if (route.request().method() === "POST") kept.delete(phone.credentialId);
      await route.continue();
    });
    await page.tap("#approve");
    await page.getByText("whose passkey signed it is not an approver").waitFor();
    expect(await page.locator("main").innerText()).toContain("The request still waits.");
    expect(card().standing.is).toBe("waiting");
  });

  it("unticks one by tap: the words follow, the rest is approved, what was left out is said and denied", async () => {
    const { page, ask, card, get } = await start(host.origin);
    const call = await ask();
    await page.getByText("STRIPE_KEY").tap();
    expect(await page.locator(".tally").innerText()).toBe("1 of 2 ticked. The rest counts as denied.");
    expect(await page.locator("#approve").innerText()).toMatch(
      /^Approve\s+only the 1 ticked, for 15 minutes, with passkey$/,
    );
    await page.getByText("5 minutes", { exact: true }).tap();
    expect(await page.locator("#approve").innerText()).toMatch(
      /^Approve\s+only the 1 ticked, for 5 minutes, with passkey$/,
    );
    await page.tap("#approve");
    await decided(page);
    expect(await page.locator("main").innerText()).toContain("1 left out; that counts as denied.");
    const { standing } = card();
    expect(standing).toMatchObject({ is: "approved", leftOut: [1] });
    expect(standing.is === "approved" && (standing.until ?? 0) - standing.at).toBe(300_000);
    expect(JSON.stringify(await call.reply)).not.toContain("sk_live_canary_0815");
    await expect(get("STRIPE_KEY").reply).rejects.toMatchObject({ code: "denied" });
  });

  it("unticks by keyboard, cannot untick everything, and is told why", async () => {
    const { page, ask, card } = await start(host.origin, { hasTouch: false, isMobile: false });
    await ask();
    await page.focus("#item-0");
    await page.keyboard.press("Space");
    expect(await page.locator("#news").innerText()).toBe("1 of 2 ticked");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Space");
    expect(await page.locator(".tally").innerText()).toBe("Tick at least one, or deny.");
    await page.focus("#approve");
    await page.keyboard.press("Enter");
    expect(await page.locator("#approve").innerText()).toMatch(/nothing ticked/);
    expect(await page.getByRole("button", { name: /Approve/, disabled: true }).count()).toBe(1);
    expect(card().standing.is).toBe("waiting");
    await page.focus("#item-1");
    await page.keyboard.press("Space");
    await page.focus("#approve");
    await page.keyboard.press("Enter");
    await decided(page);
    expect(card().standing).toMatchObject({ is: "approved", leftOut: [0] });
  });

  it("says only these once a secret is left out of a whole vault", async () => {
    const { page, ask, card } = await start(host.origin, { rules: { rules: { ttlMs: 900_000, ttlScope: "vault" } } });
    await ask();
    expect(await page.locator("fieldset").innerText()).toContain("ALL of dev for 15 minutes");
    await page.getByText("DATABASE_URL").tap();
    const words = await page.locator("fieldset").innerText();
    expect(words).toContain("only the 1 ticked, for 15 minutes");
    expect(words).not.toContain("ALL");
    await page.tap("#approve");
    await decided(page);
    expect(await page.locator("main").innerText()).not.toContain("ALL");
    expect(card().standing).toMatchObject({ is: "approved", leftOut: [0] });
  });

  it("keeps both buttons and what they say in view at 200 % zoom", async () => {
    const { page, ask } = await start(host.origin, { viewport: { width: 195, height: 422 } });
    await ask();
    await page.getByText("STRIPE_KEY").tap();
    for (const id of ["#deny", "#approve"]) {
      const box = await page.locator(id).boundingBox();
      expect(box?.height).toBeGreaterThanOrEqual(48);
      expect((box?.y ?? 999) + (box?.height ?? 999)).toBeLessThanOrEqual(422);
      expect((box?.x ?? 999) + (box?.width ?? 999)).toBeLessThanOrEqual(195);
    }
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(195);
  });

  it("keeps what was unticked when the page brings itself up to date", async () => {
    const { page, ask } = await start(host.origin);
    const call = await ask();
    await page.getByText("STRIPE_KEY").tap();
    call.cancel();
    await page.locator("p.note", { hasText: "Nobody is waiting just now." }).waitFor();
    expect(await page.isChecked("#item-1")).toBe(false);
    expect(await page.locator(".tally").innerText()).toContain("1 of 2 ticked.");
  });
});
