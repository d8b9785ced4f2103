import { digestOf, type Json } from "./canonical.ts";

/** What an enrolled passkey is asked to sign for. */
export type Purpose = "approve" | "add-approver" | "remove-approver" | "sign-in";

/** What a passkey signs: that its owner wants all of this, at this time. The challenge is `challengeOf` it. */
export interface Decision {
  readonly v: 1;
  readonly decision: Purpose;
  /** When the challenge was made, epoch ms; it counts for `FRESH_MS` from then on. */
  readonly at: number;
  /** Digests of what is decided, in the order shown: statements of requests, or the one change of the approvers. */
  readonly hashes: readonly string[];
}

/** How long a person has for the signature, ms. */
export const FRESH_MS = 120_000;
/** How far a clock may be set back between the challenge and the answer, ms. */
const AHEAD_MS = 2_000;

/** What the id of a credential looks like, base64url: no longer than what the notes take as a key. */
export const CREDENTIAL_ID = /^[\w-]{1,1024}$/;

/** A decision with the signature of an approver's passkey. */
export interface Signed {
  /** Id of the credential, base64url. */
  readonly approver: string;
  readonly decision: Decision;
  /** What the browser gave back: the `AuthenticationResponseJSON` of WebAuthn. Not looked into by the core. */
  readonly response: unknown;
}

/** How a person's answer was proven. */
export type Proof = "link" | Signed;

/** One whose passkey may decide. Only public things are kept of it. */
export interface Approver {
  /** Id of the credential, base64url. */
  readonly id: string;
  /** What people call it: "Maria's phone". Visible and bounded. */
  readonly name: string;
  /** Where its passkey can sign: the origin of the page it was paired on, without a path. */
  readonly origin: string;
  /** Epoch ms. */
  readonly addedAt: number;
}

/** Those whose passkeys count, and what their signatures are worth. */
export interface Approvers {
  /** Those enrolled at this moment. Throws `approvers_unavailable` when that cannot be known: any doubt is no. */
  readonly all: () => readonly Approver[];
  /**
   * Resolves to the approver when the signature is theirs, over exactly this decision, with user verification, from the
   * origin they were paired on, and not one seen before. Rejects with `not_proven`.
   */
  readonly accept: (signed: Signed) => Promise<Approver>;
  /** Whether a signature that was accepted once still is one, of an approver who still counts. Rejects with `not_proven`. */
  readonly recheck: (signed: Signed) => Promise<Approver>;
}

/** The bytes a passkey signs for a decision, base64url. */
export function challengeOf({ v, decision, at, hashes }: Decision): string {
  return digestOf("decision", { v, decision, at, hashes });
}

/** Whether a decision was made for this, of this very thing, a moment ago. */
export function isFresh(decision: Decision, purpose: Purpose, hash: string, now: number): boolean {
  const { v, at, hashes } = decision;
  if (v !== 1 || decision.decision !== purpose || !hashes.includes(hash)) return false;
  return Number.isInteger(at) && now - at <= FRESH_MS && at - now <= AHEAD_MS;
}

/** A change of who may approve, as the passkey of one who stays signs it. */
export function changeHash(change: { readonly [name: string]: Json }): string {
  return digestOf("approvers", change);
}

/** Whether an approver's passkey can sign on a page: that of its pairing, and on this computer at whatever port it has. */
export function signsOn({ origin }: Pick<Approver, "origin">, page: string): boolean {
  return page === origin || (isOnLocalhost(page) && isOnLocalhost(origin));
}

function isOnLocalhost(origin: string): boolean {
  return /^http:\/\/localhost(?::\d{1,5})?$/.test(origin);
}

/** How a proof is called in the log. */
export function proofName(proof: Proof): "link" | "passkey" {
  return proof === "link" ? "link" : "passkey";
}
