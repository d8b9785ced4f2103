import { expect, it } from "vitest";
import { hasBrowser, startBrowser } from "../support/browser.ts";
import { expectHarmless } from "../support/hostile-browse.ts";
import { HOSTILE_TEXTS } from "../support/hostile-texts.ts";
import { share } from "../support/share.ts";

it.skipIf(!hasBrowser)("500 hostile reasons in a real browser run, load and widen nothing", async () => {
  const browser = await startBrowser();
  try {
    await expectHarmless(browser, HOSTILE_TEXTS.slice(0, share(HOSTILE_TEXTS.length)));
  } finally {
    await browser.close();
  }
  expect(browser.isConnected()).toBe(false);
});
