import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasBrowser, startBrowser } from "../support/browser.ts";
import {
  type FakeFront,
  fieldsOf,
  hugeCard,
  item,
  LONG_FAILURE,
  LONG_REFERENCE,
  LONG_WAIT,
  UNKNOWN,
} from "../support/fake-front.ts";
import { startWeb } from "../support/web.ts";

const SIZES = [
  { width: 320, height: 568 },
  { width: 390, height: 844 },
];

const once = { windowMs: 0, scope: "secret" as const };
const write = { effect: "replace" as const, preview: { length: 64, head: "sk_", tail: "9xF" } };
const CARDS: Record<string, (at: number) => Parameters<FakeFront["add"]>[0]> = {
  everyday: () => ({}),
  "whole vault": () => ({ vault: "dev", offer: { windowMs: 1_800_000, scope: "vault" }, attached: 0 }),
  huge: () => hugeCard(),
  "huge vault": () => ({ ...hugeCard(), offer: { windowMs: 5_400_000, scope: "vault" } }),
  "huge write": () => ({ ...hugeCard(), action: "write", offer: once, items: [{ ...item("K".repeat(80)), write }] }),
  "escaped reason": () => ({ reason: "⟦U+202E⟧".repeat(280) }),
  "right to left": () => ({ reason: "يحتاج الوكيل إلى كلمة المرور ".repeat(8), vault: "خزنة", items: [item("مفتاح")] }),
  "a long reference": () => ({ items: fieldsOf({ ...item(LONG_REFERENCE), title: "T".repeat(90) }, "f".repeat(80)) }),
  "60 fields": () => ({
    items: fieldsOf(item("A".repeat(80)), ...Array.from({ length: 60 }, (_, at) => `${at}`.padEnd(80, "f"))),
    everyField: true,
  }),
  "100 secrets of one field": () => ({
    items: Array.from({ length: 100 }, (_, at) => ({ ...item(`Service ${at}`), field: "password" })),
  }),
  "a title from right to left": () => ({
    items: fieldsOf(
      { ...item(LONG_REFERENCE), title: "كلمة مرور قاعدة بيانات الإنتاج ".repeat(3).trim() },
      "ملاحظة",
      "password",
    ),
  }),
  "fields open already": (at) => ({
    items: [
      ...fieldsOf({ ...item("Stripe"), title: "S".repeat(80), openUntil: at + 900_000 }, "u".repeat(80), "username"),
      ...fieldsOf({ ...item("Stripe"), title: "S".repeat(80) }, "password", "notes"),
    ],
    everyField: true,
  }),
  "a write to fields": () => ({
    action: "write",
    offer: once,
    items: [
      { ...item(LONG_REFERENCE), title: "T".repeat(90), field: "f".repeat(80), write },
      { ...item("NEW"), title: "P".repeat(90), field: "f".repeat(80), write: { ...write, effect: "create" as const } },
    ],
  }),
  "waiting for the vault": (at) => ({
    ...hugeCard(),
    items: fieldsOf({ ...item(LONG_REFERENCE), title: "T".repeat(90) }, "f".repeat(80), "g".repeat(80)),
    standing: { is: "approved", at, until: at + 900_000 },
    upstream: { text: LONG_WAIT, since: at },
  }),
  "waiting for people without spaces": (at) => ({
    ...hugeCard(),
    items: fieldsOf({ ...item(LONG_REFERENCE), title: "T".repeat(90) }, "f".repeat(80)),
    standing: { is: "approved", at },
    upstream: { text: "w".repeat(300), since: at },
  }),
  "an id without a name": () => ({ items: [UNKNOWN, item("KEY")] }),
  "refused by the vault": (at) => ({
    ...hugeCard(),
    offer: { windowMs: 900_000, scope: "vault" },
    standing: { is: "approved", at, until: at + 900_000 },
    failure: { text: LONG_FAILURE, byVault: true },
  }),
  "a failed save": (at) => ({
    ...hugeCard(),
    action: "write",
    offer: once,
    items: [{ ...item("K".repeat(80)), write }],
    standing: { is: "approved", at },
    failure: { text: "e".repeat(300) },
  }),
  approved: (at) => ({ ...hugeCard(), standing: { is: "approved", at, until: at + 900_000 } }),
  "sent back": (at) => ({ ...hugeCard(), standing: { is: "returned", at, note: "n".repeat(500) } }),
  cancelled: (at) => ({ ...hugeCard(), standing: { is: "cancelled", at } }),
};

