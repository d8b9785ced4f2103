import assert from "node:assert/strict";
import type { Event } from "../../src/core/event.ts";
import type { Signed } from "../../src/core/proof.ts";
import { dice } from "./dice.ts";
import { type Call, codeOf, settle } from "./house.ts";
import { enrol, type SigningHouse, startSigningHouse } from "./signing.ts";

/** Everything that can happen to requests that have to be signed for, at about the same time. */
const MOVES = [
  "call",
  "callBoth",
  "callElsewhere",
  "cancel",
  "stop",
  "sign",
  "signOnce",
  "signOne",
  "signShort",
  "yesAndNo",
  "sendAgain",
  "sendElsewhere",
  "link",
  "deny",
  "again",
  "revoke",
  "remove",
  "enrol",
  "logAway",
  "logBack",
  "clockBack",
  "pass",
  "turn",
] as const;
type Move = (typeof MOVES)[number];

const OFTEN: readonly Move[] = [
  "call",
  "callBoth",
  "sign",
  "sign",
  "signOnce",
  "signOne",
  "yesAndNo",
  "logBack",
  "enrol",
  "turn",
];
const SECRETS = { DATABASE_URL: "postgres://hunter2-4711", STRIPE_KEY: "sk_live_canary_0815" };
const WINDOW_MS = 180_000;

/** Plays one game, thrown by the seed, and throws `AssertionError` when a promise is broken. The log of it. */
export async function play(seed: number, length = 14): Promise<readonly Event[]> {
  const thrown = dice(seed);
  const house = startSigningHouse({
    secrets: SECRETS,
    rules: {
      ttlMs: thrown.oneOf([0, WINDOW_MS, WINDOW_MS]),
      ttlScope: thrown.oneOf(["secret", "vault"]),
      require: "passkey",
    },
    desk: { maxCards: thrown.oneOf([1, 3]), denyCooldownMs: thrown.oneOf([0, 30_000]) },
  });
  const { journal, desk } = house;
  journal.before = () => new Promise((resolve) => setImmediate(resolve));
  const calls: Call<unknown>[] = [];
  const sent: { readonly token: string; readonly signed: Signed }[] = [];
  const call = (names: string | string[], session = "session-1"): void => {
    calls.push(house.get(names, { session, ...(thrown.oneIn(3) && { holdMs: 1_000 }) }));
  };
  const token = (): string => (house.tokens.length === 0 ? "none" : thrown.oneOf(house.tokens.slice(-3)));
  const yes = async (own: { choice?: "once"; items?: readonly number[]; windowMs?: number } = {}): Promise<void> => {
    const at = token();
    const revision = desk.card(at)?.revision ?? 0;
    const approval = { verdict: "approve", choice: "window", revision, ...own } as const;
    const decision = desk.decision(at, approval);
    if (!decision) return;
    const signed = house.phone.signed(decision);
    // The person takes a moment, in which anything may happen.
    for (let step = thrown.below(3); step > 0; step--) await new Promise((resolve) => setImmediate(resolve));
    sent.push({ token: at, signed });
    await desk.answer(at, approval, { proof: signed });
  };
  const resend = async (at: string, proof: Signed | "link"): Promise<void> => {
    const revision = desk.card(at)?.revision ?? 0;
    await desk.answer(at, { verdict: "approve", choice: "window", revision }, { proof });
  };
  /** From when on nothing may be handed out, as long as the phone is not enrolled again. */
  const gone: { from: number; to: number }[] = [];
  const moves: Record<Move, () => unknown> = {
    call: () => call(thrown.oneOf(["DATABASE_URL", "STRIPE_KEY"])),
    callBoth: () => call(["DATABASE_URL", "STRIPE_KEY"]),
    callElsewhere: () => call("DATABASE_URL", "session-2"),
    cancel: () => calls.length > 0 && thrown.oneOf(calls).cancel(),
    stop: () => calls.length > 0 && thrown.oneOf(calls).cancel("user-cancel"),
    sign: () => yes(),
    signOnce: () => yes({ choice: "once" }),
    signOne: () => yes({ items: [0] }),
    signShort: () => yes({ windowMs: 30_000 }),
    yesAndNo: async () => {
      const both = yes({ choice: "once" }).catch(() => {});
      for (let step = thrown.below(12); step > 0; step--) await new Promise((resolve) => setImmediate(resolve));
      const at = sent.at(-1)?.token ?? "none";
      await Promise.all([both, desk.answer(at, { verdict: "deny" }, { proof: "link" })]);
    },
    sendAgain: () => sent.length > 0 && resend(...(Object.values(thrown.oneOf(sent)) as [string, Signed])),
    sendElsewhere: () => sent.length > 0 && resend(token(), thrown.oneOf(sent).signed),
    link: () => resend(token(), "link"),
    deny: () => thrown.oneIn(3) && desk.answer(token(), { verdict: "deny" }, { proof: "link" }),
    again: () => thrown.oneIn(3) && desk.answer(token(), { verdict: "again", note: "no" }, { proof: "link" }),
    revoke: () => desk.revoke(token()),
    remove: async () => {
      // Mostly there is something open that was signed for.
      if (!thrown.oneIn(3)) for (const _ of house.tokens) await yes().catch(() => {});
      house.kept.delete(house.phone.credentialId);
      // What had been looked at before is on its way.
      await flown();
      if (house.kept.get(house.phone.credentialId) !== undefined) return;
      gone.push({ from: journal.events.length, to: Number.POSITIVE_INFINITY });
      for (const name of Object.keys(SECRETS)) call(name);
    },
    enrol: () => {
      for (const time of gone) time.to = Math.min(time.to, journal.events.length);
      enrol(house);
    },
    logAway: () => (journal.away = true),
    logBack: () => (journal.away = false),
    clockBack: () => thrown.oneIn(4) && house.clock.setWall(house.clock.now() - 5_000),
    pass: () => house.clock.advance(thrown.oneOf([1_000, 40_000, 200_000])),
    turn: () => settle(),
  };
  const running: Promise<unknown>[] = [];
  call(thrown.oneIn(2) ? Object.keys(SECRETS) : "DATABASE_URL");
  await settle();
  for (let move = 0; move < length; move++) {
    const next = thrown.oneIn(2) ? thrown.oneOf(OFTEN) : thrown.oneOf(MOVES);
    const done = Promise.resolve(moves[next]()).catch(() => {});
    running.push(done);
    if (next === "remove" || thrown.oneIn(3)) await done;
    for (let step = thrown.below(4); step > 0; step--) await Promise.resolve();
  }
  journal.away = false;
  await Promise.all(running);
  await flown();
  desk.close("over");
  house.broker.close();
  const codes = await Promise.all(calls.map((each) => codeOf(each)));
  house.grants.clear();
  check(house, codes, gone);
  return journal.events;
}

