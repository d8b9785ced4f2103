import type { PublicKeyCredentialRequestOptionsJSON } from "@simplewebauthn/server";
import * as z from "zod";
import type { Clock } from "../core/clock.ts";
import { challengeOf, type Decision, FRESH_MS, isFresh, type Purpose, type Signed, signsOn } from "../core/proof.ts";
import { notProven } from "../core/vouch.ts";
import { type Change, hashOfChange } from "./changes.ts";
import type { Enrolled } from "./record.ts";
import type { ApproverStore } from "./store.ts";

/** A signature of one who is enrolled, for one change of who may approve. */
export interface Confirmation {
  /** What a browser on a page of this origin needs for it; undefined where nobody's passkey can sign there. */
  readonly begin: (origin: string) => PublicKeyCredentialRequestOptionsJSON | undefined;
  /** Rejects with `not_proven`, or `approvers_unavailable`. */
  readonly finish: (response: unknown) => Promise<{ readonly by: Enrolled; readonly signed: Signed }>;
}

/** How many challenges are out at a time: the page is open on several devices, and some ask more than once. */
const MOST_OUT = 8;
const RESPONSE = z.object({ id: z.string(), response: z.object({ clientDataJSON: z.string().max(8_000) }) });
const CLIENT_DATA = z.object({ challenge: z.string() });

export function newConfirmation({
  change,
  store,
  clock,
  signers,
}: {
  readonly change: Change;
  readonly store: ApproverStore;
  readonly clock: Clock;
  /** Whose signature counts for it. Throws `approvers_unavailable`. */
  readonly signers: () => readonly Enrolled[];
}): Confirmation {
  const purpose: Purpose = change.kind === "add" ? "add-approver" : "remove-approver";
  const hash = hashOfChange(change);
  const out = new Map<string, Decision>();
  return {
    begin: (origin) => {
      const able = signers().filter((approver) => signsOn(approver, origin));
      if (able.length === 0) return undefined;
      const decision: Decision = { v: 1, decision: purpose, at: clock.now(), hashes: [hash] };
      const challenge = challengeOf(decision);
      out.set(challenge, decision);
      for (const oldest of [...out.keys()].slice(0, -MOST_OUT)) out.delete(oldest);
      return {
        challenge,
        rpId: new URL(origin).hostname,
        allowCredentials: able.map(({ id }) => ({ id, type: "public-key" })),
        userVerification: "required",
        timeout: FRESH_MS - 10_000,
      };
    },
    finish: async (response) => {
      const challenge = challengeIn(response);
      const decision = challenge === undefined ? undefined : out.get(challenge);
      if (challenge === undefined || !decision || !isFresh(decision, purpose, hash, clock.now())) {
        throw notProven("what was signed is not this change, or was signed too long ago");
      }
      const { id } = RESPONSE.parse(response);
      if (!signers().some((approver) => approver.id === id)) throw notProven("it has to be signed by another approver");
      const signed = { approver: id, decision, response };
      await store.accept(signed);
      out.delete(challenge);
      const by = store.all().find((approver) => approver.id === id);
      if (!by) throw notProven("whose passkey signed it is not an approver any more");
      return { by, signed };
    },
  };
}

function challengeIn(response: unknown): string | undefined {
  const parsed = RESPONSE.safeParse(response);
  if (!parsed.success) return undefined;
  try {
    const said: unknown = JSON.parse(Buffer.from(parsed.data.response.clientDataJSON, "base64url").toString());
    return CLIENT_DATA.safeParse(said).data?.challenge;
  } catch {
    return undefined;
  }
}
