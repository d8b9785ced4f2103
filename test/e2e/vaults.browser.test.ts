// What README says to write, taken literally: a real client asks the real program, and a person decides in a browser at
// the size of a phone. Only the accounts behind it are not real ones.
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { blocksOf, read } from "../docs/documents.ts";
import { type Agent, statusOf, textOf } from "../support/agent.ts";
import { agentIn, world } from "../support/begin.ts";
import { hasBrowser, startBrowser } from "../support/browser.ts";
import { TOKEN } from "../support/fake-onepassword.ts";
import { startFakeTwelvePort } from "../support/fake-twelveport.ts";
import { onePasswordWorld } from "../support/onepassword-world.ts";

const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
const WORK = "7aaaaaaaaaaaaaaaaaaaaawork";

/** The configuration that README shows for a type of vault, with placeholders filled in. */
function readmeConfig(type: string, placeholders: Readonly<Record<string, string>>) {
  const found = blocksOf(read("README.md")).find(({ text }) => text.includes(`"type": "${type}"`));
  if (!found) throw new Error(`README shows no configuration of type ${type}`);
  let { text } = found;
  for (const [placeholder, real] of Object.entries(placeholders)) {
    if (!text.includes(placeholder)) throw new Error(`README no longer says ${placeholder}`);
    text = text.replaceAll(placeholder, real);
  }
  return JSON.parse(text) as Record<string, unknown>;
}

describe.skipIf(!hasBrowser)("what README says to configure", () => {
  let browser: Browser;
  const cleanups: (() => unknown)[] = [];
  beforeAll(async () => void (browser = await startBrowser()));
  afterAll(() => browser.close());
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0)) await cleanup();
  });

  /** The page of a request, as the person's phone shows it. */
  async function phone(link: string): Promise<Page> {
    const page = await browser.newPage(PHONE);
    cleanups.push(() => page.close());
    await page.goto(link);
    return page;
  }

  async function approved(agent: Agent, tool: string, args: object) {
    const call = agent.call(tool, { reason: "check that checkout still works", ...args });
    const page = await phone(await agent.link());
    const shown = (await page.locator("main").innerText()).replaceAll(/\s+/g, " ");
    await page.tap("#approve");
    await page.waitForSelector(".verdict");
    return { call, page, shown };
  }

  it("for 1Password lets an agent list, read, and save, each after a tap", async () => {
    const account = await onePasswordWorld([
      { title: "Work", id: WORK, items: [{ title: "Stripe", password: "hunter2-4711-stripe" }] },
    ]);
    cleanups.push(account.remove);
    const made = world({ config: readmeConfig("1password", { "your-1password-vault-id": WORK }) });
    Object.assign(made.env, account.env, { OP_DEV_TOKEN: TOKEN, OP_PROD_TOKEN: TOKEN });
    const agent = await agentIn(made, { program: account.program });
    expect(textOf(await agent.call("list_secrets", {}))).toBe("[dev] (writable)\n  - Stripe\n[prod]\n  - Stripe");

    const reading = await approved(agent, "get_secret", { vault: "prod", name: "Stripe" });
    expect(reading.shown).toContain("1 secret READ from prod");
    expect(reading.shown).toContain("Stripe field: password");
    expect(textOf(await reading.call)).toBe("hunter2-4711-stripe");

    const writing = await approved(agent, "set_secret", { vault: "dev", name: "Stripe", value: "hunter2-4712-stripe" });
    expect(writing.shown).toContain("1 secret WRITE to dev");
    expect(writing.shown).toContain("replaces field password");
    expect(statusOf(await writing.call)).toBe("ok");
    expect(JSON.stringify(account.state())).toContain("hunter2-4712-stripe");
  });

  it("for 12Port hands out an asset when the person and 12Port's own people have agreed", async () => {
    const fake = await startFakeTwelvePort();
    cleanups.push(() => fake.close());
    fake.add({ name: "STAGING-DB-01", password: "hunter2-4711-db", way: "approvers" });
    const config = readmeConfig("12port", {
      "https://vault.example.com": fake.origin,
      acme: fake.tenant,
      "c1b5d2f0-1a2b-4c3d-8e9f-0123456789ab": fake.assets[0]?.id ?? "",
      // As often as is permitted: the vault's people have all day, and a test has not.
      '"type": "12port",': '"type": "12port", "pollSeconds": 5,',
    });
    const agent = await agentIn(world({ config }), { env: { TWELVEPORT_TOKEN: fake.token } });
    expect(textOf(await agent.call("list_secrets", {}))).toContain("staging-db");

    const { call, page } = await approved(agent, "get_secret", { vault: "servers", name: "staging-db" });
    await page.getByText("waiting for 12Port's approvers: staging-db").waitFor();
    fake.approve("STAGING-DB-01");
    let result = await call;
    while (statusOf(result) === "pending")
      result = await agent.call("get_secret", {
        vault: "servers",
        name: "staging-db",
        reason: "check that checkout still works",
      });
    expect([statusOf(result), textOf(result)]).toEqual(["ok", "hunter2-4711-db"]);
    expect(fake.requests).toHaveLength(1);
    await page.getByText("was allowed to read").waitFor();
  });
});
