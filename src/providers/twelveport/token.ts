import * as z from "zod";
import { VaultError } from "../../core/errors.ts";

/** What a token says of itself, where it is a JWT. Nothing of it is verified: the server does that. */
export interface TokenFacts {
  /** Epoch ms. */
  readonly expiresAt?: number;
  /** Whom it stands for. */
  readonly subject?: string;
}

const CLAIMS = z.object({
  // In seconds; a day beyond cannot be written down.
  exp: z.number().positive().max(8.64e12).optional().catch(undefined),
  sub: z.string().min(1).max(200).optional().catch(undefined),
});

/** A token as it is sent. Throws `provider_auth` where a text cannot be one; the text itself is never repeated. */
export function tokenOf(text: string): string {
  const token = text.trim();
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  const why = token === "" ? "it is blank" : 'no spaces in it, and no "Bearer" before it';
  throw new VaultError("provider_auth", `what is set as token is not a token: ${why}`, {
    hint: "tell the user to put the API token that 12Port showed where the vault's token points to",
  });
}

/** Looks into a token; empty when it is not a JWT. */
export function tokenFacts(token: string): TokenFacts {
  const [, claims, signature, ...more] = token.split(".");
  if (claims === undefined || signature === undefined || more.length > 0) return {};
  const { exp, sub } = CLAIMS.catch({}).parse(decoded(claims));
  return {
    ...(exp !== undefined && { expiresAt: Math.round(exp * 1_000) }),
    ...(sub !== undefined && { subject: sub }),
  };
}

function decoded(part: string): unknown {
  try {
    return JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
  } catch {
    // Not a JWT; the parser's own error would quote the token.
    return undefined;
  }
}
