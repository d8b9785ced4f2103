import * as z from "zod";
import { CODES, type Code, VaultError } from "../core/errors.ts";
import { CREDENTIAL_ID } from "../core/proof.ts";
import { MOST_KEPT, MOST_LINES } from "./report.ts";

// What travels between the sessions of a user, checked on both sides. Strict: what one side does not know is no message
// for it, and the version of the protocol says so before.

const text = z.string().max(8_192);
const id = z.string().min(1).max(256);
const time = z.number().int().nonnegative();
const count = z.number().int().nonnegative();
const action = z.enum(["read", "write"]);

/** The secret part of a link, or what it is made of. */
export const token = z.string().regex(/^[A-Za-z0-9_-]{16,128}$/);

const requester = z.strictObject({
  claims: z.strictObject({
    client: text,
    roots: z.array(text).max(100).readonly().exactOptional(),
    folder: text.exactOptional(),
    process: text.exactOptional(),
  }),
  facts: z.strictObject({
    user: text,
    host: text,
    folder: text.exactOptional(),
    process: text.exactOptional(),
  }),
});

const standing = z.discriminatedUnion("is", [
  z.strictObject({ is: z.literal("waiting") }),
  z.strictObject({
    is: z.literal("approved"),
    at: time,
    until: time.exactOptional(),
    ended: z.enum(["revoked", "over"]).exactOptional(),
    leftOut: z.array(count).max(1_000).readonly().exactOptional(),
    by: text.exactOptional(),
  }),
  z.strictObject({ is: z.literal("denied"), at: time }),
  z.strictObject({ is: z.literal("returned"), at: time, note: text, byAnyone: z.literal(true).exactOptional() }),
  z.strictObject({ is: z.literal("expired"), at: time }),
  z.strictObject({ is: z.literal("withdrawn"), at: time }),
  z.strictObject({ is: z.literal("cancelled"), at: time }),
]);

const item = z.strictObject({
  name: text,
  title: text.exactOptional(),
  field: text.exactOptional(),
  checked: z.boolean(),
  openUntil: time.exactOptional(),
  write: z
    .strictObject({
      effect: z.enum(["create", "replace"]),
      preview: z.strictObject({ length: count, head: text.exactOptional(), tail: text.exactOptional() }),
    })
    .exactOptional(),
});

export const card = z.strictObject({
  vault: text,
  provider: text,
  action,
  items: z.array(item).max(1_000).readonly(),
  everyField: z.boolean(),
  reason: text,
  requester,
  alsoAsking: z
    .array(z.strictObject({ reason: text, requester }))
    .max(1_000)
    .readonly()
    .exactOptional(),
  offer: z.strictObject({
    windowMs: count,
    scope: z.enum(["secret", "vault"]),
    proof: z.literal("passkey").exactOptional(),
  }),
  configuration: text,
  standing,
  upstream: z.strictObject({ text, since: time }).exactOptional(),
  failure: z.strictObject({ text, byVault: z.literal(true).exactOptional() }).exactOptional(),
  attached: count,
  approvedBefore: count,
  expiresAt: time,
  pickupMs: count,
  version: count,
  revision: count,
});

export const approval = z.strictObject({
  verdict: z.literal("approve"),
  choice: z.enum(["window", "once"]),
  revision: count,
  items: z.array(count).max(1_000).readonly().exactOptional(),
  windowMs: z.number().exactOptional(),
});

export const answer = z.discriminatedUnion("verdict", [
  approval,
  z.strictObject({ verdict: z.literal("deny") }),
  z.strictObject({ verdict: z.literal("again"), note: text }),
]);

const decision = z.strictObject({
  v: z.literal(1),
  decision: z.enum(["approve", "add-approver", "remove-approver", "sign-in"]),
  at: time,
  hashes: z.array(id).max(1_000).readonly(),
});

const stated = z.array(
  z.strictObject({
    name: text,
    ref: text,
    title: text.exactOptional(),
    field: text.exactOptional(),
    version: text.exactOptional(),
    effect: z.enum(["create", "replace"]).exactOptional(),
    commitment: text.exactOptional(),
  }),
);

