import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasBrowser, startBrowser } from "../support/browser.ts";
import { expectHarmless } from "../support/hostile-browse.ts";
import { buildPatched } from "../support/patched.ts";
import { HOSTILE_TEXTS } from "../support/hostile-texts.ts";

describe.skipIf(!hasBrowser)("in a real browser", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser.close());

  it("a hostile reason runs nothing, loads nothing, widens nothing and reads as what was sent", () =>
    expectHarmless(
      browser,
      HOSTILE_TEXTS.filter((_, at) => at % 31 === 3),
    ));

  it("would be seen to come through if it were not escaped", async () => {
    const plants = [{ file: "src/web/html.ts", from: "return escape(String(piece));", to: "return String(piece);" }];
    const twin = await buildPatched("src/main.ts", plants);
    try {
      await expect(expectHarmless(browser, ["<b>now</b>", "<img src=//evil.example/x>"], twin.file)).rejects.toThrow();
    } finally {
      twin.remove();
    }
  });
});
