import { describe, expect, it } from "vitest";
import type { Approval, Card, Front } from "../../src/core/card.ts";
import type { createHub } from "../../src/hub/hub.ts";
import type { Approver, Approvers, Decision } from "../../src/core/proof.ts";
import { createAuthenticator, enrolled } from "../support/authenticator.ts";
import { settle, WHO } from "../support/house.ts";
import { now, share, type Sharing, stateFolder, until } from "../support/hub.ts";
import { loadPatched, type Plant } from "../support/patched.ts";
import { readPage } from "../support/person.ts";

const ORIGIN = "https://desk.example";

interface Twins {
  readonly sessions: readonly Sharing[];
  readonly front: Front;
  readonly tokens: readonly string[];
  readonly join: () => Promise<void>;
}

/** Two sessions that ask for the same, in this order, and a third that can join them. */
async function twins(options: { approvers?: readonly Approvers[]; create?: typeof createHub } = {}): Promise<Twins> {
  const folder = stateFolder();
  const sessions = [0, 1, 2].map((at) => {
    const approvers = options.approvers?.[at];
    return share(folder, { ...(approvers && { approvers }), ...(options.create && { create: options.create }) });
  });
  const tokens: string[] = [];
  const ask = async (at: number): Promise<void> => {
    const { house, hub } = sessions[at] as Sharing;
    now.advance(10);
    void house.get("DATABASE_URL", { reason: `reason ${at}`, session: `session-${at}` });
    await until(() => house.desk.overview().waiting.length > 0);
    await hub.open();
    tokens.push(house.desk.overview().waiting[0]?.token ?? "");
  };
  await ask(0);
  await ask(1);
  const front = sessions[0]?.hosted[0] as Front;
  return { sessions, front, tokens, join: () => ask(2) };
}

const yes = ({ revision }: Card): Approval => ({ verdict: "approve", choice: "once", revision });

describe("identical requests of several sessions", () => {
  it("are one card: the first that was asked, and who else waits", async () => {
    const { front, tokens } = await twins();
    for (const token of tokens) {
      const card = await front.card(token);
      expect(card?.reason).toBe("reason 0");
      expect(card?.alsoAsking).toEqual([{ reason: "reason 1", requester: WHO }]);
      expect(card?.attached).toBe(2);
    }
    expect((await front.overview()).waiting.map(({ token }) => token)).toEqual(tokens);
  });

  it("are answered together with one tap", async () => {
    const { sessions, front, tokens } = await twins();
    const card = await front.card(tokens[1] ?? "");
    expect(await front.answer(tokens[1] ?? "", yes(card as Card), { proof: "link" })).toBe(true);
    for (const { house } of sessions.slice(0, 2)) expect(house.journal.kinds()).toContain("approved");
  });

  it("are answered together by one signature over the list, which each verifies for itself", async () => {
    expect(await signedByOne()).toEqual([true, ["passkey", undefined, undefined]]);
  });

  it("would believe each other, if a session did not look at the signature (planted bug)", async () => {
    expect(await signedByOne({ isCredulous: true })).toEqual([true, ["passkey", "passkey", undefined]]);
  });

  it("are denied together", async () => {
    const { sessions, front, tokens } = await twins();
    expect(await front.answer(tokens[0] ?? "", { verdict: "deny" }, { proof: "link" })).toBe(true);
    const kinds = sessions.map(({ house }) => house.journal.kinds().includes("denied"));
    expect(kinds).toEqual([true, true, false]);
  });

  it("ring once", async () => {
    const { sessions, join } = await twins();
    await join();
    await settle();
    await until(() => (sessions[0]?.house.rings.length ?? 0) > 0);
    expect(sessions.map(({ house }) => house.rings.length)).toEqual([1, 0, 0]);
  });

  it("are apart as soon as one of them is for something else", async () => {
    const folder = stateFolder();
    const [one, two] = [share(folder), share(folder, { rules: { ttlMs: 60_000 } })];
    void one.house.get("DATABASE_URL");
    await one.link();
    void two.house.get("DATABASE_URL");
    const page = await readPage(await two.link());
    expect(page).toContain("run migration 0042");
    expect((await one.hosted[0]?.overview())?.waiting).toHaveLength(2);
    expect((await one.hosted[0]?.card(two.house.desk.overview().waiting[0]?.token ?? ""))?.alsoAsking).toBeUndefined();
  });

  it("that hang hide no other", async () => {
    const { sessions, front, tokens } = await twins();
    const stuck = sessions[1] as Sharing;
    (stuck.house.desk as { card: unknown }).card = () => new Promise(() => {});
    const card = await front.card(tokens[0] ?? "");
    expect(card?.alsoAsking).toBeUndefined();
    expect(await front.answer(tokens[0] ?? "", yes(card as Card), { proof: "link" })).toBe(true);
    expect(stuck.house.journal.kinds()).not.toContain("approved");
  });
});

