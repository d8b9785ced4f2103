import { createHash, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { hasBrowser, startBrowser } from "../../test/support/browser.ts";
import { type Attack, NOTHING } from "../attack.ts";
import type { HttpAsk } from "../attacker.ts";
import { post, sealIn, signedBy, type Signing } from "../person.ts";
import type { World } from "../world.ts";
import { eventually, finish, portOf } from "./steal.ts";

/** What the pages of the person's browser keep for themselves. */
const PAGE_KEY = randomBytes(32).toString("base64url");

/** The person's phone signs in to the inbox; the cookie it keeps, and the form that was sent for it. */
async function signIn(
  world: World,
  origin: string,
): Promise<{ cookie: string; form: Readonly<Record<"do" | "seal" | "signed" | "key", string>> }> {
  const { phone } = world.person;
  if (!phone) throw new Error("nobody is enrolled here");
  const seal = sealIn(await world.person.page(`${origin}/inbox`));
  const begun = await post(`${origin}/inbox/challenge`, { seal });
  const form = { do: "sign-in", seal, signed: signedBy(phone, (await begun.json()) as Signing), key: PAGE_KEY };
  const done = await post(`${origin}/inbox`, form);
  const cookie = done.headers.getSetCookie()[0]?.split(";")[0];
  if (cookie === undefined) throw new Error(`the person could not sign in: ${done.status}`);
  return { cookie, form };
}

/** Whether the inbox opens with one of these cookies, and what a page would keep besides: then it shows what waits. */
async function opens(world: World, port: number, cookies: readonly string[], pageKey?: string): Promise<boolean> {
  const kept = pageKey !== undefined && { "Agent-Vault-Page": pageKey };
  const asks = cookies.map((cookie): HttpAsk => ({ path: "/inbox", headers: { Cookie: cookie, ...kept } }));
  const replies = await world.attacker.http(port, asks);
  return replies.some(({ body }) => body.includes("API_KEY"));
}

const INSIDE = { got: "the inbox is open: what waits, what is open, and revoking" };

export const inboxAttacks: readonly Attack[] = [
  {
    id: "inbox-guess",
    title: "opens the inbox without a cookie, with guessed ones, and with what it finds in the state folder",
    about: "inbox",
    expected: { "passkey/same-user": "stopped", "passkey/other-user": "stopped" },
    why: "a cookie holds 256 random bits, and only its hash is kept",
    run: async (world) => {
      const asked = await world.ask();
      const port = portOf(asked.link);
      const { cookie } = await signIn(world, new URL(asked.link).origin);
      if (!(await opens(world, port, [cookie], PAGE_KEY))) throw new Error("not even the person's own cookie opens it");
      const { notes, program } = world.paths;
      const { out } = await world.attacker.tool("store.mjs", [notes, program, "sql", "SELECT key FROM note"]);
      const kept = [...out.matchAll(/"key":"([\w-]{43})"/g)].map(([, key]) => key ?? "");
      const guesses = Array.from({ length: 500 }, () => randomBytes(32).toString("base64url"));
      const names = [`agent-vault-${port}`, "__Host-agent-vault", "agent-vault"];
      const cookies = [...kept, "", "a".repeat(43), ...guesses].flatMap((value) =>
        (guesses.includes(value) ? names.slice(0, 1) : names).map((name) => `${name}=${value}`),
      );
      const isOpen = (await opens(world, port, cookies)) || (await opens(world, port, cookies, "a".repeat(43)));
      await finish(world, asked);
      return isOpen ? INSIDE : NOTHING;
    },
  },
  {
    id: "inbox-forged-sign-in",
    title: "writes a sign-in of its own into the state folder",
    about: "inbox",
    expected: { "passkey/same-user": "not stopped", "passkey/other-user": "stopped" },
    why: "the notes are a file of the same user; from the inbox one can look and revoke, and approve nothing",
    run: async (world) => {
      const asked = await world.ask();
      const cookie = randomBytes(32).toString("base64url");
      const pageKey = randomBytes(32).toString("base64url");
      const key = createHash("sha256").update(`agent-vault inbox ${cookie}${pageKey}`).digest("base64url");
      await signIn(world, new URL(asked.link).origin);
      const { notes, program } = world.paths;
      const rows = await world.attacker.tool("store.mjs", [notes, program, "sql", "SELECT scope, record FROM note"]);
      const [row] = ((rows.out === "" ? [] : JSON.parse(rows.out)) as { scope: string; record: string }[]).filter(
        ({ record }) => record.includes('"since"'),
      );
      if (row) await world.attacker.tool("store.mjs", [notes, program, "put", row.scope, key, row.record]);
      const port = portOf(asked.link);
      const isOpen = await opens(world, port, [`agent-vault-${port}=${cookie}`], pageKey);
      await finish(world, asked);
      return isOpen ? INSIDE : NOTHING;
    },
  },
  {
    id: "inbox-replayed-sign-in",
    title: "sends a sign-in it saw once more, and uses its signature to approve",
    about: "inbox",
    expected: { "passkey/same-user": "stopped" },
    why: "a sign-in counts once, and its signature says that it is one",
    isLight: true,
    run: async (world) => {
      const asked = await world.ask();
      const { origin } = new URL(asked.link);
      const { form } = await signIn(world, origin);
      const seal = sealIn(await world.person.page(`${origin}/inbox`));
      for (const again of [form, { ...form, seal }]) {
        const answer = await post(`${origin}/inbox`, again);
        if (answer.headers.getSetCookie().length > 0) return INSIDE;
      }
      const card = sealIn(await world.person.page(asked.link));
      await post(asked.link, { seal: card, verdict: "approve", choice: "once", signed: form.signed });
      await finish(world, asked);
      return NOTHING;
    },
  },
  {
    id: "inbox-from-another-site",
    title: "reads the inbox and revokes from another site, while the person is signed in there",
    about: "inbox",
    expected: { "passkey/same-user": "stopped" },
    why: "as for the page of a request: only forms of the page itself count, and no other site may read it",
    needs: () => (hasBrowser ? undefined : "there is no Chromium"),
    run: async (world) => {
      const asked = await world.ask();
      await world.person.approve(asked.link, { choice: "window" });
      await asked.call;
      const { origin, port } = new URL(asked.link);
      const { cookie } = await signIn(world, origin);
      const server = createServer(
        (_request, response) => void response.setHeader("Content-Type", "text/html").end("<p>hi</p>"),
      );
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const browser = await startBrowser();
      try {
        const context = await browser.newContext();
        const [name = "", value = ""] = cookie.split("=");
        await context.addCookies([{ name, value, url: origin, httpOnly: true, sameSite: "Strict" }]);
        const page = await context.newPage();
        await page.goto(`http://localhost:${(server.address() as AddressInfo).port}/`);
        const read = await page.evaluate(`(async () => {
          const url = "http://localhost:${port}/inbox";
          const body = () => new URLSearchParams({ do: "revoke-all", seal: "0-x" });
          const tries = [fetch(url, { credentials: "include" }), fetch(url, { mode: "no-cors", credentials: "include" })];
          tries.push(fetch(url, { method: "POST", mode: "no-cors", credentials: "include", body: body() }));
          const texts = await Promise.allSettled(tries.map((t) => t.then((r) => r.text())));
          return texts.map((t) => t.value || "").join("");
        })()`);
        if (String(read).includes("API_KEY")) return { got: "another site read the inbox" };
      } finally {
        await browser.close();
        server.close();
      }
      const session = await world.session();
      const { status } = await session.get("API_KEY");
      return status === "ok" ? NOTHING : { got: "another site revoked the window" };
    },
  },
  {
    id: "inbox-cookie-by-port",
    title: "has the person's browser open a page of its own on another port of localhost, which is sent the cookie",
    about: "inbox",
    expected: { "passkey/same-user": "stopped", "passkey/other-user": "stopped" },
    why: "browsers send a cookie to every port of this computer; so it takes a key besides, which our page keeps and no other port gets",
    control: [
      {
        file: "src/web/page-key.ts",
        from: 'if (origin.startsWith("https:")) return "";',
        to: 'if (origin !== "") return "";',
      },
    ],
    needs: () => (hasBrowser ? undefined : "there is no Chromium"),
    run: async (world) => {
      const asked = await world.ask();
      const { origin } = new URL(asked.link);
      const { cookie } = await signIn(world, origin);
      let sent = "";
      const server = createServer((request, response) => {
        sent = request.headers.cookie ?? sent;
        response.setHeader("Content-Type", "text/html").end("<p>hi</p>");
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const browser = await startBrowser();
      try {
        const context = await browser.newContext();
        const [name = "", value = ""] = cookie.split("=");
        await context.addCookies([{ name, value, url: origin, httpOnly: true, sameSite: "Strict" }]);
        await (await context.newPage()).goto(`http://localhost:${(server.address() as AddressInfo).port}/`);
        await eventually(() => sent !== "");
      } finally {
        await browser.close();
        server.close();
      }
      const isOpen = sent !== "" && (await opens(world, portOf(asked.link), [sent]));
      await finish(world, asked);
      return isOpen ? INSIDE : NOTHING;
    },
  },
];
