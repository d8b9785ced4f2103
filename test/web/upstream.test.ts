import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { createWeb } from "../../src/web/server.ts";
import { fieldsOf, item } from "../support/fake-front.ts";
import { loadPatched, type Plant } from "../support/patched.ts";
import { startWeb, textOf } from "../support/web.ts";

let started: Awaited<ReturnType<typeof startWeb>>;
beforeAll(async () => void (started = await startWeb()));
afterAll(() => started.web.close());

const MINUTE = 60_000;
const ASSET = fieldsOf({ ...item("a1b2-4711"), title: "db-prod" }, "password");

type Seed = NonNullable<Parameters<typeof started.front.add>[0]>;
type Standing = NonNullable<Seed["standing"]>;

/** The page of an approved request that has waited for the vault's own people. */
async function waits(standing: Partial<Standing> = {}, waitedMs = 3 * MINUTE, web = started): Promise<string> {
  const now = web.clock.now();
  const token = web.front.add({
    items: ASSET,
    attached: 0,
    standing: { is: "approved", at: now - waitedMs, ...standing } as Standing,
    upstream: { text: "waiting for 12Port's approvers: db-prod, request 4711", since: now - waitedMs },
  });
  return textOf((await web.show(token)).text);
}

describe("an approved request that waits for the vault's own people", () => {
  it("says for whom and for how long, what follows if they agree, and can be revoked", async () => {
    const text = await waits({ until: started.clock.now() + 12 * MINUTE });
    expect(text).toMatch(
      /^agent-vault You approved The vault has not yet Now waiting for 12Port's approvers: db-prod, request 4711, for 3 minutes\. If the vault agrees, Claude Code can read field password of db-prod until \d\d:44 \S+\. Revoke/,
    );
  });

  it("promises no next try, and does not say that anything was read, while they have not answered", async () => {
    expect(brokenPromises(await waits())).toEqual([]);
    expect(await waits()).toContain(
      "If the vault agrees, Claude Code can read field password of db-prod, just this once. Revoke",
    );
  });

  it("would be noticed to promise one", async () => {
    const plant = { file: "src/web/verdict.ts", from: "if (card.upstream)", to: "if (card.upstream && until)" };
    const broken = await startTwin(plant);
    expect(brokenPromises(await waits({}, 0, broken))).not.toEqual([]);
    await broken.web.close();
  });

  it("still offers to revoke when its window is over meanwhile", async () => {
    const now = started.clock.now();
    const text = await waits({ until: now - MINUTE, ended: "over" });
    expect(text).toContain(
      "If the vault agrees, Claude Code can read field password of db-prod, just this once. Revoke",
    );
    expect(text).not.toContain(" left");
  });

  it("no longer waits once it is revoked", async () => {
    const text = await waits({ ended: "revoked" });
    expect(text).toContain("Revoked Claude Code can no longer read field password of db-prod.");
    expect(text).not.toContain("waiting for");
  });

  it("does not look finished: no tick, a clock instead, and its link still shows the end", async () => {
    expect(await finished()).toEqual([]);
  });

  it.each([
    ["has the tick", 'mark: "over",\n    headline: "You', 'mark: "yes",\n    headline: "You'],
    [
      "says no more than Approved",
      'headline: "You approved",\n    still: "The vault has not yet"',
      'headline: "Approved"',
    ],
  ])("would be noticed when it %s", async (_what, from, to) => {
    const broken = await startTwin({ file: "src/web/verdict.ts", from, to });
    expect(await finished(broken)).not.toEqual([]);
    await broken.web.close();
  });
});

/** What makes the page of a request that waits for the vault look as if all were done. */
async function finished(web = started): Promise<string[]> {
  const now = web.clock.now();
  const upstream = { text: "waiting for 12Port's approvers", since: now };
  const standing = { is: "approved", at: now, until: now + MINUTE } as const;
  const { text } = await web.show(web.front.add({ items: ASSET, standing, upstream }));
  const found = [];
  if (!text.includes('class="mark over"')) found.push("no clock");
  if (text.includes('class="mark yes"')) found.push("a tick");
  if (!/<title>You approved\. The vault has not yet - /.test(text)) found.push("the title");
  if (!textOf(text).includes("its link shows what the vault decides")) found.push("the end");
  return found;
}

