import * as z from "zod";
import { digestOf } from "../core/canonical.ts";
import { VaultError } from "../core/errors.ts";
import { CREDENTIAL_ID } from "../core/proof.ts";
import type { Enrolled } from "./record.ts";

/** What a browser needs to create a passkey: the JSON form of WebAuthn, for `startRegistration`. */
export interface CreationOptions {
  readonly challenge: string;
  /** The rest is for the browser alone. */
  readonly [more: string]: unknown;
}

const ES256 = -7;
const EDDSA = -8;
const RS256 = -257;
const ALGORITHMS = [ES256, EDDSA, RS256];

const text = (most: number): z.ZodString =>
  z
    .string()
    .max(most)
    .regex(/^[\w-]*$/);

/** What a browser gives back for a new passkey, as far as it is looked at: the `RegistrationResponseJSON` of WebAuthn. */
const ATTESTATION = z.object({
  id: z.string().regex(CREDENTIAL_ID),
  rawId: z.string().regex(CREDENTIAL_ID),
  type: z.literal("public-key"),
  response: z.object({
    clientDataJSON: text(8_000),
    attestationObject: text(40_000),
    transports: z.array(z.string().max(40)).max(20).optional().catch(undefined),
  }),
});

/** What a new passkey is to be made for. Those enrolled already are left out: one device counts once. */
export async function creationOptions(
  name: string,
  rpId: string,
  enrolled: readonly Enrolled[],
  timeoutMs: number,
): Promise<CreationOptions> {
  const { generateRegistrationOptions } = await import("@simplewebauthn/server");
  const options = await generateRegistrationOptions({
    rpName: "agent-vault",
    rpID: rpId,
    userName: name,
    userDisplayName: name,
    timeout: timeoutMs,
    attestationType: "none",
    // Found by the page's name alone: no page ever has to say which passkeys there are.
    authenticatorSelection: { residentKey: "required", userVerification: "required" },
    supportedAlgorithmIDs: ALGORITHMS,
    excludeCredentials: enrolled.filter((each) => each.rpId === rpId).map(({ id }) => ({ id })),
  });
  return { ...options };
}

/** What is known of a passkey that was just made. Rejects with `not_proven`. */
export async function checkAttestation(
  { name, origin, rpId, challenge }: { name: string; origin: string; rpId: string; challenge: string },
  response: unknown,
  addedAt: number,
): Promise<Enrolled> {
  const parsed = ATTESTATION.safeParse(response);
  if (!parsed.success) throw notMade();
  const { transports, ...rest } = parsed.data.response;
  const { verifyRegistrationResponse } = await import("@simplewebauthn/server");
  let made: Awaited<ReturnType<typeof verifyRegistrationResponse>>;
  try {
    made = await verifyRegistrationResponse({
      response: { ...parsed.data, response: rest, clientExtensionResults: {} },
      expectedChallenge: challenge,
      expectedOrigin: origin,
      expectedRPID: rpId,
      requireUserVerification: true,
      supportedAlgorithmIDs: ALGORITHMS,
    });
  } catch {
    // What the library says of it names challenges and origins.
    throw notMade();
  }
  if (!made.verified || !made.registrationInfo.userVerified) throw notMade();
  const { credential, credentialBackedUp } = made.registrationInfo;
  // What is kept is what the authenticator says; so far it was looked at what came beside it.
  if (credential.id !== parsed.data.id) throw notMade();
  return {
    id: credential.id,
    name,
    origin,
    rpId,
    publicKey: Buffer.from(credential.publicKey).toString("base64url"),
    counter: credential.counter,
    transports: transports ?? [],
    addedAt,
    backedUp: credentialBackedUp,
  };
}

/** The six digits that show that the passkey was made by the device a person holds, and no other. */
export function codeOf(token: string, challenge: string, { id, publicKey }: Enrolled): string {
  const digest = Buffer.from(digestOf("pairing", [token, challenge, id, publicKey]), "base64url");
  // 48 bits, so that no code is noticeably more likely than another.
  return String(digest.readUIntBE(0, 6) % 1_000_000).padStart(6, "0");
}

function notMade(): VaultError {
  return new VaultError(
    "not_proven",
    "what the device brought is no new passkey for this page, unlocked by its owner",
    {
      hint: "try again on the device",
    },
  );
}
