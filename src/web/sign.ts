import type { PublicKeyCredentialRequestOptionsJSON } from "@simplewebauthn/browser";
import type { Card, Front } from "../core/card.ts";
import { VaultError } from "../core/errors.ts";
import type { Approvers, Decision } from "../core/proof.ts";
import { saidIn } from "./answer-form.ts";
import { draftOut } from "./draft.ts";
import { requestOptions, signersOn } from "./passkey.ts";

/** What /passkey.js is answered when it asks for what is to be signed; see there. */
export type Signing =
  | { readonly status: 200; readonly body: { options: PublicKeyCredentialRequestOptionsJSON; decision: Decision } }
  | { readonly status: 400 | 403 | 404 | 409 | 503; readonly body: { say: string; to?: string } };

/** A form of our own, with the card it is about and the revision it showed. */
export interface SealedForm {
  readonly card: Card;
  readonly token: string;
  readonly revision: number;
  readonly body: unknown;
}

/** What a passkey on a page of `origin` has to sign for what this form says, made now; or why there is nothing to sign. */
export async function signingFor(
  { card, token, revision, body }: SealedForm,
  origin: string,
  { front, approvers }: { readonly front: Front; readonly approvers: Approvers },
): Promise<Signing> {
  const path = `/approve/${token}`;
  const said = saidIn(body, card, revision);
  if (card.revision !== revision) return stale(`${path}?changed`);
  if (said?.is === "nothing") return { status: 400, body: { say: "Tick at least one, or deny." } };
  if (said?.is !== "approve" || card.offer.proof !== "passkey") return stale(`${path}?changed`);
  try {
    const all = approvers.all();
    if (signersOn(origin, all).length === 0) return stale(path);
    const decision = await front.decision(token, said.approval);
    if (decision) return { status: 200, body: { options: requestOptions(decision, all, origin), decision } };
    const why = card.standing.is === "waiting" ? "changed" : "late";
    return stale(`${path}?${[why, ...draftOut(said.approval)].join("&")}`);
  } catch (error) {
    if (!(error instanceof VaultError) || error.code !== "approvers_unavailable") throw error;
    return { status: 503, body: { say: "Whose passkeys count cannot be read on that computer just now." } };
  }
}

/** The same refusals as the pages make, for a script. */
export const UNSIGNED = {
  forged: { status: 403, body: { say: "This page is out of date. Open the link again." } },
  notFound: { status: 404, body: { say: "No request waits here any more." } },
} satisfies Readonly<Record<string, Signing>>;

function stale(to: string): Signing {
  return { status: 409, body: { say: "The request is no longer as this page shows it.", to } };
}
