// The pictures in README: the real page in a real browser, with an invented request in front of it. Run it again after
// the page has changed:
//   npx esbuild test/docs/pictures.ts --bundle --packages=external --platform=node --format=esm --outfile=node_modules/.cache/pictures.mjs
//   node node_modules/.cache/pictures.mjs
import { mkdirSync } from "node:fs";
import { createWeb } from "../../src/web/server.ts";
import { startBrowser } from "../support/browser.ts";
import { FakeFront, item } from "../support/fake-front.ts";
import { NOBODY } from "../support/house.ts";

const FOLDER = "docs/images";
const MINUTE_MS = 60_000;

const clock = { now: Date.now, mono: () => performance.now(), after: later };
const front = new FakeFront(clock);
const everyday = {
  provider: "env",
  requester: {
    claims: { client: "claude-code 2.1" },
    facts: { user: "maria", host: "devbox", folder: "/home/maria/shop", process: "claude" },
  },
  // What a page shows a moment after its request came in.
  expiresAt: clock.now() + 14 * MINUTE_MS + 42_500,
};
const pictures = [
  {
    file: "approve.png",
    colorScheme: "light",
    card: {
      ...everyday,
      vault: "dev",
      items: [item("DATABASE_URL"), item("STRIPE_KEY")],
      reason: "Run migration 0042_add_roles and check that checkout still works",
      offer: { windowMs: 15 * MINUTE_MS, scope: "secret" },
    },
  },
  {
    file: "save.png",
    colorScheme: "dark",
    card: {
      ...everyday,
      vault: "dev",
      action: "write",
      items: [
        {
          ...item("STRIPE_KEY"),
          write: { effect: "replace", preview: { length: 32, head: "sk_", tail: "9xF" } },
        },
        { ...item("WEBHOOK_PIN"), write: { effect: "create", preview: { length: 9 } } },
      ],
      reason: "Rotate the Stripe key that leaked in issue 318",
      offer: { windowMs: 0, scope: "secret" },
    },
  },
] as const;

const web = await createWeb({ front, approvers: NOBODY, clock, port: 0 });
const browser = await startBrowser();
mkdirSync(FOLDER, { recursive: true });
for (const { file, colorScheme, card } of pictures) {
  const page = await browser.newPage({ viewport: { width: 390, height: 844 }, colorScheme, deviceScaleFactor: 1.5 });
  await page.goto(web.link(front.add(card)));
  await page.screenshot({ path: `${FOLDER}/${file}` });
  await page.close();
}
await browser.close();
await web.close();

function later(ms: number, run: () => void): () => void {
  const timer = setTimeout(run, ms);
  return () => clearTimeout(timer);
}
