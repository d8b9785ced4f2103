import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventsOf, textOf } from "../support/agent.ts";
import { atTerminal, hasTerminals } from "../support/at-terminal.ts";
import { agentIn, world } from "../support/begin.ts";
import { hasBrowser, startBrowser } from "../support/browser.ts";

const PHONE = { width: 390, height: 844 };

/** A phone: a page whose browser has a lock that its owner opens, and makes passkeys. */
async function phoneIn(browser: Browser): Promise<Page> {
  const context = await browser.newContext({ viewport: PHONE, hasTouch: true, isMobile: true });
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  await session.send("WebAuthn.enable", { enableUI: false });
  await session.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  return page;
}

describe.skipIf(!hasBrowser || !hasTerminals)("a phone that is paired, in a real browser", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(async () => browser?.close());

  it("creates a passkey, shows the code, counts once it was typed, and then signs what an agent asks for", async () => {
    const at = world({ vault: { ttl: 5 } });
    const agent = await agentIn(at);
    const phone = await phoneIn(browser);

    const terminal = atTerminal(at, ["pair", "--name", "Maria's phone"]);
    const [link] = await terminal.shows(/http:\/\/localhost:\d+\/pair\/[\w-]+/);
    await phone.goto(link);
    await phone.getByRole("button", { name: "Create passkey" }).click();
    await phone.getByRole("heading", { name: "Type this into the terminal" }).waitFor();
    const code = await phone.locator(".code").innerText();
    expect(code).toMatch(/^\d{3}\s+\d{3}$/);
    await terminal.shows(/Type the code/);
    terminal.type(code.replace(/\s+/, " "));
    await phone.getByRole("heading", { name: "Paired" }).waitFor();
    expect([await terminal.ended, terminal.screen()]).toEqual([0, expect.stringContaining("is enrolled")]);

    const waiting = agent.get("DATABASE_URL");
    await phone.goto(await agent.link());
    await phone.getByRole("button", { name: /approve/i }).click();
    expect(textOf(await waiting)).toBe("postgres://hunter2-4711");
    expect(eventsOf(at).find(({ kind }) => kind === "approved")).toMatchObject({
      proof: "passkey",
      approver: expect.stringMatching(/^Maria's phone \(/),
      statement: expect.any(String),
    });
  });
});
