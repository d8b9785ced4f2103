import type { PublicKeyCredentialRequestOptionsJSON } from "@simplewebauthn/browser";
import * as z from "zod";
import {
  type Approver,
  challengeOf,
  CREDENTIAL_ID,
  type Decision,
  FRESH_MS,
  type Signed,
  signsOn,
} from "../core/proof.ts";

/** How long the browser keeps asking, ms: what is signed later would count no more when it arrives. */
const ASKING_MS = FRESH_MS - 10_000;
/** How many requests one decision can be about. */
const MOST_HASHES = 100;

/** Those whose passkeys can sign on a page of this origin. */
export function signersOn(origin: string, approvers: readonly Approver[]): readonly Approver[] {
  return approvers.filter((approver) => signsOn(approver, origin));
}

/**
 * What a browser on a page of `origin` needs to have a decision signed: the JSON form of WebAuthn, for
 * `startAuthentication`. Only passkeys paired on that origin are asked for.
 */
export function requestOptions(
  decision: Decision,
  approvers: readonly Approver[],
  origin: string,
): PublicKeyCredentialRequestOptionsJSON {
  return {
    challenge: challengeOf(decision),
    rpId: new URL(origin).hostname,
    allowCredentials: signersOn(origin, approvers).map(({ id }) => ({ id, type: "public-key" })),
    userVerification: "required",
    timeout: ASKING_MS,
  };
}

const SignedField = z.strictObject({
  decision: z.strictObject({
    v: z.literal(1),
    decision: z.enum(["approve", "add-approver", "remove-approver", "sign-in"]),
    at: z.int().nonnegative(),
    hashes: z
      .array(z.string().regex(/^[\w-]{20,64}$/))
      .min(1)
      .max(MOST_HASHES),
  }),
  response: z.looseObject({ id: z.string().regex(CREDENTIAL_ID) }),
});

/** What /passkey.js puts into the form field `signed`; undefined where that is nothing of the kind. */
export function signedIn(field: unknown): Signed | undefined {
  const { success, data } = SignedField.safeParse(jsonIn(field));
  return success ? { approver: data.response.id, decision: data.decision, response: data.response } : undefined;
}

const WithPage = z.looseObject({ response: z.looseObject({ clientDataJSON: z.string() }) });
const Page = z.looseObject({ origin: z.string() });

/**
 * The page on which something was signed, as the browser says it; undefined where it says nothing of the kind. A passkey
 * of this machine signs on any of its ports, and whoever serves another one may hand our challenge on beside a lie: what
 * comes to a page of ours has to be signed on that very page.
 */
export function pageOf(response: unknown): string | undefined {
  const encoded = WithPage.safeParse(response).data?.response.clientDataJSON ?? "";
  return Page.safeParse(jsonIn(Buffer.from(encoded, "base64url").toString())).data?.origin;
}

/** The JSON in a form field; undefined where there is none. */
export function jsonIn(field: unknown): unknown {
  if (typeof field !== "string") return undefined;
  try {
    return JSON.parse(field) as unknown;
  } catch {
    return undefined;
  }
}
