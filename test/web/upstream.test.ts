import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { createWeb } from "../../src/web/server.ts";
import { fieldsOf, item } from "../support/fake-front.ts";
import { loadPatched } from "../support/patched.ts";
import { startWeb, textOf } from "../support/web.ts";

let started: Awaited<ReturnType<typeof startWeb>>;
beforeAll(async () => void (started = await startWeb()));
afterAll(() => started.web.close());

const MINUTE = 60_000;
const ASSET = fieldsOf({ ...item("a1b2-4711"), title: "db-prod" }, "password");

type Standing = NonNullable<NonNullable<Parameters<typeof started.front.add>[0]>["standing"]>;

/** The page of an approved request that has waited for the vault's own people. */
async function waits(standing: Partial<Standing> = {}, waitedMs = 3 * MINUTE, web = started): Promise<string> {
  const now = web.clock.now();
  const token = web.front.add({
    items: ASSET,
    attached: 0,
    standing: { is: "approved", at: now - waitedMs, ...standing } as Standing,
    upstream: { text: "waiting for the approvers of 12Port asset db-prod (request 4711)", since: now - waitedMs },
  });
  return textOf((await web.show(token)).text);
}

describe("an approved request that waits for the vault's own people", () => {
  it("says for whom and for how long, what follows if they agree, and can be revoked", async () => {
    const text = await waits({ until: started.clock.now() + 12 * MINUTE });
    expect(text).toMatch(
      /12:00 left Approved Now waiting for the approvers of 12Port asset db-prod \(request 4711\), for 3 minutes\. If the vault agrees, Claude Code can read field password of db-prod until \d\d:44 \S+\. Revoke/,
    );
  });

  it("promises no next try, and does not say that anything was read, while they have not answered", async () => {
    expect(brokenPromises(await waits())).toEqual([]);
    expect(await waits()).toContain(
      "If the vault agrees, Claude Code can read field password of db-prod, just this once. Revoke",
    );
  });

  it("would be noticed to promise one", async () => {
    const plant = { file: "src/web/decided-page.ts", from: "if (card.upstream)", to: "if (card.upstream && until)" };
    const twin = (await loadPatched("src/web/server.ts", [plant])) as { createWeb: typeof createWeb };
    const broken = await startWeb(twin.createWeb);
    expect(brokenPromises(await waits({}, 0, broken))).not.toEqual([]);
    await broken.web.close();
  });

  it("still offers to revoke when its window is over meanwhile", async () => {
    const now = started.clock.now();
    const text = await waits({ until: now - MINUTE, ended: "over" });
    expect(text).toContain(
      "If the vault agrees, Claude Code can read field password of db-prod, just this once. Revoke",
    );
    expect(text).not.toContain("left");
  });

  it("no longer waits once it is revoked", async () => {
    const text = await waits({ ended: "revoked" });
    expect(text).toContain("Revoked Claude Code can no longer read field password of db-prod.");
    expect(text).not.toContain("waiting for the approvers");
  });
});

describe("an approved request that the vault's own people refused", () => {
  const refused = { text: "the approvers of 12Port asset db-prod turned this down", refused: true as const };

  it("says so, and that nothing was released", async () => {
    const now = started.clock.now();
    const token = started.front.add({
      items: ASSET,
      standing: { is: "approved", at: now, ended: "over" },
      upstream: { ...refused, since: now },
    });
    const text = textOf((await started.show(token)).text);
    expect(text).toContain(
      "Refused by the vault You approved, and the vault refused: the approvers of 12Port asset db-prod turned this down. Nothing was released.",
    );
    expect(text).not.toContain("Revoke");
  });

  it("leaves the window that was opened with it, and the way to end it", async () => {
    const now = started.clock.now();
    const token = started.front.add({
      items: ASSET,
      standing: { is: "approved", at: now, until: now + 12 * MINUTE },
      upstream: { ...refused, since: now },
    });
    expect(textOf((await started.show(token)).text)).toMatch(
      /Refused by the vault .*Your window is open until \d\d:\d\d \S+\. Revoke/,
    );
  });
});

/** Sentences that are not true while somebody else still has to agree. */
function brokenPromises(text: string): string[] {
  const wrong = [
    /next try/,
    /goes through/,
    /Nobody is waiting/,
    /was allowed/,
    /has .*read/,
    /(?<!agrees, )Claude Code can read/,
  ];
  return wrong.filter((words) => words.test(text)).map(String);
}
