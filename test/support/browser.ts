import { existsSync } from "node:fs";
import { chromium, type Browser } from "playwright-core";

const PLACES = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/usr/bin/google-chrome-stable",
];
const QUIET = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const executablePath = [process.env["CHROMIUM"] ?? "", ...PLACES].find((path) => path !== "" && existsSync(path));

/**
 * Whether browser tests can run here. Without a Chromium they are skipped and say so, except under CI: there a missing
 * browser is a failure and not a way to pass.
 */
export const hasBrowser = executablePath !== undefined || process.env["CI"] !== undefined;
if (!hasBrowser) console.warn("skipped: no Chromium found; install it or set CHROMIUM to run the browser tests");

/** A real, quiet Chromium. */
export function startBrowser(...extra: readonly string[]): Promise<Browser> {
  if (executablePath === undefined) throw new Error("CI is set and there is no Chromium: install the package chromium");
  return chromium.launch({ executablePath, args: [...QUIET, ...extra] });
}
