import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Accounts, installForAll, makeAccounts, noAccounts } from "../support/accounts.ts";
import { statusOf, textOf } from "../support/agent.ts";
import { clientOf, layOut, placeIn, settingsOf, startServing } from "../support/apart.ts";
import { ask } from "../support/asked.ts";
import { atTerminal, hasTerminals } from "../support/at-terminal.ts";
import { hasBrowser, startBrowser } from "../support/browser.ts";
import { beginPairing, endPairing, openInbox, openPhone } from "../support/handset.ts";

const VALUE = "postgres://hunter2-4711";

describe.skipIf(noAccounts !== undefined || !hasBrowser || !hasTerminals)(
  "a phone and a broker under a user of its own, in a real browser",
  () => {
    let accounts: Accounts;
    let installed: ReturnType<typeof installForAll>;
    let browser: Browser;
    const closing: (() => unknown)[] = [];
    beforeAll(async () => {
      accounts = makeAccounts();
      installed = installForAll();
      browser = await startBrowser();
    });
    afterEach(async () => {
      for (const close of closing.splice(0).toReversed()) await close();
    });
    afterAll(async () => {
      await browser?.close();
      installed?.remove();
      accounts?.remove();
    });

    it("pairs, approves what another user's agent asks for, sees the window, and revokes it", async () => {
      const { broker, agent, clients } = accounts;
      const place = placeIn(join(installed.root, "place"));
      layOut(place, accounts, {
        config: {
          port: 12_000 + Math.floor(Math.random() * 20_000),
          vaults: { dev: { type: "env", file: place.secrets, ttl: 15, minAssurance: "passkey/other-user" } },
          approval: { browser: "never" },
        },
        tokens: "",
        secrets: `DATABASE_URL=${VALUE}\n`,
      });
      const served = startServing(place, accounts, installed.program);
      closing.push(served.stop);
      await served.ready;
      const phone = await openPhone(browser);
      const shim = [installed.program, "connect", place.socket];
      const session = await clientOf(agent, shim, { groups: [clients.gid] });
      closing.push(session.close);
      expect(statusOf(await session.get("DATABASE_URL"))).toBe("assurance_unmet");

      const { command, args } = broker.as([process.execPath, installed.program], [clients.gid]);
      const at = { project: "/", env: settingsOf(place) };
      const terminal = atTerminal(at, ["pair", "--name", "Maria's phone"], [command, ...args]);
      closing.push(terminal.kill);
      await endPairing(phone, terminal, await beginPairing(phone, terminal));
      expect([await terminal.ended, terminal.screen()]).toEqual([0, expect.stringContaining("is enrolled")]);

      const { link, result } = await ask(session, "DATABASE_URL");
      await phone.goto(link);
      expect(await phone.locator("main").innerText()).toContain(agent.name);
      await phone.getByRole("button", { name: /approve/i }).click();
      expect(textOf(await result)).toBe(VALUE);
      await phone.getByRole("button", { name: "Revoke" }).waitFor();
      expect(await phone.locator("main").innerText()).toMatch(/can read DATABASE_URL .*until/);
      expect(textOf(await session.get("DATABASE_URL"))).toBe(VALUE);

      await openInbox(phone, link);
      expect(await phone.locator("main").innerText()).toContain("DATABASE_URL");
      await phone
        .getByRole("button", { name: /^Revoke/ })
        .first()
        .click();
      await phone.getByText("Nothing is open").waitFor();

      const again = await ask(session, "DATABASE_URL");
      expect(again.link).not.toBe(link);
      await phone.goto(again.link);
      await phone.getByRole("button", { name: /deny/i }).click();
      expect(statusOf(await again.result)).toBe("denied");
      expect(served.stderr()).not.toContain("/approve/");
    });
  },
);
