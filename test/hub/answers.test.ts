import { describe, expect, it } from "vitest";
import type { Answer, AnswerBy, Card, Front } from "../../src/core/card.ts";
import type { Decision } from "../../src/core/proof.ts";
import type { createHub } from "../../src/hub/hub.ts";
import { createAuthenticator, enrolled } from "../support/authenticator.ts";
import { now, share, stateFolder, until } from "../support/hub.ts";
import { loadPatched } from "../support/patched.ts";

type Create = typeof createHub;
const PHONE = { origin: "https://desk.example" };

async function patched(from: string, to: string, file = "src/hub/route.ts"): Promise<Create> {
  return ((await loadPatched("src/hub/hub.ts", [{ file, from, to }])) as { createHub: Create }).createHub;
}

/** Two sessions that ask for the same, with a phone enrolled, before one page. */
async function twins(create?: Create) {
  const phone = createAuthenticator(PHONE);
  const { approvers } = enrolled(phone, undefined, { clock: now });
  const folder = stateFolder();
  const options = { approvers, ...(create && { create }) };
  const sessions = [share(folder, options), share(folder, options)] as const;
  for (const { house, link } of sessions) {
    now.advance(10);
    void house.get("DATABASE_URL");
    await link();
  }
  const front = sessions[0].hosted[0] as Front;
  const tokens = sessions.map(({ house }) => house.desk.overview().waiting[0]?.token ?? "");
  const standings = async () =>
    Promise.all(sessions.map(async ({ house }, at) => house.desk.card(tokens[at] ?? "")?.standing));
  const approve = async (token: string): Promise<boolean> => {
    const { revision } = (await front.card(token)) as Card;
    const yes = { verdict: "approve", choice: "once", revision } as const;
    const decision = (await front.decision(token, yes)) as Decision;
    return front.answer(token, yes, { proof: phone.signed(decision) });
  };
  return { sessions, front, tokens, standings, approve };
}

const AGAIN: Answer = { verdict: "again", note: "only the test database" };
const LINK: AnswerBy = { proof: "link" };

/** How each of two requests stands after this answer on the page of the second. */
async function after(answer: Answer, by: AnswerBy, create?: Create): Promise<unknown[]> {
  const { front, tokens, standings } = await twins(create);
  expect(((await front.card(tokens[1] ?? "")) as Card).alsoAsking).toHaveLength(1);
  expect(await front.answer(tokens[1] ?? "", answer, by)).toBe(true);
  return (await standings()).map((standing) => [standing?.is, standing?.is === "returned" && standing.byAnyone]);
}

describe("an answer on a page that several share", () => {
  it("that sends a request back is for that of its own link alone, and nobody's in particular", async () => {
    expect(await after(AGAIN, LINK)).toEqual([
      ["waiting", false],
      ["returned", true],
    ]);
  });

  it("would be for the others too, if any link were a person's (planted bug)", async () => {
    const create = await patched('if (answer.verdict === "deny" || signedIn) return group;', "return group;");
    expect((await after(AGAIN, LINK, create)).map((each) => (each as unknown[])[0])).toEqual(["returned", "returned"]);
  });

  it("is a person's, and for all of them, when it comes from a device that is signed in", async () => {
    expect(await after(AGAIN, { ...LINK, signedIn: true })).toEqual([
      ["returned", undefined],
      ["returned", undefined],
    ]);
  });

  it("is for all of them when it is a no", async () => {
    expect((await after({ verdict: "deny" }, LINK)).map((each) => (each as unknown[])[0])).toEqual([
      "denied",
      "denied",
    ]);
  });
});

/** What the page shows after a yes that one of two sessions could not write down, and after a second one. */
async function halfTaken(create?: Create): Promise<unknown[]> {
  const { sessions, front, tokens, approve } = await twins(create);
  const [own = "", other = ""] = tokens;
  const { journal } = sessions[1].house;
  journal.away = true;
  expect(await approve(own)).toBe(true);
  const led = await front.card(own);
  journal.away = false;
  const isTaken = led?.standing.is === "waiting" ? await approve(own) : undefined;
  const end = await front.card(own);
  return [led?.standing.is, led?.alsoAsking, isTaken, end?.standing.is, (await front.card(other))?.standing.is];
}

describe("a yes that one of the sessions could not write down", () => {
  it("leads to the request that still waits, until that is answered", async () => {
    expect(await halfTaken()).toEqual(["waiting", undefined, true, "approved", "approved"]);
  });

  it("would look as if it had been for all of them (planted bug)", async () => {
    const create = await patched("if (own?.value && failed.length > 0) shown.leadOn(page.token, failed);", "");
    expect(await halfTaken(create)).toEqual(["approved", undefined, undefined, "approved", "waiting"]);
  });

  it("counts for nothing on the page of the one that could not", async () => {
    const { sessions, tokens, approve, standings } = await twins();
    sessions[1].house.journal.away = true;
    await expect(approve(tokens[1] ?? "")).rejects.toMatchObject({ code: "audit_unavailable" });
    expect((await standings()).map((standing) => standing?.is)).toEqual(["approved", "waiting"]);
  });

  it("has those who look at the page see it when the other is answered elsewhere", async () => {
    const { sessions, front, tokens, approve } = await twins();
    const [own = "", other = ""] = tokens;
    sessions[1].house.journal.away = true;
    expect(await approve(own)).toBe(true);
    const { version = 0 } = (await front.card(own)) ?? {};
    const changed = front.changed(own, version, new AbortController().signal);
    expect(await front.answer(other, { verdict: "deny" }, LINK)).toBe(true);
    await changed;
    expect((await front.card(own))?.standing.is).toBe("approved");
  });
});

describe("very many identical requests", () => {
  it("are answered 32 at a time", async () => {
    const phone = createAuthenticator(PHONE);
    const { approvers } = enrolled(phone, undefined, { clock: now });
    const session = share(stateFolder(), { approvers });
    for (let at = 0; at < 40; at++) void session.house.get("DATABASE_URL", { session: `session-${at}` });
    await until(() => session.house.desk.overview().waiting.length === 40);
    await session.hub.open();
    const front = session.hosted[0] as Front;
    const signatures: number[] = [];
    for (;;) {
      const [next] = session.house.desk.overview().waiting;
      if (!next) break;
      const { revision, attached } = (await front.card(next.token)) as Card;
      const yes = { verdict: "approve", choice: "once", revision } as const;
      const decision = (await front.decision(next.token, yes)) as Decision;
      expect(await front.answer(next.token, yes, { proof: phone.signed(decision) })).toBe(true);
      expect(decision.hashes).toHaveLength(attached);
      signatures.push(attached);
    }
    expect(signatures.toSorted((a, b) => a - b)).toEqual([8, 32]);
  });
});
