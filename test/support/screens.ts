// Pictures of the page in every state, at both phone sizes, light and dark; for looking at, and for the README.
//   npx esbuild test/support/screens.ts --bundle --packages=external --platform=node --format=esm --outfile=node_modules/.cache/screens.mjs
//   node node_modules/.cache/screens.mjs FOLDER [PART_OF_A_NAME]
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Front } from "../../src/core/card.ts";
import type { PairingView } from "../../src/core/pairing.ts";
import { createWeb } from "../../src/web/server.ts";
import { createAuthenticator, enrolled } from "./authenticator.ts";
import { startBrowser } from "./browser.ts";
import { FakeFront, fieldsOf, hugeCard, item, LONG_FAILURE, LONG_REFERENCE, LONG_WAIT, UNKNOWN } from "./fake-front.ts";
import { inboxScreens } from "./screens-inbox.ts";

const folder = process.argv[2] ?? "screens";
const only = process.argv[3];
const clock = { now: Date.now, mono: () => performance.now(), after: later };
const front = new FakeFront(clock);
const at = Date.now();
const write = {
  action: "write" as const,
  offer: { windowMs: 0, scope: "secret" as const },
  items: [
    { ...item("STRIPE_KEY"), write: { effect: "replace" as const, preview: { length: 32, head: "sk_", tail: "9xF" } } },
    { ...item("PIN"), write: { effect: "create" as const, preview: { length: 9 } } },
  ],
  reason: "Rotate the Stripe key after the leak in #318",
};
const one = { items: [item("DATABASE_URL")] };
const until = at + 15 * 60_000;
const stripe = { ...item("op://Shop/Stripe/password"), title: "Stripe" };
const upstream = { text: "waiting for 12Port's approvers: db-prod, request 4711", since: at - 3 * 60_000 };
const refused = { text: "12Port's approvers rejected request 4711 for db-prod", byVault: true as const };
const asset = {
  vault: "servers",
  provider: "12port",
  items: [{ ...item("a1b2c3d4-4711"), title: "db-prod", field: "password" }],
  attached: 0,
};
const arabic = { ...item("op://خزنة/قاعدة/كلمة"), title: "كلمة مرور قاعدة بيانات الإنتاج" };

const who = (client: string, shop: string) => ({
  claims: { client },
  facts: { user: "maria", host: "devbox", folder: shop, process: "claude" },
});
const signed = { windowMs: 60 * 60_000, scope: "secret", proof: "passkey" } as const;
const three = { items: [item("DATABASE_URL"), item("STRIPE_KEY"), { ...item("SENTRY_DSN"), openUntil: until }] };
const { approvers } = enrolled(createAuthenticator({ origin: "http://localhost" }), "Maria's phone", { clock });