describe.skipIf(!hasBrowser)("the page on a phone", () => {
  let started: Awaited<ReturnType<typeof startWeb>>;
  let browser: Browser;
  beforeAll(async () => {
    started = await startWeb();
    browser = await startBrowser();
  });
  afterAll(async () => {
    await browser.close();
    await started.web.close();
  });

  const show = async (token: string, options: Parameters<Browser["newPage"]>[0] = {}): Promise<Page> => {
    const page = await browser.newPage(options);
    page.on("console", (line) => complaints.push(line.text()));
    page.on("pageerror", (error) => complaints.push(String(error)));
    await page.goto(started.web.link(token));
    return page;
  };
  const complaints: string[] = [];

  let shared: Page | undefined;
  const look = async (name: string, judge: (page: Page) => Promise<void>): Promise<void> => {
    const card = CARDS[name]?.(started.clock.now());
    const token = started.front.add(card);
    if (shared === undefined) shared = await show(token);
    else await shared.goto(started.web.link(token));
    await judge(shared);
  };

  it.each(Object.keys(CARDS))("never widens, keeps both buttons in reach and every text legible: %s", async (name) => {
    await look(name, async (page) => {
      for (const colorScheme of ["light", "dark"] as const) {
        await page.emulateMedia({ colorScheme });
        expect(await faintTexts(page)).toEqual([]);
      }
      for (const size of SIZES) {
        await page.setViewportSize(size);
        expect(await flaws(page)).toEqual([]);
      }
    });
    expect(complaints).toEqual([]);
  });

  it.each(Object.keys(CARDS))("stays usable at double zoom and with text twice the size: %s", async (name) => {
    await look(name, async (page) => {
      for (const { width, height } of SIZES) {
        // To a page, zoom is a window of half the size.
        await page.setViewportSize({ width: width / 2, height: height / 2 });
        expect(await flaws(page)).toEqual([]);
      }
      await page.evaluate(`document.documentElement.style.fontSize = "200%"`);
      for (const size of SIZES) {
        await page.setViewportSize(size);
        expect(await flaws(page)).toEqual([]);
      }
    });
  });

  it.each([
    ["a long word that does not wrap", `document.body.style.overflowWrap = "normal"`],
    ["buttons that scroll away", `document.querySelector(".bar").style.position = "static"`],
    [
      "small buttons",
      `for (const e of document.querySelectorAll(".bar button")) e.style.minHeight = e.style.height = "40px"`,
    ],
    [
      "something in front of the buttons",
      `document.querySelector("main").style.cssText = "z-index: 9; position: relative; margin-bottom: -9rem"`,
    ],
    ["faint text", `document.querySelector(".fine").style.color = "#999"`],
  ])("would be noticed to have %s", async (_what, plant) => {
    await look("huge", async (page) => {
      await page.emulateMedia({ colorScheme: "light" });
      await page.setViewportSize({ width: 320, height: 568 });
      await page.evaluate(plant);
      expect([...(await flaws(page)), ...(await faintTexts(page))]).not.toEqual([]);
    });
  });

  it("shows the count largest, and WRITE in another shape and colour than READ", async () => {
    const { front } = started;
    const read = await show(front.add());
    const write = await show(front.add({ action: "write", offer: { windowMs: 0, scope: "secret" } }));
    const look = (page: Page) =>
      page.locator(".badge").evaluate((badge) => {
        const { backgroundColor, borderRadius } = (globalThis as unknown as BrowserWindow).getComputedStyle(badge);
        return { word: badge.textContent, backgroundColor, borderRadius };
      });
    const [one, other] = [await look(read), await look(write)];
    expect([one.word, other.word]).toEqual(["READ", "WRITE"]);
    expect(one.backgroundColor).not.toBe(other.backgroundColor);
    expect(one.borderRadius).not.toBe(other.borderRadius);
    const sizes = await read.evaluate<
      Record<string, number>
    >(`Object.fromEntries([...document.querySelectorAll("#page *")]
      .filter((e) => e.checkVisibility()).map((e) => [e.className, parseFloat(getComputedStyle(e).fontSize)]))`);
    const { count = 0, ...others } = sizes;
    expect(Math.max(...Object.entries(others).map(([, size]) => size))).toBeLessThan(count);
    await read.close();
    await write.close();
  });

  it("shows what the vault calls it above, and larger than, what was asked for", async () => {
    const page = await show(
      started.front.add({ items: fieldsOf({ ...item("op://Shop/x/y"), title: "Stripe" }, "pin") }),
    );
    const at = async (where: string) => {
      const box = await page.locator(`.items ${where}`).boundingBox();
      return { y: box?.y ?? 0, height: box?.height ?? 0 };
    };
    const [title, name, field] = [await at(".title"), await at(".name"), await at(".field")];
    expect(title.y + title.height).toBeLessThanOrEqual(name.y);
    expect(name.y + name.height).toBeLessThanOrEqual(field.y + 1);
    expect(name.height).toBeLessThan(title.height);
    await page.close();
  });

  it("shows no comma between fields that stand in frames, and leaves one for ears", async () => {
    const page = await show(started.front.add({ items: fieldsOf(item("Stripe"), "f".repeat(80), "user name", "pin") }));
    const commas = page.locator(".items .unseen");
    expect(await commas.allTextContents()).toEqual([",", ","]);
    for (const box of await Promise.all((await commas.all()).map((comma) => comma.boundingBox()))) {
      expect(box).toMatchObject({ width: 1, height: 1 });
    }
    await page.close();
  });

  it("shows four lines of a long reason, and all of it after a tap, with or without script", async () => {
    for (const javaScriptEnabled of [true, false]) {
      const context = await browser.newContext({ viewport: { width: 320, height: 568 }, javaScriptEnabled });
      const page = await context.newPage();
      await page.goto(started.web.link(started.front.add({ reason: "word ".repeat(56).trim() })));
      const height = async (): Promise<number> => (await page.locator("blockquote").boundingBox())?.height ?? 0;
      const clamped = await height();
      expect(clamped).toBeLessThan(4.2 * 1.5 * 16);
      await page.getByText("Show all it says").click();
      expect(await height()).toBeGreaterThan(clamped * 1.4);
      await context.close();
    }
  });

  it("hides the switch where nothing is hidden", async () => {
    const page = await show(started.front.add({ reason: "word ".repeat(20).trim() }), {
      viewport: { width: 700, height: 700 },
    });
    expect(await page.getByText("Show all it says").isVisible()).toBe(false);
    await page.close();
  });

  it("moves nothing for those who asked for less motion", async () => {
    const page = await show(started.front.add(), { reducedMotion: "reduce" });
    const moving = `[...document.querySelectorAll("*")].filter((e) => getComputedStyle(e).transitionDuration !== "0s" || getComputedStyle(e).animationName !== "none").length`;
    expect(await page.evaluate(moving)).toBe(0);
    await page.close();
  });

  it("can be read by a screen reader: landmarks, one heading, named controls, a live region", async () => {
    const page = await show(started.front.add());
    for (const role of ["banner", "main", "contentinfo", "status", "timer"] as const) {
      expect(await page.getByRole(role).count()).toBe(1);
    }
    const heading = await page.getByRole("heading", { level: 1 }).innerText();
    expect(heading.replaceAll(/\s+/g, " ")).toBe(
      "An agent that calls itself Claude Code wants to read 2 secrets READ from prod · 1password".replace("· ", ""),
    );
    expect(await page.getByRole("group", { name: "If you approve" }).getByRole("radio").count()).toBe(3);
    expect(await page.getByRole("radio", { name: /^these 2 for 15 minutes/ }).isChecked()).toBe(true);
    expect(await page.getByRole("button", { name: "Approve for 15 minutes", exact: true }).count()).toBe(1);
    await page.getByRole("radio", { name: /^just this once/ }).check();
    expect(await page.getByRole("button", { name: "Approve just this once", exact: true }).count()).toBe(1);
    await page.getByText("Ask again differently").click();
    expect(await page.getByRole("textbox", { name: "A note for the agent" }).count()).toBe(1);
    await page.close();
  });
});