/**
 * What each of three sessions made of one signature over a list: the second has the same phone enrolled under another
 * key, so the signature is none for it. `isCredulous`: it takes whatever it is brought.
 */
async function signedByOne({ isCredulous = false } = {}): Promise<[boolean, unknown[]]> {
  const phone = createAuthenticator({ origin: ORIGIN });
  const other = createAuthenticator({ origin: ORIGIN });
  const stores = [phone, { ...phone, publicKey: other.publicKey }, phone].map(
    (each) => enrolled(each, undefined, { clock: now }).approvers,
  );
  const [, second] = stores;
  if (isCredulous && second) stores[1] = { ...second, accept: () => Promise.resolve(second.all()[0] as Approver) };
  const { sessions, front, tokens } = await twins({ approvers: stores });
  const approval = yes((await front.card(tokens[0] ?? "")) as Card);
  const decision = (await front.decision(tokens[0] ?? "", approval)) as Decision;
  expect(decision.hashes).toHaveLength(2);
  const isTaken = await front.answer(tokens[0] ?? "", approval, { proof: phone.signed(decision) });
  return [isTaken, sessions.map(({ house }) => house.journal.events.find(({ kind }) => kind === "approved")?.proof)];
}

/** What of two requests was approved by the yes of a person who saw two, when a third had joined meanwhile. */
async function approvedUnseen(create?: typeof createHub): Promise<boolean> {
  const { sessions, front, tokens, join } = await twins(create && { create });
  const seen = (await front.card(tokens[0] ?? "")) as Card;
  await join();
  await front.answer(tokens[0] ?? "", yes(seen), { proof: "link" });
  return sessions[2]?.house.journal.kinds().includes("approved") ?? false;
}

describe("a request that joins others", () => {
  it("is not approved by somebody who did not see it", async () => {
    expect(await approvedUnseen()).toBe(false);
  });

  it("would be, if joining were no new revision (planted bug)", async () => {
    const plants: Plant[] = [
      {
        file: "src/hub/twins.ts",
        from: "const parts = shown.map(({ token, card }) => [token, card.revision]);",
        to: "const parts = shown.slice(0, 1).map(({ token, card }) => [token, card.revision]);",
      },
    ];
    const { createHub: create } = (await loadPatched("src/hub/hub.ts", plants)) as { createHub: typeof createHub };
    expect(await approvedUnseen(create)).toBe(true);
  });

  it("has those who look at the page see it at once", async () => {
    const { front, tokens, join } = await twins();
    const { version = 0 } = (await front.card(tokens[0] ?? "")) ?? {};
    const changed = front.changed(tokens[0] ?? "", version, new AbortController().signal);
    await join();
    await changed;
    expect((await front.card(tokens[0] ?? ""))?.alsoAsking).toHaveLength(2);
  });

  it("is still there when the others are gone", async () => {
    const { sessions, front, tokens, join } = await twins();
    await join();
    await sessions[1]?.hub.close();
    await until(async () => (await front.card(tokens[0] ?? ""))?.alsoAsking?.length === 1);
    await front.answer(tokens[0] ?? "", { verdict: "deny" }, { proof: "link" });
    expect(sessions[2]?.house.journal.kinds()).toContain("denied");
  });
});
