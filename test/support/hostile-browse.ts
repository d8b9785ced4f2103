import type { Browser } from "playwright-core";
import { expect } from "vitest";
import { visibleProse } from "../../src/core/text.ts";
import { expectClean, openStage } from "./hostile-run.ts";
import { decide } from "./person.ts";

/** Looks at the pages of hostile requests in a real browser, on the smallest phone there is. */
export async function expectHarmless(browser: Browser, texts: readonly string[], program?: string): Promise<void> {
  const stage = await openStage(program === undefined ? {} : { program });
  const context = await browser.newContext({ viewport: { width: 320, height: 568 } });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("dialog", (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (line) => complaints.push(line.text()));
  page.on("popup", () => complaints.push("a second window"));
  let looked = 0;
  for (const text of texts) {
    if (text.trim() === "" || text.trim().length > 1_000) continue;
    const name = looked % 2 === 0 ? "DATABASE_URL" : "STRIPE_KEY";
    const asked = stage.raw.call("get_secret", { vault: "dev", name, reason: text });
    const link = await stage.raw.link();
    const requests: string[] = [];
    page.on("request", (request) => requests.push(request.url()));
    await page.goto(link);
    page.removeAllListeners("request");
    expect(requests.filter((url) => !url.startsWith(new URL(link).origin))).toEqual([]);
    const all = page.locator("label.more");
    if (await all.isVisible()) await all.click();
    expect(await page.locator("blockquote").innerText()).toBe(visibleProse(text));
    expect(
      await page
        .locator("#page blockquote *, #page img, #page svg:not(.mark), #page script, #page form[action^='//']")
        .count(),
    ).toBe(0);
    expect(await page.title()).not.toContain("owned");
    const wider = await page.evaluate<string[]>(
      `[document.documentElement, ...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > innerWidth + 0.5 && !e.matches(".unseen")).map((e) => e.outerHTML.slice(0, 200))`,
    );
    expect(wider, `wider than the screen: ${visibleProse(text)}`).toEqual([]);
    expect(await page.evaluate<number>("document.documentElement.scrollWidth")).toBeLessThanOrEqual(320);
    for (const id of ["#approve", "#deny"]) {
      const box = await page.locator(id).boundingBox();
      expect(box && box.y >= 0 && box.y + box.height <= 568 && box.x >= 0 && box.x + box.width <= 320).toBe(true);
    }
    await decide(link, { verdict: "deny" });
    await asked;
    looked += 1;
  }
  expect(complaints).toEqual([]);
  expect(looked).toBeGreaterThan(texts.length / 3);
  await context.close();
  await expectClean(stage);
}
