import { createHash, generateKeyPairSync, type JsonWebKey, randomBytes, sign as signBytes } from "node:crypto";
import type {
  AuthenticationResponseJSON,
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
  RegistrationResponseJSON,
} from "@simplewebauthn/server";
import { openApprovers } from "../../src/approvers/store.ts";
import type { Clock } from "../../src/core/clock.ts";
import type { Notes } from "../../src/core/ports.ts";
import { type Approvers, challengeOf, type Decision, type Signed } from "../../src/core/proof.ts";
import { FakeClock } from "./fake-clock.ts";
import { fakeNotes } from "./provider-context.ts";

/** A phone with one passkey: ES256, attestation "none", no browser around it. */
export interface Authenticator {
  /** Id of the credential, base64url. */
  readonly credentialId: string;
  /** The public key as COSE, base64url. */
  readonly publicKey: string;
  /** PKCS #8, base64: what a browser's virtual authenticator takes in. */
  readonly privateKey: string;
  /** The page that the browser says it is on. */
  origin: string;
  /** Whether its owner proved to be there. */
  userVerified: boolean;
  /** 0 stays 0, as synchronised passkeys have it; anything else counts up before each signature. */
  counter: number;
  /** What the browser gives back for `startRegistration`. */
  readonly register: (
    options: Pick<PublicKeyCredentialCreationOptionsJSON, "challenge"> & { readonly rp?: { readonly id?: string } },
  ) => RegistrationResponseJSON;
  /** What the browser gives back for `startAuthentication`. */
  readonly sign: (
    options: Pick<PublicKeyCredentialRequestOptionsJSON, "challenge" | "rpId">,
  ) => AuthenticationResponseJSON;
  /** A decision as this passkey signs it. */
  readonly signed: (decision: Decision) => Signed;
}

const PRESENT = 0x01;
const VERIFIED = 0x04;
const WITH_KEY = 0x40;

/**
 * A software authenticator. `rpId` is the host name of `origin` where the options name none; `idBytes` is how long the id
 * of its credential is.
 */
export function createAuthenticator(options: {
  readonly origin: string;
  readonly userVerified?: boolean;
  readonly counter?: number;
  readonly idBytes?: number;
}): Authenticator {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const id = randomBytes(options.idBytes ?? 16);
  const cose = coseOf(publicKey.export({ format: "jwk" }));

  const said = (type: "webauthn.create" | "webauthn.get", challenge: string): Buffer =>
    Buffer.from(JSON.stringify({ type, challenge, origin: phone.origin, crossOrigin: false }));
  const data = (rpId: string | undefined, flags: number, attested: Buffer): Buffer => {
    const counter = Buffer.alloc(4);
    counter.writeUInt32BE(phone.counter);
    const all = PRESENT | (phone.userVerified ? VERIFIED : 0) | flags;
    return Buffer.concat([sha256(rpId ?? new URL(phone.origin).hostname), Buffer.of(all), counter, attested]);
  };
  const ids = { id: id.toString("base64url"), rawId: id.toString("base64url"), type: "public-key" as const };

  const phone: Authenticator = {
    credentialId: ids.id,
    publicKey: cose.toString("base64url"),
    privateKey: privateKey.export({ format: "der", type: "pkcs8" }).toString("base64"),
    origin: options.origin,
    userVerified: options.userVerified ?? true,
    counter: options.counter ?? 0,
    register: ({ challenge, rp }) => {
      const attested = Buffer.concat([Buffer.alloc(16), Buffer.of(id.length >> 8, id.length & 0xff), id, cose]);
      const attestation = Buffer.concat([
        Buffer.of(0xa3),
        text("fmt"),
        text("none"),
        text("attStmt"),
        Buffer.of(0xa0),
        text("authData"),
        bytes(data(rp?.id, WITH_KEY, attested)),
      ]);
      return {
        ...ids,
        response: {
          clientDataJSON: said("webauthn.create", challenge).toString("base64url"),
          attestationObject: attestation.toString("base64url"),
          transports: ["internal", "hybrid"],
        },
        clientExtensionResults: {},
      };
    },
    sign: ({ challenge, rpId }) => {
      if (phone.counter > 0) phone.counter += 1;
      const client = said("webauthn.get", challenge);
      const authenticatorData = data(rpId, 0, Buffer.alloc(0));
      const signature = signBytes("sha256", Buffer.concat([authenticatorData, sha256(client)]), privateKey);
      return {
        ...ids,
        response: {
          clientDataJSON: client.toString("base64url"),
          authenticatorData: authenticatorData.toString("base64url"),
          signature: signature.toString("base64url"),
        },
        clientExtensionResults: {},
      };
    },
    signed: (decision) => ({
      approver: ids.id,
      decision,
      response: phone.sign({ challenge: challengeOf(decision) }),
    }),
  };
  return phone;
}

/** What the store keeps of a passkey, under the id of its credential. */
export function recordOf(phone: Authenticator, name = "Maria's phone"): Readonly<Record<string, unknown>> {
  return {
    v: 1,
    name,
    origin: phone.origin,
    rpId: new URL(phone.origin).hostname,
    publicKey: phone.publicKey,
    counter: phone.counter,
    transports: ["internal", "hybrid"],
    addedAt: Date.UTC(2026, 10, 1),
    backedUp: false,
  };
}

/** An approver who was enrolled earlier, without any ceremony: the real approvers over notes in memory. */
export function enrolled(
  phone: Authenticator,
  name?: string,
  { notes = fakeNotes()("approvers"), clock = new FakeClock() }: { notes?: Notes; clock?: Clock } = {},
): { readonly approvers: Approvers; readonly notes: Notes; readonly record: Readonly<Record<string, unknown>> } {
  const record = recordOf(phone, name);
  notes.put(phone.credentialId, record);
  return { approvers: openApprovers({ notes, clock }), notes, record };
}

/** The public key of ES256 in CBOR: kty EC2, alg -7, crv P-256, x, y. */
function coseOf({ x = "", y = "" }: JsonWebKey): Buffer {
  const [left, right] = [Buffer.from(x, "base64url"), Buffer.from(y, "base64url")];
  const head = Buffer.of(0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01);
  return Buffer.concat([head, Buffer.of(0x21), bytes(left), Buffer.of(0x22), bytes(right)]);
}

function text(value: string): Buffer {
  return Buffer.concat([Buffer.of(0x60 + value.length), Buffer.from(value)]);
}

function bytes(value: Buffer): Buffer {
  const head =
    value.length < 256 ? Buffer.of(0x58, value.length) : Buffer.of(0x59, value.length >> 8, value.length & 0xff);
  return Buffer.concat([head, value]);
}

function sha256(value: string | Buffer): Buffer {
  return createHash("sha256").update(value).digest();
}
