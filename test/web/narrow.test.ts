import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Card } from "../../src/core/card.ts";
import type { createWeb } from "../../src/web/server.ts";
import { item } from "../support/fake-front.ts";
import { loadPatched } from "../support/patched.ts";
import { type Field, startWeb, textOf } from "../support/web.ts";

type Started = Awaited<ReturnType<typeof startWeb>>;
const HOUR_MS = 3_600_000;

/** Two are asked for, one is open already: positions 0 and 2 can be ticked. */
const narrow = (at: number): Partial<Card> => ({
  items: [item("DATABASE_URL"), { ...item("SENTRY_DSN"), openUntil: at + 60_000 }, item("STRIPE_KEY")],
  offer: { windowMs: 2 * HOUR_MS, scope: "secret" },
});

/** What the page does not offer. */
const REFUSED: readonly [string, Record<string, Field>][] = [
  ["an item that is open already", { choice: "once", item: ["0", "1"] }],
  ["an item that is not there", { choice: "once", item: ["0", "3"] }],
  ["one item twice", { choice: "once", item: ["0", "0"] }],
  ["no number", { choice: "once", item: ["0", "-1"] }],
  ["everything by leaving out what is ticked", { choice: "once" }],
  ["a longer window", { choice: String(3 * HOUR_MS), item: ["0", "2"] }],
  ["the same window by its length", { choice: String(2 * HOUR_MS), item: ["0", "2"] }],
  ["a length that is not on the page", { choice: "300001", item: ["0", "2"] }],
  ["a window of no length", { choice: "0", item: ["0", "2"] }],
  ["no choice", { item: ["0", "2"] }],
];

/** Those of the above that were taken all the same. */
async function taken({ front, clock, post, show }: Started): Promise<string[]> {
  const found: string[] = [];
  for (const [what, form] of REFUSED) {
    const token = front.add(narrow(clock.now()));
    const seal = /name="seal" value="([\w-]+)"/.exec((await show(token)).text)?.[1] ?? "";
    const { status } = await post(token, { seal, verdict: "approve", ...form });
    if (status !== 400 || front.cardAt(token)?.standing.is !== "waiting") found.push(what);
  }
  return found;
}

