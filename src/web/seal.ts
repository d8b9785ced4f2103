import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";

/** Proves that a form came from a page rendered under our key for this very request, and which revision it showed. */
export interface Seal {
  readonly of: (token: string, revision: number) => string;
  /** The revision that the page showed; undefined when the seal is not ours. */
  readonly revisionIn: (token: string, given: string) => number | undefined;
}

const KEY_BYTES = 32;

/**
 * A seal under a key of at least 32 bytes, base64url; under a random one that lives and dies with the process where none
 * is given. Throws `RangeError` for a key that is too short.
 */
export function createSeal(given?: string): Seal {
  const key = given === undefined ? randomBytes(KEY_BYTES) : Buffer.from(given, "base64url");
  if (key.length < KEY_BYTES) throw new RangeError(`a key of ${key.length} bytes is too short for a seal`);
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
