import type { Approval } from "../../src/core/card.ts";
import { digestOf } from "../../src/core/canonical.ts";
import type { Notes } from "../../src/core/ports.ts";
import type { Decision, Proof } from "../../src/core/proof.ts";
import { type Authenticator, createAuthenticator, enrolled, recordOf } from "./authenticator.ts";
import { FakeClock } from "./fake-clock.ts";
import { fakeNotes } from "./provider-context.ts";
import { type Call, codeOf, type House, settle, startHouse } from "./house.ts";

const ORIGIN = "https://desk.example";

/** A house whose person has a phone with a passkey. */
export interface SigningHouse extends House {
  readonly phone: Authenticator;
  /** What is kept of the approvers. */
  readonly kept: Notes;
  /** What the page would have signed for a yes to a request. Throws where it cannot be given so. */
  readonly decision: (yes?: Partial<Approval>, at?: number) => Decision;
  /** Sends a yes; the name of what came of it. */
  readonly send: (proof: Proof, yes?: Partial<Approval>, at?: number) => Promise<string>;
  /** Signs a yes and sends it. */
  readonly sign: (yes?: Partial<Approval>, at?: number) => Promise<string>;
}

export function startSigningHouse(
  options: Parameters<typeof startHouse>[0] & {
    isEnrolled?: boolean;
    kept?: Notes;
    phone?: Authenticator;
    /** Has whoever keeps the approvers remember no signature: the core has a memory of its own. */
    isForgetful?: boolean;
  } = {},
): SigningHouse {
  const clock = options.clock ?? new FakeClock();
  const phone = options.phone ?? createAuthenticator({ origin: ORIGIN });
  const kept = options.kept ?? fakeNotes()("approvers");
  const store = enrolled(phone, undefined, { notes: kept, clock }).approvers;
  const approvers = options.isForgetful ? { ...store, accept: store.recheck } : store;
  if (options.isEnrolled === false) kept.delete(phone.credentialId);
  const house = startHouse({ rules: { ttlMs: 600_000 }, ...options, clock, approvers });
  const approval = (yes: Partial<Approval>, at: number): Approval => ({
    verdict: "approve",
    choice: "window",
    revision: house.card(at).revision,
    ...yes,
  });
  const token = (at: number): string => house.tokens.at(at) ?? "no such request";
  const signing: SigningHouse = {
    ...house,
    phone,
    kept,
    decision: (yes = {}, at = -1) => {
      const decision = house.desk.decision(token(at), approval(yes, at));
      if (!decision) throw new Error("there is nothing to sign");
      return decision;
    },
    send: (proof, yes = {}, at = -1) =>
      house.desk.answer(token(at), approval(yes, at), { proof }).then(
        (isTaken) => (isTaken ? "taken" : "not taken"),
        (error: unknown) => codeOf({ reply: Promise.reject(error) } as Call<never>),
      ),
    sign: (yes = {}, at = -1) => signing.send(phone.signed(signing.decision(yes, at)), yes, at),
  };
  return signing;
}

/** Enrols a phone as the command does in another process: the house learns of it by looking. */
export function enrol({ kept, phone }: SigningHouse): void {
  kept.put(phone.credentialId, recordOf(phone));
}

const BOTH = ["DATABASE_URL", "STRIPE_KEY"];

