import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";

/** Proves that a form came from a page this very process rendered for this very request. */
export interface Seal {
  readonly of: (token: string) => string;
  readonly fits: (token: string, given: string) => boolean;
}

/** A seal under a random key that lives and dies with the process. */
export function createSeal(): Seal {
  const key = randomBytes(32);
  const digest = (text: string): Buffer => createHmac("sha256", key).update(text).digest();
  const of = (token: string): string => digest(`form ${token}`).toString("base64url");
  return {
    of,
    // Both sides are hashed once more, so that the comparison has equal lengths and takes the same time for any input.
    fits: (token, given) => timingSafeEqual(digest(of(token)), digest(given)),
  };
}
