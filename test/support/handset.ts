import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import type { AtTerminal } from "./at-terminal.ts";
import { giveLock } from "./phone.ts";

/** A phone: a page whose browser has a lock that its owner opens, and makes passkeys. */
export async function openPhone(browser: Browser, options: BrowserContextOptions = {}): Promise<Page> {
  const size = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
  const context = await browser.newContext({ ...size, ...options });
  const page = await context.newPage();
  await giveLock(page);
  return page;
}

/** The phone follows the terminal's link, makes a passkey, and shows the code that is to be compared. */
export async function beginPairing(phone: Page, terminal: AtTerminal): Promise<string> {
  const [link] = await terminal.shows(/http:\/\/localhost:\d+\/pair\/[\w-]+/);
  await phone.goto(link);
  await phone.getByRole("button", { name: "Create passkey" }).click();
  await phone.getByRole("heading", { name: "Type this into the terminal" }).waitFor();
  return phone.locator(".code").innerText();
}

/** The person types the code into the terminal, and the phone is told that it is paired. */
export async function endPairing(phone: Page, terminal: AtTerminal, code: string): Promise<void> {
  await terminal.shows(/Type the code/);
  terminal.type(code.replace(/\s+/, " "));
  await phone.getByRole("heading", { name: "Paired" }).waitFor();
}

/** The inbox at the address of a link, signed in: pairing left the phone so, or its passkey does it. */
export async function openInbox(phone: Page, link: string): Promise<void> {
  await phone.goto(new URL("/inbox", link).href);
  const [signIn, signOut] = [phone.locator("#sign-in"), phone.locator("#sign-out")];
  await signIn.or(signOut).first().waitFor();
  if (await signIn.isVisible()) await signIn.click();
  await signOut.waitFor();
}