export const statement = z.strictObject({
  v: z.literal(1),
  request: id,
  nonce: id,
  session: id,
  vault: text,
  provider: text,
  action,
  secrets: stated.max(1_000).readonly(),
  open: stated.max(1_000).readonly(),
  scope: z.enum(["secret", "vault"]),
  uses: z.union([z.literal(0), z.literal(1)]),
  windowMs: count,
  expiresAt: time,
  reason: text,
  requester,
  configuration: text,
});

const proof = z.union([
  z.literal("link"),
  z.strictObject({ approver: z.string().regex(CREDENTIAL_ID), decision, response: z.unknown() }),
]);

export const answerBy = z.strictObject({ proof, signedIn: z.literal(true).exactOptional() });

const names = z.array(text).max(1_000).readonly();

export const overview = z.strictObject({
  waiting: z
    .array(
      z.strictObject({
        request: id,
        token: z.union([token, z.literal("")]),
        key: token.exactOptional(),
        vault: text,
        action,
        names,
        client: text,
        folder: text,
        since: time,
        expiresAt: time,
        isBehind: z.boolean(),
        twin: id.exactOptional(),
      }),
    )
    .max(MOST_LINES)
    .readonly(),
  windows: z
    .array(
      z.strictObject({
        approval: id,
        vault: text,
        scope: z.enum(["secret", "vault"]),
        names,
        client: text,
        folder: text,
        isOnce: z.literal(true).exactOptional(),
        since: time,
        until: time.exactOptional(),
        by: text.exactOptional(),
      }),
    )
    .max(MOST_LINES)
    .readonly(),
  version: count,
  kept: z.array(token).max(MOST_KEPT).readonly().exactOptional(),
});

const device = z.string().min(16).max(128);

export const pairingStep = z.discriminatedUnion("do", [
  z.strictObject({ do: z.literal("look"), device: device.exactOptional() }),
  z.strictObject({ do: z.literal("begin"), device, origin: text }),
  z.strictObject({ do: z.literal("finish"), device, origin: text, response: z.unknown() }),
]);

export const pairingView = z.strictObject({
  kind: z.enum(["add", "remove"]),
  name: text,
  stage: z.enum(["ready", "confirm", "compare", "done", "failed", "over"]),
  code: text.exactOptional(),
  isOwn: z.literal(true).exactOptional(),
  text: text.exactOptional(),
  expiresAt: time,
  options: z.unknown().optional(),
});

/** Seals the forms. */
export const formKey = z.string().regex(/^[A-Za-z0-9_-]{43,100}$/);

/** Where the page is: its addresses without the token at their end. */
export const page = z.strictObject({
  local: z
    .string()
    .regex(/^http:\/\/localhost:[1-9]\d{0,4}\/approve\/$/)
    .refine((url) => URL.canParse(url)),
  public: z
    .string()
    .max(500)
    .regex(/^https:\/\/[A-Za-z0-9.-]+(?::\d{1,5})?\/approve\/$/)
    .refine((url) => URL.canParse(url))
    .exactOptional(),
  trouble: text.exactOptional(),
  /** Whether the tunnel is up or has failed. */
  isSettled: z.boolean(),
});

/** Where the page is that a host has open. */
export type Page = z.output<typeof page>;

const failure = z.strictObject({
  code: z.custom<Code>((code) => typeof code === "string" && Object.hasOwn(CODES, code)),
  message: text,
  hint: text.exactOptional(),
});

/** One line of the wire: a call, its reply, the end of a call nobody waits for any more, or news. */
export const frame = z.union([
  z.strictObject({ do: z.string().max(40), id: count, with: z.unknown() }),
  z.strictObject({ re: count, value: z.unknown().optional() }),
  z.strictObject({ re: count, error: failure }),
  z.strictObject({ stop: count }),
  z.strictObject({ tell: z.string().max(40), with: z.unknown() }),
]);

/** How an error travels. What is not ours says only that something failed. */
export function failureOf(error: unknown): z.output<typeof failure> {
  if (!(error instanceof VaultError)) return { code: "internal", message: "a session of agent-vault failed" };
  const { code, message, hint } = error;
  return { code, message: message.slice(0, 8_192), ...(hint !== undefined && { hint: hint.slice(0, 8_192) }) };
}
