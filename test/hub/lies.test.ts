import { describe, expect, it } from "vitest";
import type { Approval, Card, Front } from "../../src/core/card.ts";
import type { Decision } from "../../src/core/proof.ts";
import type { Statement } from "../../src/core/statement.ts";
import { isAsShown } from "../../src/hub/as-shown.ts";
import type { createHub } from "../../src/hub/hub.ts";
import { createAuthenticator, enrolled } from "../support/authenticator.ts";
import { codeOf, settle, startHouse } from "../support/house.ts";
import { now, share, stateFolder, until } from "../support/hub.ts";
import { loadPatched } from "../support/patched.ts";
import { HELLO, lineLike, NOTHING_SAID, peerOf } from "../support/peer.ts";

const PHONE = { origin: "https://desk.example" };
const yes = ({ revision }: Card, more: Partial<Approval> = {}): Approval => ({
  verdict: "approve",
  choice: "once",
  revision,
  ...more,
});

/**
 * A peer that knows all of what another session has to have signed, but not its key, shows a harmless card for it. What
 * the person's passkey signed on the genuine page is then used for what it really is.
 */
async function lyingCard(create?: typeof createHub) {
  const phone = createAuthenticator(PHONE);
  const { approvers } = enrolled(phone, undefined, { clock: now });
  const options = { approvers, rules: { ttlMs: 3_600_000, ttlScope: "vault" as const } };
  const folder = stateFolder();
  const host = share(folder, { ...options, ...(create && { create }) });
  void host.house.get("STRIPE_KEY");
  await host.link();
  const front = host.hosted[0] as Front;
  const victim = share(folder, options);
  const call = victim.house.get("DATABASE_URL");
  await victim.link();
  const { desk } = victim.house;
  const line = desk.overview().waiting[0];
  if (!line) throw new Error("nothing waits");
  const real = desk.card(line.token) as Card;
  const opened = yes(real, { choice: "window" });
  const statement = desk.statement(line.token, opened) as Statement;
  const harmless: Card = {
    ...real,
    vault: "tests",
    items: [{ name: "HARMLESS", checked: true }],
    offer: { windowMs: 0, scope: "secret", proof: "passkey" },
    revision: 1,
  };
  const own = lineLike(line, { vault: "tests", names: ["HARMLESS"] });
  const peer = peerOf(folder, ({ do: name }) =>
    name === "card" ? harmless : name === "statement" ? statement : NOTHING_SAID,
  );
  const { twin: _twin, ...apart } = own;
  peer.say(HELLO);
  peer.claim([apart]);
  await until(async () => (await front.overview()).waiting.length === 3);
  const seen = (await front.card(own.token)) as Card;
  expect([seen.vault, seen.items.map(({ name }) => name)]).toEqual(["tests", ["HARMLESS"]]);
  const decision = await front.decision(own.token, yes(seen));
  const isTaken =
    decision !== undefined &&
    (await front.answer(line.token, opened, { proof: phone.signed(decision) }).catch(() => false));
  return { decision, isTaken, opened: desk.overview().windows.length, call };
}

describe("what is signed on the page of a host that keeps to the rules", () => {
  it("is what the card shows: nothing is to be signed for a request that a peer shows another card for", async () => {
    const { decision, isTaken, opened } = await lyingCard();
    expect({ decision, isTaken, opened }).toEqual({ decision: undefined, isTaken: false, opened: 0 });
  });

  it("would open another session's vault, if statements were not compared with cards (planted bug)", async () => {
    const plant = {
      file: "src/hub/route.ts",
      from: "statement && isAsShown(statement, card, mine) ? hashOf(statement) : undefined",
      to: "statement && (isAsShown(statement, card, mine) || true) ? hashOf(statement) : undefined",
    };
    const { createHub: create } = (await loadPatched("src/hub/hub.ts", [plant])) as { createHub: typeof createHub };
    const { isTaken, opened, call } = await lyingCard(create);
    expect({ isTaken, opened }).toEqual({ isTaken: true, opened: 1 });
    expect(await codeOf(call)).toBe("done");
  });

  it("is for approving, made now by the host, with one digest for each request", async () => {
    const folder = stateFolder();
    const session = share(folder, enrolled(createAuthenticator(PHONE), undefined, { clock: now }));
    void session.house.get("DATABASE_URL");
    await session.link();
    const front = session.hosted[0] as Front;
    const { token = "" } = session.house.desk.overview().waiting[0] ?? {};
    const decision = (await front.decision(token, yes((await front.card(token)) as Card))) as Decision;
    expect(decision).toEqual({
      ...session.house.desk.decision(token, yes(session.house.desk.card(token) as Card)),
      at: now.now(),
    });
  });
});