interface BrowserWindow {
  readonly getComputedStyle: (element: unknown) => Record<string, string>;
}

/**
 * What is wrong with the layout: something sticks out to the right, or a button is not whole inside the window, not on
 * top or under 48 px, be it at the start, in the middle or at the end of the page.
 */
function flaws(page: Page): Promise<string[]> {
  return page.evaluate(`(() => {
    const wide = [...document.querySelectorAll("body *")].filter((e) => e.checkVisibility() && e.getBoundingClientRect().right > innerWidth + 0.5);
    const root = document.documentElement;
    const found = wide.map((e) => e.tagName + "." + e.className + " sticks out");
    if (root.scrollWidth > root.clientWidth) found.push("the page scrolls sideways");
    const buttons = [...document.querySelectorAll(".bar button")];
    if (buttons.length !== (document.querySelector("#decide") ? 2 : 0)) found.push("there are " + buttons.length + " buttons");
    for (const at of [0, 0.5, 1]) {
      scrollTo(0, root.scrollHeight * at);
      for (const e of buttons) {
        const { x, y, right, bottom, width, height } = e.getBoundingClientRect();
        const where = e.id + " at " + at + " of the page ";
        if (Math.min(width, height) < 48) found.push(where + "is small");
        if (x < 0 || y < 0 || right > innerWidth + 0.5 || bottom > innerHeight + 0.5) found.push(where + "is outside");
        if (document.elementFromPoint(x + width / 2, y + height / 2)?.closest("button") !== e) found.push(where + "is covered");
      }
    }
    return found;
  })()`);
}

/** Texts below the AA contrast of WCAG: 4.5, or 3 where they are large. Colours are painted, not parsed. */
function faintTexts(page: Page): Promise<string[]> {
  return page.evaluate(`(() => {
    const brush = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
    const paint = (...colours) => {
      brush.clearRect(0, 0, 1, 1);
      for (const colour of colours) { brush.fillStyle = colour; brush.fillRect(0, 0, 1, 1); }
      return [...brush.getImageData(0, 0, 1, 1).data].slice(0, 3);
    };
    const light = (rgb) => {
      const [r, g, b] = rgb.map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const faint = [];
    for (const e of document.querySelectorAll("body *")) {
      if (!e.checkVisibility() || e.closest(".unseen") || ![...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim())) continue;
      const behind = [];
      for (let at = e; at; at = at.parentElement) behind.unshift(getComputedStyle(at).backgroundColor);
      const style = getComputedStyle(e);
      const [a, b] = [light(paint(...behind)), light(paint(...behind, style.color))];
      const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      const size = parseFloat(style.fontSize);
      const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 600);
      if (ratio < (large ? 3 : 4.5)) faint.push(e.className + " " + ratio.toFixed(2));
    }
    return faint;
  })()`);
}
