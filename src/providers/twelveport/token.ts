import * as z from "zod";

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
