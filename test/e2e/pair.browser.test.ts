import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventsOf, textOf } from "../support/agent.ts";
import { atTerminal, hasTerminals } from "../support/at-terminal.ts";
import { agentIn, world } from "../support/begin.ts";
import { hasBrowser, startBrowser } from "../support/browser.ts";
import { beginPairing, endPairing, openPhone } from "../support/handset.ts";

describe.skipIf(!hasBrowser || !hasTerminals)("a phone that is paired, in a real browser", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(async () => browser?.close());

  it("creates a passkey, shows the code, counts once it was typed, and then signs what an agent asks for", async () => {
    const at = world({ vault: { ttl: 5 } });
    const agent = await agentIn(at);
    const phone = await openPhone(browser);

    const terminal = atTerminal(at, ["pair", "--name", "Maria's phone"]);
    const code = await beginPairing(phone, terminal);
    expect(code).toMatch(/^\d{3}\s+\d{3}$/);
    await endPairing(phone, terminal, code);
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