/** Signatures are looked at in threads of their own, and that takes a few turns. */
async function flown(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) {
    await settle();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

const ENDS = ["approved", "covered", "denied", "returned", "expired", "withdrawn", "cancelled"];

function check(
  { journal, phone }: SigningHouse,
  codes: readonly string[],
  gone: readonly { from: number; to: number }[],
) {
  const { events } = journal;
  const approved = new Map<string, Event>();
  const ended = new Set<string>();
  const releases = new Map<string, string>();
  for (const [at, event] of events.entries()) {
    const { kind, approval = "", refs = [], release = "", basis } = event;
    const ids = approval.split(",");
    if (kind === "approved") {
      assert.equal(event.proof, "passkey", "approved without a signature");
      assert.match(event.approver ?? "", new RegExp(phone.credentialId));
      approved.set(approval, event);
    }
    if (kind === "revoked") for (const id of ids) ended.add(id);
    if (kind === "releasing") {
      releases.set(release, approval);
      assert.ok(!gone.some(({ from, to }) => from <= at && at < to), "handed out for an approver who is gone");
      const yeses = ids.map((id) => approved.get(id));
      assert.ok(
        yeses.every((yes) => yes !== undefined),
        "handed out without a yes",
      );
      const whole = yeses.some((yes) => yes?.scope === "vault" && yes.until !== undefined);
      const permitted = new Set(yeses.flatMap((yes) => yes?.refs ?? []));
      assert.ok(whole || refs.every((ref) => permitted.has(ref)), "handed out what was not signed for");
      const isInTime = yeses.every((yes) => yes?.until !== undefined && event.at < yes.until);
      assert.ok(basis !== "window" || isInTime, "handed out after its window");
    }
    // What was being read when it was revoked is kept back.
    if (kind === "released") assert.ok(!ids.some((id) => ended.has(id)), "handed out after it was revoked");
  }
  assert.ok(!codes.includes("internal"), "nothing fails in a way it does not know");
  const served = events.filter(({ kind }) => kind === "released").length;
  assert.equal(codes.filter((code) => code === "done").length, served, "a value for each line, and a line for each");
  for (const { request } of events.filter(({ kind }) => kind === "requested")) {
    const own = events.filter((event) => event.request === request);
    const overtaken = own.filter(({ detail }) => detail?.endsWith("before it was in force")).length;
    // What was left out of a yes is denied beside it, and that is less than all of it.
    const all = own.find(({ kind }) => kind === "requested")?.refs?.length ?? 0;
    const ends = own.filter(({ kind, refs = [] }) => ENDS.includes(kind) && (kind !== "denied" || refs.length === all));
    assert.equal(ends.length - overtaken, 1, `outcomes of one request: ${own.map(({ kind }) => kind).join()}`);
  }
}
