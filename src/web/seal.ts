import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";

/** Proves that a form came from a page this very process rendered for this very request, and which revision it showed. */
export interface Seal {
  readonly of: (token: string, revision: number) => string;
  /** The revision that the page showed; undefined when the seal is not ours. */
  readonly revisionIn: (token: string, given: string) => number | undefined;
}

/** A seal under a random key that lives and dies with the process. */
export function createSeal(): Seal {
  const key = randomBytes(32);
  const digest = (text: string): Buffer => createHmac("sha256", key).update(text).digest();
  const of = (token: string, revision: number): string =>
    `${revision}-${digest(`form ${token} ${revision}`).toString("base64url")}`;
  return {
    of,
    revisionIn: (token, given) => {
      const revision = Number(/^(\d{1,9})-/.exec(given)?.[1] ?? 0);
      // Both sides are hashed once more, so that the comparison has equal lengths and takes the same time for any input.
      return timingSafeEqual(digest(of(token, revision)), digest(given)) ? revision : undefined;
    },
  };
}
