import { randomBytes } from "node:crypto";
import type { PublicKeyCredentialRequestOptionsJSON } from "@simplewebauthn/browser";
import type { Clock } from "../core/clock.ts";
import { type Approver, type Approvers, type Decision, isFresh, signsOn } from "../core/proof.ts";
import { notProven } from "../core/vouch.ts";
import { pageOf, requestOptions, signedIn } from "./passkey.ts";
import type { Seal } from "./seal.ts";
import type { SignIns } from "./sign-ins.ts";

export interface CeremonyOptions {
  readonly approvers: Approvers;
  readonly signIns: Pick<SignIns, "spend">;
  readonly seal: Seal;
  readonly clock: Pick<Clock, "now">;
}

/** How a phone shows by its passkey whose it is. */
export interface Ceremony {
  /** What is to be signed on a page of this origin, and what the browser needs for it. Nothing is kept of it. */
  readonly begin: (origin: string) => {
    readonly decision: Decision;
    readonly options: PublicKeyCredentialRequestOptionsJSON;
  };
  /**
   * The approver who signed what `begin` gave out for this origin in the last two minutes, once. Rejects with
   * `not_proven`, or as `Approvers.accept` and `SignIns.spend` do.
   */
  readonly finish: (signed: unknown, origin: string) => Promise<Approver>;
}

export function createCeremony({ approvers, signIns, seal, clock }: CeremonyOptions): Ceremony {
  const about = (origin: string, at: number, nonce: string): string => `sign-in ${origin} ${at} ${nonce}`;
  return {
    begin: (origin) => {
      const [at, nonce] = [clock.now(), randomBytes(16).toString("base64url")];
      // Ours by its seal: a stranger who asks for many makes us remember none of them.
      const hashes = [seal.of(about(origin, at, nonce), 0), nonce];
      const decision: Decision = { v: 1, decision: "sign-in", at, hashes };
      // No passkey is named: whoever asks would learn which ones there are.
      return { decision, options: requestOptions(decision, [], origin) };
    },
    finish: async (field, origin) => {
      const signed = signedIn(field);
      const [digest, nonce, ...more] = signed?.decision.hashes ?? [];
      if (!signed || digest === undefined || nonce === undefined || more.length > 0)
        throw notProven("nothing was signed");
      const { decision } = signed;
      const isOurs = seal.revisionIn(about(origin, decision.at, nonce), digest) === 0;
      if (!isOurs || !isFresh(decision, "sign-in", digest, clock.now())) {
        throw notProven("what was signed is no sign-in to this page, or was signed too long ago");
      }
      const approver = await approvers.accept(signed);
      if (!signsOn(approver, origin) || pageOf(signed.response) !== origin)
        throw notProven("it was signed on another page");
      if (!signIns.spend(nonce)) throw notProven("its signature was used already");
      return approver;
    },
  };
}