describe("an approved request of which nothing came", () => {
  const REFUSED = { text: "12Port's approvers rejected request 4711 for db-prod", byVault: true as const };
  const AWAY = { text: "1Password did not answer in time" };
  const soon = (): number => started.clock.now() + 12 * MINUTE;
  const fails = async (seed: Seed, standing: Partial<Standing>, web = started): Promise<string> => {
    const at = web.clock.now();
    const token = web.front.add({ items: ASSET, ...seed, standing: { is: "approved", at, ...standing } as Standing });
    return textOf((await web.show(token)).text);
  };

  it("says that the vault refused, why, and that there is nothing left of the yes", async () => {
    const text = await fails({ failure: REFUSED }, { ended: "over" });
    expect(text).toContain(
      "Refused by the vault You approved, but the vault refused: 12Port's approvers rejected request 4711 for db-prod. Nothing was released. Claude Code is told the same. It may ask you again. From",
    );
    expect(text).toContain("You can close this page.");
  });

  it("says for what its window is still open, and how to end it", async () => {
    expect(await fails({ failure: REFUSED }, { until: soon() })).toMatch(
      /agent-vault Refused by the vault .* told the same\. It may try again until \d\d:44 \S+ without asking you\. Revoke/,
    );
    const items = [...ASSET, ...fieldsOf({ ...item("c3d4-0815"), title: "db-staging" }, "password")];
    expect(await fails({ items, failure: REFUSED }, { until: soon() })).toMatch(
      /It may try these 2 secrets again until \d\d:44 \S+ without asking you\. Revoke/,
    );
    const offer = { windowMs: 12 * MINUTE, scope: "vault" } as const;
    expect(await fails({ offer, failure: REFUSED }, { until: soon() })).toMatch(
      /It may try again, and read ALL of prod, until \d\d:44 \S+ without asking you\. Revoke/,
    );
  });

  it("says that saving failed, and for how long it may be tried again", async () => {
    const save = { action: "write", items: [item("STRIPE_KEY")], failure: AWAY } as const;
    expect(await fails(save, {})).toContain(
      "Saving failed You approved, but saving failed: 1Password did not answer in time. Claude Code is told the same. It may try again within 5 minutes without asking you. Revoke To save to prod",
    );
    expect(await fails(save, { ended: "over" })).toContain("told the same. It may ask you again. To save to prod");
  });

  it("says that reading failed", async () => {
    const text = await fails({ failure: AWAY }, { ended: "over" });
    expect(text).toContain("Reading failed You approved, but reading failed: 1Password did not answer in time.");
  });

  it("is not what counts while it is tried again, or once it is revoked", async () => {
    const upstream = { text: "waiting for 12Port's approvers: db-prod, request 4712", since: started.clock.now() };
    expect(await fails({ failure: AWAY, upstream }, { until: soon() })).not.toContain("failed");
    expect(await fails({ failure: AWAY }, { until: soon(), ended: "revoked" })).toMatch(/Revoked(?!.*failed)/);
  });

  it.each([
    ["looks approved", "if (card.failure) return", "if (card.failure?.byVault) return"],
    [
      "hides that a next try needs no yes",
      'if (ended === "over") return { mark: "no"',
      'if (ended !== "revoked") return { mark: "no"',
    ],
  ])("would be noticed when it %s", async (_what, from, to) => {
    const broken = await startTwin({ file: "src/web/verdict.ts", from, to });
    const text = await fails({ failure: AWAY }, { until: soon() }, broken);
    await broken.web.close();
    expect(text).not.toMatch(/Reading failed .* It may try again until \S+ \S+ without asking you\. Revoke/);
  });
});

async function startTwin(plant: Plant): ReturnType<typeof startWeb> {
  const twin = (await loadPatched("src/web/server.ts", [plant])) as { createWeb: typeof createWeb };
  return startWeb(twin.createWeb);
}

/** Sentences that are not true while somebody else still has to agree. */
function brokenPromises(text: string): string[] {
  const wrong = [
    /next try/,
    /goes through/,
    /Nobody is waiting/,
    /was allowed/,
    /has (?!not yet).*read/,
    /(?<!agrees, )Claude Code can read/,
  ];
  return wrong.filter((words) => words.test(text)).map(String);
}