describe("a yes to less than was asked for", () => {
  let started: Started;
  beforeAll(async () => void (started = await startWeb()));
  afterAll(() => started.web.close());
  const approval = async (form: Record<string, Field>, seed: Partial<Card> = narrow(started.clock.now())) => {
    started.front.decided.length = 0;
    const token = started.front.add(seed);
    const { status } = await started.tap(token, { verdict: "approve", ...form });
    return { status, token, what: started.front.decided[0]?.what };
  };

  it("offers what is asked for with a box, and lists what is open without one", async () => {
    const { text } = await started.show(started.front.add(narrow(started.clock.now())));
    expect([...text.matchAll(/id="item-(\d+)"/g)].map(([, at]) => at)).toEqual(["0", "2"]);
    expect(textOf(text)).toContain("STRIPE_KEY Untick what it should not get. Already open SENTRY_DSN open until");
  });

  it("offers no box where one thing alone is asked for, nor where nothing can be approved", async () => {
    const one = await started.show(started.front.add({ items: [item("DATABASE_URL")] }));
    expect(one.text).not.toContain('class="tick"');
    const offer = { windowMs: HOUR_MS, scope: "secret", proof: "passkey" } as const;
    const nowhere = await started.show(started.front.add({ offer }));
    expect(nowhere.text).not.toMatch(/class="tick"|id="approve"|name="choice"/);
    expect(textOf(nowhere.text)).toContain("To approve, pair again: agent-vault pair on devbox.");
  });

  it("sends the positions that stay ticked, and none when all do", async () => {
    expect((await approval({ choice: "once", item: ["2"] })).what).toMatchObject({ choice: "once", items: [2] });
    expect((await approval({ choice: "once", item: "0" })).what).toMatchObject({ choice: "once", items: [0] });
    expect((await approval({ choice: "once" })).what).not.toHaveProperty("items");
  });

  it.each([
    [2 * HOUR_MS, ["3600000", "900000", "300000"]],
    [HOUR_MS, ["900000", "300000"]],
    [900_000, ["300000"]],
    [300_000, []],
    [0, []],
  ])("offers shorter windows than %i ms, never as long or longer", async (windowMs, lengths) => {
    const { text } = await started.show(started.front.add({ offer: { windowMs, scope: "secret" } }));
    expect([...text.matchAll(/id="shorter-\d" value="(\d+)"/g)].map(([, ms]) => ms)).toEqual(lengths);
  });

  it("takes a shorter window, and just this once", async () => {
    expect((await approval({ choice: "300000" })).what).toMatchObject({ choice: "window", windowMs: 300_000 });
    expect((await approval({ choice: "window" })).what).not.toHaveProperty("windowMs");
  });

  it("takes nothing that the page does not offer", async () => {
    expect(await taken(started)).toEqual([]);
  });

  it("says that a yes to nothing is none", async () => {
    const { status, token, what } = await approval({ choice: "once", item: [] });
    expect([status, what]).toEqual([400, undefined]);
    const { text } = await started.tap(token, { verdict: "approve", choice: "once", item: [] });
    expect(textOf(text)).toContain(
      "Everything was unticked, and a yes to nothing is none. To refuse all of it, deny it.",
    );
  });

  it("says afterwards what was left out, and never the whole vault", async () => {
    const at = started.clock.now();
    const { token } = await approval(
      { choice: "window", item: ["0"] },
      { ...narrow(at), offer: { windowMs: HOUR_MS, scope: "vault" } },
    );
    const text = textOf((await started.show(token)).text);
    expect(text).toMatch(/can read DATABASE_URL until [^.]+\. 1 left out; that counts as denied\./);
    expect(text).toContain("From prod DATABASE_URL Left out STRIPE_KEY Already open SENTRY_DSN");
    expect(text).not.toContain("ALL");
  });

  it("keeps what was chosen where the log refuses it", async () => {
    started.front.auditBroken = true;
    const token = started.front.add(narrow(started.clock.now()));
    const { text } = await started.tap(token, { verdict: "approve", choice: "300000", item: ["2"] });
    started.front.auditBroken = false;
    const back = /href="([^"]+only[^"]+)"/.exec(text)?.[1]?.replaceAll("&amp;", "&") ?? "";
    const again = (await started.get(back)).text;
    expect([...again.matchAll(/id="item-(\d+)"(?:(?!>)[\s\S])*\schecked/g)].map(([, at]) => at)).toEqual(["2"]);
    expect(again).toMatch(/id="shorter-3" value="300000" checked/);
  });
});

describe("the rows above", () => {
  it.each([
    ["an item that is open already", "src/web/answer-form.ts", "openUntil === undefined ? [at] : []", "[at]"],
    ["one item twice", "src/web/answer-form.ts", "new Set(ticked).size !== ticked.length ||", ""],
    [
      "everything by leaving out",
      "src/web/answer-form.ts",
      `ticked.length === 0 ? "none" :`,
      "ticked.length === 0 ? {} :",
    ],
    ["a longer window", "src/web/windows.ts", "(lengthMs) => lengthMs < windowMs", "(lengthMs) => lengthMs < 9e9"],
    [
      "a length that is not on the page",
      "src/web/answer-form.ts",
      "shorterWindows(offer.windowMs).find((lengthMs) => String(lengthMs) === choice)",
      "Number(choice)",
    ],
  ])("go red when %s is taken", async (what, file, from, to) => {
    const plants = [{ file, from, to }];
    const longer = { file: "src/web/windows.ts", from: "[60 * MINUTE_MS,", to: "[180 * MINUTE_MS, 60 * MINUTE_MS," };
    if (what === "a longer window") plants.push(longer);
    const twin = (await loadPatched("src/web/server.ts", plants)) as { createWeb: typeof createWeb };
    const started = await startWeb(twin.createWeb);
    expect((await taken(started)).join()).toContain(what);
    await started.web.close();
  });
});