const cards: Record<string, string> = {
  "passkey-waiting": front.add({ offer: signed }),
  "passkey-narrowed": front.add({ ...three, offer: signed }),
  "passkey-vault-narrowed": front.add({ vault: "dev", offer: { ...signed, scope: "vault" } }),
  "passkey-fields-narrowed": front.add({
    items: fieldsOf(stripe, "username", "password", "recovery code"),
    offer: signed,
  }),
  "passkey-100": front.add({
    items: Array.from({ length: 100 }, (_, n) => item(`SERVICE_${n}_TOKEN`)),
    offer: signed,
  }),
  "passkey-also": front.add({
    offer: signed,
    alsoAsking: [
      { reason: "Check that checkout still works after the migration", requester: who("Cursor", "~/shop-web") },
      { reason: "Seed the staging copy", requester: who("codex-mcp-client", "~/work/shop-tools/scripts") },
    ],
  }),
  "passkey-write": front.add({ ...write, offer: { ...write.offer, proof: "passkey" } }),
  "passkey-approved": front.add({
    ...one,
    offer: signed,
    standing: { is: "approved", at, until, by: "Maria's phone" },
  }),
  "passkey-left-out": front.add({
    ...three,
    offer: signed,
    standing: { is: "approved", at, until, by: "Maria's phone", leftOut: [1] },
  }),
  waiting: front.add(),
  "waiting-one": front.add({ ...one, approvedBefore: 3 }),
  "waiting-vault": front.add({ vault: "dev", provider: "env", offer: { windowMs: 30 * 60_000, scope: "vault" } }),
  "waiting-nobody": front.add({ attached: 0 }),
  "waiting-open": front.add({ items: [item("A_NEW_KEY"), { ...item("DATABASE_URL"), openUntil: until }] }),
  "waiting-once": front.add({ ...one, offer: { windowMs: 0, scope: "secret" } }),
  "waiting-long": front.add({
    reason:
      "I need the production database URL to run the pending migration that adds the roles table, and then I will verify that the three services which use it can still log in, because the last deploy failed half way through and left two of them without access.",
    items: [item("DATABASE_URL"), { ...item("legacy/stripe-key"), checked: false }],
  }),
  "fields-one": front.add({ items: fieldsOf(item("Stripe"), "password") }),
  "fields-three": front.add({ items: fieldsOf(item("Stripe"), "username", "password", "recovery code") }),
  "fields-every": front.add({ items: fieldsOf(item("Stripe"), "username", "password", "notes"), everyField: true }),
  "fields-others": front.add({
    items: [
      ...fieldsOf({ ...item("Stripe"), openUntil: until }, "username"),
      ...fieldsOf(item("Stripe"), "password", "notes"),
    ],
    everyField: true,
  }),
  "fields-batch": front.add({
    items: ["Stripe", "Database of the shop", "Sentry"].flatMap((name) => fieldsOf(item(name), "password")),
  }),
  "fields-60": front.add({
    items: fieldsOf(
      item("Everything"),
      ...Array.from({ length: 60 }, (_, n) => `field ${n}${n % 7 ? "" : ` ${"f".repeat(70)}`}`),
    ),
    everyField: true,
  }),
  "fields-100": front.add({
    items: Array.from({ length: 100 }, (_, n) => ({ ...item(`Service ${n}`), field: "password" })),
  }),
  "title-one": front.add({ items: fieldsOf(stripe, "password") }),
  "title-several": front.add({
    items: [
      ...fieldsOf({ ...item("x7k2m9"), title: "Database of the shop" }, "username", "password"),
      ...fieldsOf(stripe, "password"),
    ],
  }),
  "title-long": front.add({
    items: fieldsOf({ ...item(LONG_REFERENCE), title: "Stripe ".repeat(12).trim() }, "f".repeat(80), "password"),
  }),
  "title-rtl": front.add({ items: fieldsOf(arabic, "password", "ملاحظة") }),
  "asset-waiting": front.add(asset),
  "asset-two": front.add({
    ...asset,
    items: [...asset.items, { ...item("9f8e7d6c-0815"), title: "db-staging", field: "password" }],
  }),
  "asset-unknown": front.add({ ...asset, attached: 1, items: [UNKNOWN] }),
  "asset-unchecked": front.add({
    ...asset,
    items: [...asset.items, UNKNOWN, { ...item("ghost"), field: "password", checked: false }],
  }),
  "title-place": front.add({ items: fieldsOf({ ...item("Stripe"), title: "Stripe (Work)" }, "password") }),
  "title-same": front.add({
    items: fieldsOf({ ...item("op://Work/x7k2m9 (Dup)"), title: "Dup (Work)" }, "user name", "password"),
  }),
  "upstream-window": front.add({ ...asset, standing: { is: "approved", at: at - 200_000, until }, upstream }),
  "upstream-once": front.add({ ...asset, standing: { is: "approved", at: at - 200_000 }, upstream }),
  "upstream-past-window": front.add({
    ...asset,
    standing: { is: "approved", at: at - 9e5, until: at, ended: "over" },
    upstream,
  }),
  "upstream-long": front.add({
    ...asset,
    items: fieldsOf({ ...item(LONG_REFERENCE), title: "T".repeat(90) }, "password", "username"),
    standing: { is: "approved", at: at - 200_000, until },
    upstream: { text: LONG_WAIT, since: at - 2 * 86_400_000 - 5 * 3_600_000 },
  }),
  "refused-once": front.add({
    ...asset,
    standing: { is: "approved", at: at - 200_000, ended: "over" },
    failure: refused,
  }),
  "refused-window": front.add({ ...asset, standing: { is: "approved", at: at - 200_000, until }, failure: refused }),
  "refused-two": front.add({
    ...asset,
    items: [...asset.items, { ...item("9f8e7d6c-0815"), title: "db-staging", field: "password" }],
    standing: { is: "approved", at: at - 200_000, until },
    failure: { text: "12Port's approvers rejected request 4711 for db-prod and db-staging", byVault: true as const },
  }),
  "refused-vault": front.add({
    ...asset,
    offer: { windowMs: 1, scope: "vault" },
    standing: { is: "approved", at: at - 200_000, until },
    failure: refused,
  }),
  "failed-save": front.add({
    ...write,
    standing: { is: "approved", at },
    failure: { text: 'this token may not write to 1Password vault "Work"' },
  }),
  "failed-save-over": front.add({
    ...write,
    standing: { is: "approved", at, ended: "over" },
    failure: { text: 'whether "STRIPE_KEY" was saved is not known: 1Password did not answer in time' },
  }),
  "failed-read": front.add({
    ...one,
    standing: { is: "approved", at, until },
    failure: { text: "1Password did not answer in time" },
  }),
  "failed-long": front.add({
    ...asset,
    items: fieldsOf({ ...item(LONG_REFERENCE), title: "T".repeat(90) }, "password", "username"),
    standing: { is: "approved", at, until },
    failure: { text: LONG_FAILURE },
  }),
  "approved-fields": front.add({
    items: fieldsOf(stripe, "username", "password", "notes"),
    everyField: true,
    standing: { is: "approved", at, until },
  }),
  "write-fields": front.add({
    ...write,
    items: [
      {
        ...stripe,
        field: "password",
        write: { effect: "replace" as const, preview: { length: 32, head: "sk_", tail: "9xF" } },
      },
      {
        ...item("Sentry"),
        title: "Sentry (Shop)",
        field: "credential",
        write: { effect: "create" as const, preview: { length: 9 } },
      },
    ],
  }),
  write: front.add(write),
  huge: front.add(hugeCard()),
  "huge-write": front.add({ ...hugeCard(), ...write, items: write.items }),
  approved: front.add({ ...one, standing: { is: "approved", at, until } }),
  "approved-vault": front.add({
    vault: "dev",
    offer: { windowMs: 1, scope: "vault" },
    standing: { is: "approved", at, until },
  }),
  "approved-once": front.add({ ...one, standing: { is: "approved", at, ended: "over" } }),
  "approved-pickup": front.add({ ...one, attached: 0, standing: { is: "approved", at } }),
  "approved-over": front.add({ standing: { is: "approved", at: at - 1_000_000, until: at, ended: "over" } }),
  revoked: front.add({ ...one, standing: { is: "approved", at, until, ended: "revoked" } }),
  denied: front.add({ standing: { is: "denied", at } }),
  returned: front.add({ standing: { is: "returned", at, note: "Use the staging database for this." } }),
  expired: front.add({ standing: { is: "expired", at } }),
  withdrawn: front.add({ standing: { is: "withdrawn", at } }),
  cancelled: front.add({ standing: { is: "cancelled", at } }),
};

