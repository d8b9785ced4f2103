import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { openPairing } from "../../src/approvers/pairing.ts";
import { openRemoval } from "../../src/approvers/removal.ts";
import { openApprovers } from "../../src/approvers/store.ts";
import { frontOf } from "../../src/core/front.ts";
import { createWeb } from "../../src/web/server.ts";
import { hasBrowser, startBrowser } from "../support/browser.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { startHouse } from "../support/house.ts";
import { giveLock, type NamedHost, startNamedHost } from "../support/phone.ts";
import { fakeNotes } from "../support/provider-context.ts";

const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
type Step = ReturnType<typeof openPairing>["step"];

describe.skipIf(!hasBrowser)("pairing", () => {
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

  /** A desk with approvers, the page before it, and whatever change is open. */
  async function start() {
    const clock = new FakeClock();
    const store = openApprovers({ notes: fakeNotes()("approvers"), clock });
    const house = startHouse({ approvers: store, clock, rules: { ttlMs: 900_000 } });
    const options = { store, journal: house.journal, clock };
    const steps: Step[] = [];
    const front = frontOf(house.desk, async (token, step) => {
      for (const each of steps) {
        const view = await each(token, step);
        if (view) return view;
      }
      return undefined;
    });
    const web = await createWeb({ front, approvers: store, clock, port: 0 });
    open.push(web);
    host.leadTo(web);
    const begin = <T extends { readonly token: string; readonly step: Step; readonly close: () => void }>(
      change: T,
    ): T => {
      steps.push(change.step);
      open.push(change);
      return change;
    };
    return {
      ...house,
      store,
      web,
      pair: (name: string) => begin(openPairing(name, options)),
      remove: (name: string) => {
        const approver = store.all().find((each) => each.name === name);
        if (!approver) throw new Error("nobody is called that");
        return begin(openRemoval(approver, { ...options, lastOne: "That is the last one." }));
      },
    };
  }
  /** A phone of its own, with a lock. */
  async function newPhone(look: Parameters<Browser["newContext"]>[0] = {}) {
    const context = await browser.newContext({ ...PHONE, ...look });
    open.push(context);
    const page = await context.newPage();
    return { page, lock: await giveLock(page) };
  }
  const headline = (page: Page): Promise<string> => page.getByRole("heading", { level: 1 }).innerText();
  const codeOn = async (page: Page): Promise<string> => {
    await page.waitForSelector(".code");
    return (await page.locator(".code").innerText()).replaceAll(/\D/g, "");
  };
  /** Goes through it as a person would: the button, the code, the terminal. */
  async function pairOn(page: Page, pairing: ReturnType<typeof openPairing>, clock: FakeClock): Promise<void> {
    await page.goto(`${host.origin}/pair/${pairing.token}`);
    await page.tap("#go");
    expect(await pairing.confirm(await codeOn(page))).toBe(true);
    clock.advance(1_000);
    await page.getByRole("heading", { name: "Paired" }).waitFor();
  }

  it("creates a passkey, shows its code, is done when that was typed, and approves with it", async () => {
    const desk = await start();
    const { page, lock } = await newPhone();
    const pairing = desk.pair("Maria's phone");
    await page.goto(`${host.origin}/pair/${pairing.token}`);
    expect(await headline(page)).toBe("Pair this device");
    await page.tap("#go");
    const code = await codeOn(page);
    expect(code).toMatch(/^\d{6}$/);
    expect(await lock.count()).toBe(1);
    expect(desk.store.all()).toEqual([]);
    await page.evaluate('document.body.classList.add("never-loaded-again")');
    expect(await pairing.confirm(code)).toBe(true);
    desk.clock.advance(1_000);
    await page.getByRole("heading", { name: "Paired" }).waitFor();
    expect(await page.locator("body.never-loaded-again").count()).toBe(1);
    expect(desk.store.all()).toMatchObject([{ name: "Maria's phone", origin: host.origin }]);

    const call = desk.get("DATABASE_URL", { holdMs: 600_000 });
    await expect.poll(() => desk.tokens.length).toBe(1);
    await page.goto(`${host.origin}/approve/${desk.tokens[0]}`);
    await page.tap("#approve");
    await page.waitForSelector(".verdict");
    expect(desk.card().standing).toMatchObject({ is: "approved", by: "Maria's phone" });
    await expect(call.reply).resolves.toBeDefined();
  });

  it("goes on after a prompt that was closed", async () => {
    const desk = await start();
    const { page, lock } = await newPhone();
    const pairing = desk.pair("Maria's phone");
    await page.goto(`${host.origin}/pair/${pairing.token}`);
    await lock.opens(false);
    await page.tap("#go");
    await page.getByText("No passkey was created. You can try again.").waitFor();
    await lock.opens(true);
    await page.tap("#go");
    expect(await codeOn(page)).toMatch(/^\d{6}$/);
    expect(await lock.count()).toBe(1);
  });

  it("shows the code to the device that began, and to nobody else who has the link", async () => {
    const desk = await start();
    const [mine, other] = [await newPhone(), await newPhone()];
    const pairing = desk.pair("Maria's phone");
    const address = `${host.origin}/pair/${pairing.token}`;
    await mine.page.goto(address);
    await mine.page.tap("#go");
    const code = await codeOn(mine.page);
    await other.page.goto(address);
    expect(await other.page.locator("main").innerText()).toContain("The code is on the device that is being paired.");
    expect((await other.page.content()).replaceAll(/\D/g, "")).not.toContain(code);
    // Opened once more from the code in the terminal it is the same device still.
    await mine.page.goto("about:blank");
    await mine.page.goto(address);
    expect(await codeOn(mine.page)).toBe(code);
  });

  it("lets one more in only when one who is enrolled has signed, and takes one away again", async () => {
    const desk = await start();
    const [maria, tom] = [await newPhone(), await newPhone()];
    await pairOn(maria.page, desk.pair("Maria's phone"), desk.clock);

    const pairing = desk.pair("Tom's phone");
    const address = `${host.origin}/pair/${pairing.token}`;
    await tom.page.goto(address);
    await tom.page.tap("#go");
    await tom.page.getByRole("heading", { name: "One more step" }).waitFor();
    expect(await tom.page.locator(".note").innerText()).toBe("Maria's phone has to agree.");
    expect(await tom.page.getByRole("button").filter({ visible: true }).count()).toBe(0);
    await maria.page.goto(address);
    expect(await headline(maria.page)).toBe("Allow one more?");
    expect(await maria.page.locator(".note").innerText()).toBe(
      "Maria's phone can sign this. On another device, open this same link there.",
    );
    await maria.page.tap("#go");
    await maria.page.getByText("The code is on the device").waitFor();
    desk.clock.advance(1_000);
    expect(await pairing.confirm(await codeOn(tom.page))).toBe(true);
    desk.clock.advance(1_000);
    await tom.page.getByRole("heading", { name: "Paired" }).waitFor();
    expect(desk.store.all().map(({ name }) => name)).toEqual(["Maria's phone", "Tom's phone"]);

    const removal = desk.remove("Maria's phone");
    await maria.page.goto(`${host.origin}/pair/${removal.token}`);
    expect(await maria.page.locator(".note").innerText()).toBe(
      "Tom's phone can sign this. On another device, open this same link there.",
    );
    await tom.page.goto(`${host.origin}/pair/${removal.token}`);
    expect(await headline(tom.page)).toBe("Remove an approver?");
    await tom.page.tap("#go");
    await tom.page.getByRole("heading", { name: "Removed" }).waitFor();
    desk.clock.advance(1_000);
    await maria.page.getByRole("heading", { name: "Removed" }).waitFor();
    expect(desk.store.all().map(({ name }) => name)).toEqual(["Tom's phone"]);
  });

  it("says what to do where no passkey can be made", async () => {
    const desk = await start();
    const { page } = await newPhone();
    const pairing = desk.pair("Maria's phone");
    await page.goto(`http://127.0.0.1:${desk.web.port}/pair/${pairing.token}`);
    await page.tap("#go");
    await page.waitForSelector("[data-says]:not([hidden])");
    expect(await page.locator("[data-says]").innerText()).toBe(
      "No passkey can be made on this page: open it under localhost, or through a tunnel.",
    );
  });

  it("says so when its time is up, by itself", async () => {
    const desk = await start();
    const { page } = await newPhone();
    const pairing = desk.pair("Maria's phone");
    await page.goto(`${host.origin}/pair/${pairing.token}`);
    await page.waitForSelector("#go");
    desk.clock.advance(301_000);
    await page.getByRole("heading", { name: "Time is up" }).waitFor();
    expect(await page.locator("#go").count()).toBe(0);
  });

  it.each([
    { width: 320, height: 568 },
    { width: 195, height: 422 },
  ])("keeps its button in view at $width by $height, and moves nothing sideways", async (viewport) => {
    const desk = await start();
    const { page } = await newPhone({ viewport });
    const pairing = desk.pair("A phone with a name of sixty characters and not one less ok");
    await page.goto(`${host.origin}/pair/${pairing.token}`);
    const box = await page.locator("#go").boundingBox();
    expect(box?.height).toBeGreaterThanOrEqual(48);
    expect((box?.y ?? 999) + (box?.height ?? 999)).toBeLessThanOrEqual(viewport.height);
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(viewport.width);
    await page.tap("#go");
    await codeOn(page);
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(viewport.width);
  });
});
