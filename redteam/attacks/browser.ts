import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser, Page } from "playwright-core";
import { hasBrowser, startBrowser } from "../../test/support/browser.ts";
import { type Attack, type Gain, NOTHING } from "../attack.ts";
import type { Asked, World } from "../world.ts";
import { eventually, finish, portOf, sealAsAgent } from "./steal.ts";

const needs = (): string | undefined => (hasBrowser ? undefined : "there is no Chromium");
const OPEN = 'if (only("sec-fetch-site") !== "same-origin") return false;';

/** A hostile page that the person has open in the browser they also answer with. */
interface Stage {
  readonly asked: Asked;
  readonly page: Page;
  readonly browser: Browser;
  /** What the hostile page holds from now on, and where it is. */
  readonly show: (html: string, host?: string) => Promise<void>;
  readonly token: string;
}

async function onStage(world: World, act: (stage: Stage) => Promise<Gain | undefined>): Promise<Gain> {
  const asked = await world.ask();
  let html = "";
  const server = createServer((_request, response) => void response.setHeader("Content-Type", "text/html").end(html));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const browser = await startBrowser("--host-resolver-rules=MAP *.test 127.0.0.1");
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(10_000);
    const show: Stage["show"] = async (next, host = "evil.test") => {
      html = next;
      await page.goto(`http://${host}:${port}/`);
    };
    const token = asked.link.slice(asked.link.lastIndexOf("/") + 1);
    const gain = await act({ asked, page, browser, show, token });
    // What was sent is answered by now, or it would not count any more either.
    await finish(world, asked);
    return gain ?? NOTHING;
  } finally {
    await browser.close();
    await stop(server);
  }
}

function stop(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}

/** A form that answers the request, as somebody else's page would hold it. */
function form(link: string, seal: string): string {
  const fields = Object.entries({ verdict: "approve", choice: "once", seal });
  const inputs = fields.map(([name, value]) => `<input name="${name}" value="${value}">`).join("");
  return `<form method="post" action="${link}">${inputs}<button>go</button></form>`;
}