function later(ms: number, run: () => void): () => void {
  const timer = setTimeout(run, ms);
  return () => clearTimeout(timer);
}

const change = { kind: "add", name: "Maria's phone", expiresAt: at + 272_000 } as const;
const pairings: Record<string, PairingView> = {
  "pair-ready": { ...change, stage: "ready" },
  "pair-held": {
    ...change,
    stage: "failed",
    text: "Another device has begun this pairing, and only one can.",
  },
  "pair-confirm": {
    ...change,
    stage: "confirm",
    text: "Tom's phone or Tom's laptop can sign this.",
  },
  "pair-own": { ...change, stage: "confirm", isOwn: true, text: "Tom's phone or Tom's laptop has to agree." },
  "pair-compare": { ...change, stage: "compare", code: "408173" },
  "pair-compare-elsewhere": { ...change, stage: "compare", text: "The code is on the device that is being paired." },
  "pair-done": { ...change, stage: "done" },
  "pair-over": { ...change, stage: "over" },
  "pair-remove": { ...change, kind: "remove", stage: "confirm", text: "Tom's phone can sign this." },
  "pair-removed": { ...change, kind: "remove", stage: "done" },
};
front.pairing = (token) => Promise.resolve(pairings[token.replace(/^screen-of-/, "")]);

mkdirSync(folder, { recursive: true });
const web = await createWeb({ front: front satisfies Front, approvers, clock, port: 0 });
const browser = await startBrowser();
const sizes = [
  { width: 320, height: 568 },
  { width: 390, height: 844 },
];
for (const colorScheme of ["light", "dark"] as const) {
  for (const viewport of sizes) {
    const page = await browser.newPage({ viewport, colorScheme, deviceScaleFactor: 2 });
    for (const [name, token] of Object.entries(cards)) {
      if (only !== undefined && !new RegExp(only).test(name)) continue;
      await page.goto(web.link(token));
      if (name.endsWith("narrowed")) await page.locator(".tick").nth(1).click();
      await page.screenshot({ path: join(folder, `${name}-${viewport.width}-${colorScheme}.png`) });
      if (!name.startsWith("passkey")) continue;
      await page.screenshot({
        path: join(folder, `${name}-${viewport.width}-${colorScheme}-whole.png`),
        fullPage: true,
      });
    }
    for (const name of Object.keys(pairings)) {
      if (only !== undefined && !new RegExp(only).test(name)) continue;
      await page.goto(`http://localhost:${web.port}/pair/screen-of-${name}`);
      await page.screenshot({ path: join(folder, `${name}-${viewport.width}-${colorScheme}.png`) });
    }
    await page.close();
    const look = { viewport, colorScheme, deviceScaleFactor: 2 };
    await inboxScreens(browser, look, async (name, shown) => {
      if (only !== undefined && !new RegExp(only).test(name)) return;
      const path = join(folder, `${name}-${viewport.width}-${colorScheme}`);
      await shown.screenshot({ path: `${path}.png` });
      if (name === "inbox-full") await shown.screenshot({ path: `${path}-whole.png`, fullPage: true });
    });
  }
}
await browser.close();
await web.close();