/** Everything somebody without the phone may try; each comes to true when it got what nobody approved. */
export const ATTACKS = {
  "a yes by the link alone": async () => {
    const house = await asked("DATABASE_URL");
    return (await house.send("link")) === "taken";
  },
  "a signature sent once more after the log failed": async () => {
    const house = await asked("DATABASE_URL", { isForgetful: true });
    const signed = house.phone.signed(house.decision());
    house.journal.away = true;
    await house.send(signed);
    house.journal.away = false;
    return (await house.send(signed)) === "taken";
  },
  "a signature over two requests used twice for the one": async () => {
    const house = await asked("DATABASE_URL", { isForgetful: true });
    const mine = house.decision();
    const signed = house.phone.signed({
      ...mine,
      hashes: [...mine.hashes, digestOf("statement", "of another session")],
    });
    house.journal.away = true;
    await house.send(signed);
    house.journal.away = false;
    return (await house.send(signed)) === "taken";
  },
  "the signature of an earlier, identical request": async () => {
    const house = await asked("DATABASE_URL");
    const signed = house.phone.signed(house.decision());
    await house.deny();
    house.clock.advance(30_000);
    void house.get("DATABASE_URL", { session: "session-2" });
    await settle();
    return (await house.send(signed)) === "taken";
  },
  "the signature of another request": async () => {
    const house = await asked("DATABASE_URL");
    const signed = house.phone.signed(house.decision());
    void house.get("STRIPE_KEY");
    await settle();
    return (await house.send(signed)) === "taken";
  },
  "a window where just once was signed": async () => {
    const house = await asked("DATABASE_URL");
    return (await house.send(house.phone.signed(house.decision({ choice: "once" })))) === "taken";
  },
  "a longer window than was signed": async () => {
    const house = await asked("DATABASE_URL");
    return (await house.send(house.phone.signed(house.decision({ windowMs: 60_000 })))) === "taken";
  },
  "a secret that was unticked": async () => {
    const house = await asked(BOTH);
    return (await house.send(house.phone.signed(house.decision({ items: [0] })))) === "taken";
  },
  "a signature made to sign in": async () => {
    const house = await asked("DATABASE_URL");
    return (await house.send(house.phone.signed({ ...house.decision(), decision: "sign-in" }))) === "taken";
  },
  "a signature made to sign in, said to be a yes": async () => {
    const house = await asked("DATABASE_URL");
    const yes = house.decision();
    const signed = house.phone.signed({ ...yes, decision: "sign-in" });
    return (await house.send({ ...signed, decision: yes })) === "taken";
  },
  "a signature that is too old": async () => {
    const house = await asked("DATABASE_URL");
    const signed = house.phone.signed(house.decision());
    house.clock.advance(120_001);
    return (await house.send(signed)) === "taken";
  },
  "a signature from the future": async () => {
    const house = await asked("DATABASE_URL");
    const signed = house.phone.signed({ ...house.decision(), at: house.clock.now() + 60_000 });
    return (await house.send(signed)) === "taken";
  },
  "the signature of a phone that is not enrolled": async () => {
    const house = await asked("DATABASE_URL");
    const stranger = createAuthenticator({ origin: ORIGIN });
    return servedBy(house, stranger.signed(house.decision()));
  },
  "the signature of a phone that was removed in between": async () => {
    const house = await asked("DATABASE_URL");
    const signed = house.phone.signed(house.decision());
    house.kept.delete(house.phone.credentialId);
    return servedBy(house, signed);
  },
  "a stranger's key in the name of one who is enrolled": async () => {
    const house = await asked("DATABASE_URL");
    const stranger = createAuthenticator({ origin: ORIGIN });
    const signed = stranger.signed(house.decision());
    return servedBy(house, { ...signed, approver: house.phone.credentialId });
  },
  "the window of an approver who was removed": async () => {
    const house = await asked("DATABASE_URL");
    await house.sign();
    await settle();
    house.kept.delete(house.phone.credentialId);
    return (await codeOf(house.get("DATABASE_URL"))) === "done";
  },
  "the link, after somebody was enrolled while it waited": async () => {
    const house = await asked("DATABASE_URL", { isEnrolled: false });
    enrol(house);
    return servedBy(house, "link");
  },
  "a window opened by the link before anybody was enrolled": async () => {
    const house = await asked("DATABASE_URL", { isEnrolled: false });
    await house.send("link");
    await settle();
    enrol(house);
    return (await codeOf(house.get("DATABASE_URL"))) === "done";
  },
  "a yes while the clock is set back": async () => {
    const house = await asked("DATABASE_URL");
    const signed = house.phone.signed(house.decision());
    house.journal.before = () => {
      house.clock.setWall(house.clock.now() - 5_000);
      return Promise.resolve();
    };
    return (await house.send(signed)) === "taken";
  },
} satisfies Record<string, () => Promise<boolean>>;

/** A house with one call that waits for a person. */
async function asked(
  names: string | string[],
  options: Parameters<typeof startSigningHouse>[0] = {},
): Promise<SigningHouse & { readonly call: Call<unknown> }> {
  const house = startSigningHouse(options);
  const call = house.get(names, { holdMs: 400_000 });
  await settle();
  return { ...house, call };
}

/** Whether the call that waits got its value by this proof. */
async function servedBy(house: SigningHouse & { readonly call: Call<unknown> }, proof: Proof): Promise<boolean> {
  const revision = house.card().revision;
  await house.send(proof, { revision });
  await settle();
  house.clock.advance(400_000);
  return (await codeOf(house.call)) === "done";
}