export const browserAttacks: readonly Attack[] = [
  {
    id: "browser-csrf-form",
    title: "submits a form to the page from another site, with the link and a seal it stole",
    about: "browser",
    expected: { "link/same-user": "stopped" },
    why: "the browser says which site a form comes from, and only the page itself is taken",
    needs,
    control: [
      { file: "src/web/guard.ts", from: OPEN, to: "" },
      {
        file: "src/web/guard.ts",
        from: 'if (only("origin") !== origin) return false;',
        to: "if (origin === undefined) return false;",
      },
    ],
    run: (world) =>
      onStage(world, async ({ asked, page, show }) => {
        const seal = await sealAsAgent(world, asked.link);
        for (const host of ["evil.test", "localhost", "127.0.0.1"]) {
          await show(form(asked.link, seal), host);
          const answered = page.waitForResponse((response) => response.request().method() === "POST");
          await Promise.all([answered, page.click("button")]);
        }
        return undefined;
      }),
  },
  {
    id: "browser-csrf-fetch",
    title: "sends the approval with fetch from another site, in every mode, and with a beacon",
    about: "browser",
    expected: { "link/same-user": "stopped" },
    why: "as above; and a script cannot change what the browser says of itself",
    needs,
    run: (world) =>
      onStage(world, async ({ asked, page, show }) => {
        const seal = await sealAsAgent(world, asked.link);
        await show("<p>hello</p>", "localhost");
        const read = await page.evaluate(`(async () => {
          const body = () => new URLSearchParams(${JSON.stringify({ verdict: "approve", choice: "once", seal })});
          const link = ${JSON.stringify(asked.link)};
          const tries = [];
          for (const mode of ["cors", "no-cors"]) for (const credentials of ["include", "omit"]) {
            tries.push(fetch(link, { method: "POST", mode, credentials, body: body() }));
            tries.push(fetch(link, { mode, credentials }).then((r) => r.text()));
          }
          navigator.sendBeacon(link, body());
          const got = await Promise.allSettled(tries);
          return got.map((r) => (typeof r.value === "string" ? r.value : "")).join("");
        })()`);
        return String(read).includes("API_KEY") ? { got: "the page was read" } : undefined;
      }),
  },
  {
    id: "browser-dns-rebinding",
    title: "makes its own name point at this computer and reads and answers as the same site",
    about: "browser",
    expected: { "link/same-user": "stopped", "passkey/same-user": "stopped" },
    why: "the page answers under its own names only",
    needs,
    control: [
      {
        file: "src/web/origins.ts",
        from: "if (name === undefined) return undefined;",
        to: 'if (name === undefined) return undefined;\n      if (name.startsWith("evil.test")) return `http://${name}`;',
      },
    ],
    run: (world) =>
      onStage(world, async ({ asked, page, token }) => {
        await page.goto(`http://evil.test:${portOf(asked.link)}/approve/${token}`);
        const seen = await page.content();
        const seal = /name="seal" value="([^"]+)"/.exec(seen)?.[1] ?? (await sealAsAgent(world, asked.link));
        await page.evaluate(
          `fetch("/approve/${token}", { method: "POST", body: new URLSearchParams(${JSON.stringify({ verdict: "approve", choice: "once", seal })}) })`,
        );
        return seen.includes("API_KEY") ? { got: "the page was read under another name" } : undefined;
      }),
  },
  {
    id: "browser-clickjacking",
    title: "puts the page into a frame, to have the person tap on what they do not see",
    about: "browser",
    expected: { "link/same-user": "stopped" },
    why: "the page cannot be framed",
    needs,
    control: [
      { file: "src/web/guard.ts", from: "frame-ancestors 'none'; ", to: "" },
      { file: "src/web/guard.ts", from: '"X-Frame-Options": "DENY",', to: "" },
      { file: "src/web/guard.ts", from: '"Cross-Origin-Resource-Policy": "same-origin",', to: "" },
    ],
    run: (world) =>
      onStage(world, async ({ asked, page, show }) => {
        const frames = ["iframe src", "embed src", "object data"].map(
          (tag) => `<${tag}="${asked.link}" width=400 height=900>`,
        );
        await show(frames.join("</iframe>"), "localhost");
        const seen = await Promise.all(
          page
            .frames()
            .slice(1)
            .map((frame) => frame.content().catch(() => "")),
        );
        return seen.some((text) => text.includes("API_KEY")) ? { got: "the page is shown in a frame" } : undefined;
      }),
  },
  {
    id: "browser-popup",
    title: "opens the page in a window of its own and reaches into it",
    about: "browser",
    expected: { "link/same-user": "stopped" },
    why: "another site keeps no hold of a window with the page in it",
    needs,
    control: [{ file: "src/web/guard.ts", from: '"Cross-Origin-Opener-Policy": "same-origin",', to: "" }],
    run: (world) =>
      onStage(world, async ({ asked, page, show }) => {
        await show("<button onclick=\"w = window.open('" + asked.link + "')\">go</button>", "localhost");
        const [popup] = await Promise.all([page.waitForEvent("popup"), page.click("button")]);
        await popup.waitForLoadState();
        // Whoever still holds the window can send it elsewhere while the person reads it.
        const isHeld = await eventually(async () => (await page.evaluate("w.closed")) === true).then(
          (closed) => !closed,
        );
        return isHeld ? { got: "the window can be navigated by whoever opened it" } : undefined;
      }),
  },
  {
    id: "browser-prefetch",
    title: "has the browser prefetch and prerender the link, also with an approval in its query",
    about: "browser",
    expected: { "link/same-user": "stopped" },
    why: "loading the page changes nothing, however it is loaded",
    needs,
    run: (world) =>
      onStage(world, async ({ asked, show }) => {
        const urls = [asked.link, `${asked.link}?verdict=approve&choice=once`];
        const rules = JSON.stringify({
          prefetch: [{ urls, eagerness: "immediate" }],
          prerender: [{ urls, eagerness: "immediate" }],
        });
        const links = urls.flatMap((url) =>
          ["prefetch", "prerender", "preload"].map((rel) => `<link rel=${rel} as=fetch href="${url}">`),
        );
        await show(
          `<script type=speculationrules>${rules}</script>${links.join("")}<img src="${asked.link}">`,
          "localhost",
        );
        // The rules are followed in the browser's own time.
        await new Promise((resolve) => setTimeout(resolve, 500));
        return undefined;
      }),
  },
];
