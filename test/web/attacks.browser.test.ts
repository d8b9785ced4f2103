import { createServer, type Server } from "node:http";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasBrowser, startBrowser } from "../support/browser.ts";
import { item } from "../support/fake-front.ts";
import { sealIn, startWeb } from "../support/web.ts";

describe.skipIf(!hasBrowser)("a hostile web page", () => {
  let started: Awaited<ReturnType<typeof startWeb>>;
  let browser: Browser;
  let stranger: Server;
  let strangerPage = "";
  let strangerPort = 0;
  beforeAll(async () => {
    started = await startWeb();
    browser = await startBrowser("--host-resolver-rules=MAP *.test 127.0.0.1");
    stranger = createServer((_request, response) => {
      response.setHeader("Content-Type", "text/html").end(strangerPage);
    });
    await new Promise<void>((resolve) => stranger.listen(0, "127.0.0.1", resolve));
    const address = stranger.address();
    strangerPort = typeof address === "object" && address !== null ? address.port : 0;
  });
  afterAll(async () => {
    await browser.close();
    stranger.closeAllConnections();
    await new Promise((resolve) => stranger.close(resolve));
    await started.web.close();
  });

  const standing = (token: string) => started.front.cardAt(token)?.standing.is;

  it("that made its name point at this machine is refused", async () => {
    const token = started.front.add();
    const page = await browser.newPage();
    const answer = await page.goto(`http://evil.test:${started.web.port}/approve/${token}`);
    expect(answer?.status()).toBe(421);
    expect(await page.content()).not.toContain("DATABASE_URL");
    const tried = await page.evaluate(
      `fetch("/approve/${token}", { method: "POST", body: new URLSearchParams({ verdict: "approve", choice: "once" }) }).then((r) => r.status)`,
    );
    expect(tried).toBe(421);
    expect(standing(token)).toBe("waiting");
    await page.close();
  });

  it.each(["localhost", "127.0.0.1", "evil.test"])(
    "on %s cannot answer with a form of its own, even with a seal it stole",
    async (host) => {
      const token = started.front.add();
      const seal = sealIn((await started.show(token)).text);
      strangerPage = `<form method="post" action="${started.web.link(token)}"><input name="verdict" value="approve"><input name="choice" value="once"><input name="seal" value="${seal}"><button>go</button></form>`;
      const page = await browser.newPage();
      await page.goto(`http://${host}:${strangerPort}/`);
      const [answer] = await Promise.all([
        page.waitForResponse((r) => r.request().method() === "POST"),
        page.click("button"),
      ]);
      expect(answer.status()).toBe(403);
      expect(standing(token)).toBe("waiting");
      await page.close();
    },
  );

  it("cannot put the page into a frame", async () => {
    const token = started.front.add();
    strangerPage = `<iframe src="${started.web.link(token)}" width="400" height="800"></iframe>`;
    const page = await browser.newPage();
    const refused = page.waitForEvent("console", (line) => line.text().includes("frame"));
    await page.goto(`http://localhost:${strangerPort}/`);
    await refused;
    for (const frame of page.frames().slice(1)) expect(await frame.content()).not.toContain("DATABASE_URL");
    await page.close();
  });

  it("cannot read the page from another port", async () => {
    const token = started.front.add();
    strangerPage = "<p>hello</p>";
    const page = await browser.newPage();
    await page.goto(`http://localhost:${strangerPort}/`);
    const read = `fetch("${started.web.link(token)}").then((r) => r.text(), () => "nothing")`;
    expect(await page.evaluate(read)).toBe("nothing");
    await page.close();
  });
});

describe.skipIf(!hasBrowser)("a hostile agent", () => {
  it("gets its words shown letter by letter, in every state, and nothing of them run", async () => {
    const started = await startWeb();
    const browser = await startBrowser();
    const evil = `<img src=x onerror="document.title='owned'"><script>document.title='owned'</script>"'>`;
    const requester = {
      claims: { client: evil, roots: [evil] },
      facts: { user: evil, host: evil, folder: evil, process: evil },
    };
    const card = { vault: evil, provider: evil, items: [{ ...item(evil), field: evil }], reason: evil, requester };
    const at = started.clock.now();
    const tokens = [
      started.front.add(card),
      started.front.add({ ...card, action: "write", offer: { windowMs: 0, scope: "secret" } }),
      started.front.add({
        ...card,
        offer: { windowMs: 1, scope: "vault" },
        standing: { is: "approved", at, until: at + 1_000_000 },
      }),
      started.front.add({ ...card, standing: { is: "returned", at, note: evil } }),
      started.front.add({ ...card, standing: { is: "withdrawn", at } }),
    ];
    const complaints: string[] = [];
    const page = await browser.newPage();
    page.on("console", (line) => complaints.push(line.text()));
    page.on("pageerror", (error) => complaints.push(String(error)));
    for (const token of tokens) {
      await page.goto(started.web.link(token));
      expect(await page.locator(".name").first().innerText()).toBe(evil);
      expect(await page.locator("#page img, #page script").count()).toBe(0);
      expect(await page.title()).not.toBe("owned");
    }
    started.front.change(tokens[0] ?? "", { attached: 0 });
    expect(complaints).toEqual([]);
    await browser.close();
    await started.web.close();
  });
});