const SECRETS = { DATABASE_URL: "hunter2-4711-a", STRIPE_KEY: "hunter2-4711-b", SIGNING_KEY: "hunter2-4711-c" };

/** A request for some of several secrets, of which one is open already, with its card and what a yes has to sign. */
async function asked(approval: Partial<Approval>, isWrite = false) {
  const house = startHouse({ rules: { ttlMs: 600_000 }, clock: now, secrets: SECRETS });
  if (isWrite) void house.set({ DATABASE_URL: "hunter2-4711-written" });
  else {
    await house.served("STRIPE_KEY");
    void house.get(["DATABASE_URL", "STRIPE_KEY", "SIGNING_KEY"]);
  }
  await settle();
  const token = house.tokens.at(-1) ?? "";
  const card = house.desk.card(token) as Card;
  const mine = yes(card, approval);
  return { card, approval: mine, statement: house.desk.statement(token, mine) as Statement };
}

const YESES: readonly [string, Partial<Approval>, boolean?][] = [
  ["once", {}],
  ["for the window", { choice: "window" }],
  ["for less than the window", { choice: "window", windowMs: 60_000 }],
  ["for one of two", { choice: "window", items: [2] }],
  ["to a write", {}, true],
];

describe("a statement", () => {
  it.each(YESES)("is what the card shows for a yes %s", async (_, given, isWrite) => {
    const { statement, card, approval } = await asked(given, isWrite);
    expect(isAsShown(statement, card, approval)).toBe(true);
  });

  type Change = (statement: Statement) => Partial<Statement>;
  const LIES: readonly [string, Change][] = [
    ["is of another vault", () => ({ vault: "prod" })],
    ["is of another provider", () => ({ provider: "1password" })],
    ["is for a write", () => ({ action: "write" })],
    ["gives another reason", () => ({ reason: "because" })],
    ["is for longer", () => ({ windowMs: 600_001 })],
    ["opens what the person approved for once", () => ({ windowMs: 600_000, uses: 0 })],
    ["has as many uses as it likes", () => ({ uses: 0 })],
    ["is for the whole vault", () => ({ scope: "vault" })],
    ["has one secret more", ({ secrets }) => ({ secrets: [...secrets, { name: "ROOT_PASSWORD", ref: "x" }] })],
    ["has another secret", ({ secrets }) => ({ secrets: secrets.map((each) => ({ ...each, name: "ROOT_PASSWORD" })) })],
    ["has another field", ({ secrets }) => ({ secrets: secrets.map((each) => ({ ...each, field: "root" })) })],
    ["has a title that is not shown", ({ secrets }) => ({ secrets: secrets.map((each) => ({ ...each, title: "x" })) })],
    [
      "replaces what is shown to be read",
      ({ secrets }) => ({ secrets: secrets.map((each) => ({ ...each, effect: "replace" as const })) }),
    ],
    ["has no secret", () => ({ secrets: [] })],
    ["uses what is not open along with it", ({ open, secrets }) => ({ open: [...open, ...secrets] })],
    ["is of somebody else", ({ requester }) => ({ requester: { ...requester, claims: { client: "Other" } } })],
    ["is of another configuration", () => ({ configuration: "other" })],
    ["counts for longer", ({ expiresAt }) => ({ expiresAt: expiresAt + 1 })],
  ];

  it.each(LIES)("is not what the card shows when it %s", async (_, change) => {
    const { statement, card, approval } = await asked({});
    expect(isAsShown({ ...statement, ...change(statement) }, card, approval)).toBe(false);
  });

  it("is not what the card shows when it has what the person unticked", async () => {
    const { statement, card, approval } = await asked({});
    expect(isAsShown(statement, card, { ...approval, items: [2] })).toBe(false);
  });
});
