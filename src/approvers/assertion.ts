import * as z from "zod";
import { challengeOf, CREDENTIAL_ID, type Decision, signsOn } from "../core/proof.ts";
import { notProven } from "../core/vouch.ts";
import type { Enrolled } from "./record.ts";

const text = (most: number): z.ZodString =>
  z
    .string()
    .max(most)
    .regex(/^[\w-]*$/);

/** What a browser gives back for a signature, as far as it is looked at: the `AuthenticationResponseJSON` of WebAuthn. */
const ASSERTION = z.object({
  id: z.string().regex(CREDENTIAL_ID),
  rawId: z.string().regex(CREDENTIAL_ID),
  type: z.literal("public-key"),
  response: z.object({
    clientDataJSON: text(8_000),
    authenticatorData: text(8_000),
    signature: text(4_000),
  }),
});

/** What other parts of the program, or other processes of it, say was signed. */
const DECISION = z.strictObject({
  v: z.literal(1),
  decision: z.enum(["approve", "add-approver", "remove-approver", "sign-in"]),
  at: z.int(),
  hashes: z
    .array(z.string().regex(/^[\w-]{20,64}$/))
    .min(1)
    .max(1_000),
});

const CLIENT_DATA = z.object({ origin: z.string(), crossOrigin: z.boolean().optional() });

/**
 * Resolves to the counter of a signature that an approver's passkey made over exactly this decision, with user
 * verification, on the page it was paired on. `counted` is what the counter has to be past; 0 accepts any. Rejects with
 * `not_proven`.
 */
export async function checkAssertion(
  { id, origin, rpId, publicKey }: Enrolled,
  decision: Decision,
  response: unknown,
  counted: number,
): Promise<number> {
  const parsed = ASSERTION.safeParse(response);
  if (!parsed.success || !isDecision(decision)) throw notProven(NO_SIGNATURE);
  if (parsed.data.id !== id) throw notProven("another passkey signed it");
  const { verifyAuthenticationResponse } = await import("@simplewebauthn/server");
  const expectedOrigin = pageOf(parsed.data.response.clientDataJSON, origin);
  let verified: Awaited<ReturnType<typeof verifyAuthenticationResponse>>;
  try {
    verified = await verifyAuthenticationResponse({
      response: { ...parsed.data, clientExtensionResults: {} },
      expectedChallenge: challengeOf(decision),
      expectedOrigin,
      expectedRPID: rpId,
      requireUserVerification: true,
      credential: { id, publicKey: Uint8Array.from(Buffer.from(publicKey, "base64url")), counter: counted },
    });
  } catch {
    // What the library says of it names challenges and origins.
    throw notProven(NOT_SIGNED);
  }
  if (!verified.verified || !verified.authenticationInfo.userVerified) throw notProven(NOT_SIGNED);
  return verified.authenticationInfo.newCounter;
}

/** Whether it is a decision at all, and so one that has a challenge. */
export function isDecision(decision: unknown): boolean {
  return DECISION.safeParse(decision).success;
}

const NO_SIGNATURE = "what came with it is no signature of a passkey";
const NOT_SIGNED = "it is not signed by this approver's passkey, unlocked by its owner, over exactly this";

/** The page that asked for the signature: it has to be the one that its approver was paired on. */
function pageOf(clientDataJSON: string, paired: string): string {
  const { origin, crossOrigin } = clientData(clientDataJSON);
  if (crossOrigin === true) throw notProven("it was signed inside another page");
  if (!signsOn({ origin: paired }, origin))
    throw notProven("it was signed on another page than the approver was paired on");
  return origin;
}

function clientData(encoded: string): z.output<typeof CLIENT_DATA> {
  try {
    return CLIENT_DATA.parse(JSON.parse(Buffer.from(encoded, "base64url").toString()));
  } catch {
    throw notProven(NO_SIGNATURE);
  }
}
