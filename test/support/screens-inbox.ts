import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import type { Event } from "../../src/core/event.ts";
import { FakeClock } from "./fake-clock.ts";
import { type InboxFront, startInbox } from "./inbox.ts";
import { giveLock } from "./phone.ts";

/** What is looked at: a name, and what to do with the page once it is there. */
export type Shoot = (name: string, page: Page) => Promise<void>;

const clock = new FakeClock();
const at = clock.now();
const EVENTS: readonly Event[] = [
  { kind: "released", at: at - 30_000, vault: "prod", names: ["STRIPE_KEY"], action: "read" },
  { kind: "approved", at: at - 32_000, vault: "prod", names: ["STRIPE_KEY"], action: "read", until: at + 900_000 },
  { kind: "requested", at: at - 60_000, vault: "prod", names: ["STRIPE_KEY"], action: "read" },
  { kind: "denied", at: at - 3_600_000, vault: "dev", names: ["A", "B", "C", "D", "E"], action: "read" },
  { kind: "approver_added", at: at - 90_000_000, detail: "Maria's phone" },
];

function fill(front: InboxFront): void {
  front.waits();
  front.waits({ twin: "same", vault: "shop", names: ["DATABASE_URL", "SENTRY_DSN"], client: "Cursor" });
  front.waits({ twin: "same", vault: "shop", names: ["DATABASE_URL", "SENTRY_DSN"], client: "Cursor" });
  front.waits({ action: "write", names: ["PIN"], folder: "~/work/a-folder-with-a-name-that-is-quite-long/shop-tools" });
  front.waits({ isBehind: true });
  for (let n = 0; n < 3; n++) front.waits({ client: "codex-mcp-client", isBehind: true });
  front.opens({ by: "Maria's phone" });
  front.opens({ vault: "dev", scope: "vault", client: "Cursor", until: at + 4_000_000 });
  front.opens({ names: ["GITHUB_TOKEN"], isOnce: true, until: at + 200_000 });
}

/** The inbox: signed out, refused, empty and full; and an address that leads nowhere. */
export async function inboxScreens(browser: Browser, look: BrowserContextOptions, shoot: Shoot): Promise<void> {
  const full = await startInbox({ clock, events: EVENTS });
  fill(full.front);
  const empty = await startInbox({ clock });
  try {
    for (const [name, { origin, phone }] of Object.entries({ full, empty })) {
      const context = await browser.newContext(look);
      const page = await context.newPage();
      const lock = await giveLock(page);
      await lock.add({ ...phone, origin });
      await page.goto(`${origin}/inbox`);
      if (name === "empty") await shoot("inbox-out", page);
      await lock.opens(false);
      await page.click("#sign-in");
      await page.locator("[data-says]:not([hidden])").waitFor();
      if (name === "empty") await shoot("inbox-refused", page);
      await lock.opens(true);
      await page.click("#sign-in");
      await page.locator("#sign-out").waitFor();
      await shoot(`inbox-${name}`, page);
      if (name === "full") {
        await page.goto(`${origin}/approve/${"x".repeat(22)}`);
        await shoot("not-found", page);
      }
      await context.close();
    }
  } finally {
    await Promise.all([full.web.close(), empty.web.close()]);
  }
}
