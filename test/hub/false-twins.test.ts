import { describe, expect, it } from "vitest";
import type { Approval, Card, Front } from "../../src/core/card.ts";
import type { WaitingLine } from "../../src/core/overview.ts";
import type { Statement } from "../../src/core/statement.ts";
import type { createHub } from "../../src/hub/hub.ts";
import { createAuthenticator, enrolled } from "../support/authenticator.ts";
import { codeOf } from "../support/house.ts";
import { now, share, stateFolder, until } from "../support/hub.ts";
import { loadPatched, type Plant } from "../support/patched.ts";
import { HELLO, lineLike, NOTHING_SAID, peerOf } from "../support/peer.ts";
import { approve } from "../support/person.ts";

type Create = typeof createHub;
/** What a peer says of the request that it says is the twin of another, at each look. */
type Lie = (real: Real, look: number) => { readonly card: Card | undefined; readonly statement?: unknown };

interface Real {
  readonly card: Card;
  readonly statement: Statement;
}

async function patched(...plants: readonly Plant[]): Promise<Create> {
  return ((await loadPatched("src/hub/hub.ts", plants)) as { createHub: Create }).createHub;
}

/** A session that hosts, another with a request, and a peer with one that it says is for the same. */
async function falseTwin(lie: Lie, create?: Create) {
  const phone = createAuthenticator({ origin: "https://desk.example" });
  const { approvers } = enrolled(phone, undefined, { clock: now });
  const folder = stateFolder();
  const host = share(folder, { approvers, ...(create && { create }) });
  void host.house.get("STRIPE_KEY");
  await host.link();
  const victim = share(folder, { approvers });
  const call = victim.house.get("DATABASE_URL");
  await victim.link();
  const front = host.hosted[0] as Front;
  const line = victim.house.desk.overview().waiting[0] as WaitingLine;
  const { desk } = victim.house;
  const card = desk.card(line.token) as Card;
  const real = { card, statement: desk.statement(line.token, yes(card)) as Statement };
  let looks = 0;
  const peer = peerOf(folder, ({ do: name }) => {
    if (name === "card") return lie(real, ++looks).card;
    if (name === "statement") return lie(real, looks).statement;
    return name === "answer" ? false : NOTHING_SAID;
  });
  peer.say(HELLO);
  peer.claim([lineLike(line, { since: line.since - 1 })]);
  await until(async () => (await front.overview()).waiting.length === 3);
  return { front, victim, call, token: line.token, phone };
}

const yes = ({ revision }: Card): Approval => ({ verdict: "approve", choice: "once", revision });

/** What a person's page does: looks, has the card signed that it saw, and sends that. True when a try was taken. */
async function isApproved(twin: Awaited<ReturnType<typeof falseTwin>>, tries: number): Promise<boolean> {
  const { front, token, phone } = twin;
  for (let at = 0; at < tries; at++) {
    const seen = (await front.card(token)) as Card;
    // Before it has anything signed the page looks whether it is still what it showed.
    if ((await front.card(token))?.revision !== seen.revision) continue;
    const decision = await front.decision(token, yes(seen));
    if (!decision) continue;
    if (await front.answer(token, yes(seen), { proof: phone.signed(decision) }).catch(() => false)) return true;
  }
  return false;
}

const LIES: readonly [string, Lie][] = [
  ["is another at each look", ({ card }, look) => ({ card: { ...card, revision: look } })],
  ["has nothing to sign", ({ card }) => ({ card })],
  ["has what is no statement to sign", ({ card }) => ({ card, statement: { v: 1 } })],
  ["has something else to sign", ({ card, statement }) => ({ card, statement: { ...statement, vault: "prod" } })],
];

describe("a request that a peer says is for the same", () => {
  it.each(LIES)("and that %s keeps nobody from approving the others", async (_, lie) => {
    const twin = await falseTwin(lie);
    expect(await isApproved(twin, 6)).toBe(true);
    expect(await codeOf(twin.call)).toBe("done");
  });

  it("would, if it could be another at each look (planted bug)", async () => {
    const create = await patched({
      file: "src/hub/shown.ts",
      from: "const MOST_MOVES = 3;",
      to: "const MOST_MOVES = 1_000;",
    });
    const twin = await falseTwin(({ card }, look) => ({ card: { ...card, revision: look } }), create);
    expect(await isApproved(twin, 6)).toBe(false);
  });

  it("would, if all of those on the card had to have something to sign (planted bug)", async () => {
    const file = "src/hub/route.ts";
    const create = await patched(
      { file, from: "if (hash === undefined) shown.setApart(each.token);", to: "" },
      {
        file,
        from: "if (hashes[group.findIndex(({ token }) => token === page.token)] === undefined) return undefined;",
        to: "if (hashes.includes(undefined)) return undefined;",
      },
    );
    const twin = await falseTwin(({ card }) => ({ card }), create);
    expect(await isApproved(twin, 6)).toBe(false);
  });

  it("does not silence the bell, unless its card was seen to be the same", async () => {
    expect(await rings(undefined)).toBe(1);
  });

  it("would, if it were believed (planted bug)", async () => {
    const create = await patched({
      file: "src/hub/groups.ts",
      from: 'if (!mine || !leader || leader.card.standing.is !== "waiting") return false;',
      to: "if (!mine || !leader) return true;",
    });
    expect(await rings(create)).toBe(0);
  });
});

/** How often a session rings for a request of which a peer says, before, that it has it too. */
async function rings(create: Create | undefined): Promise<number> {
  const folder = stateFolder();
  const host = share(folder, create && { create });
  void host.house.get("STRIPE_KEY");
  await host.link();
  const copy = share(stateFolder());
  void copy.house.get("DATABASE_URL");
  await copy.link();
  const line = copy.house.desk.overview().waiting[0] as WaitingLine;
  const peer = peerOf(folder, () => undefined);
  peer.say(HELLO);
  peer.claim([lineLike(line, { since: 0 })]);
  await until(async () => ((await host.hosted[0]?.overview())?.waiting.length ?? 0) === 2);
  const victim = share(folder);
  void victim.house.get("DATABASE_URL");
  const link = await victim.link();
  expect(await approve(link)).toBe(303);
  return victim.house.rings.length;
}

describe("who looks for a request that nobody has", () => {
  /** Whether the look came to its end while peers come and go. */
  const comesToAnEnd = async (create?: Create): Promise<boolean> => {
    const folder = stateFolder();
    const host = share(folder, create && { create });
    void host.house.get("STRIPE_KEY");
    await host.link();
    const front = host.hosted[0] as Front;
    const visit = async (): Promise<void> => {
      const peer = peerOf(folder);
      peer.say(HELLO);
      await until(() => peer.heard.length > 0);
      const { version } = await front.overview();
      peer.leave();
      await front.overviewChanged(version, new AbortController().signal);
    };
    await visit();
    const look = front.card("n".repeat(22)).then((card) => card ?? "nothing");
    // For longer than anybody is waited for.
    const enough = performance.now() + 2_500;
    const comeAndGo = async (): Promise<undefined> => {
      while (performance.now() < enough) await visit();
      return undefined;
    };
    return (await Promise.race([look, comeAndGo()])) === "nothing";
  };

  it("is told so, however many come and go meanwhile", async () => {
    expect(await comesToAnEnd()).toBe(true);
  });

  it("would not be, if each who leaves put it off again (planted bug)", async () => {
    const create = await patched({
      file: "src/hub/groups.ts",
      from: "!(await changedUntil(version, until))",
      to: "!(await changedUntil(version, arrivalsUntil()))",
    });
    expect(await comesToAnEnd(create)).toBe(false);
  });
});
