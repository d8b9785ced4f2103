import { createHash, randomBytes } from "node:crypto";

/** 128 random bits, 22 characters. */
export function newKey(): string {
  return randomBytes(16).toString("base64url");
}

/**
 * The secret part of the link to a page, 22 characters, made from the key of that page. Whoever opens the link knows the
 * token alone; the key proves to the host of the page whose it is.
 */
export function tokenOf(key: string): string {
  return createHash("sha256").update(`agent-vault/token${key}`).digest().subarray(0, 16).toString("base64url");
}

/**
 * A source of ids for the log: unique enough to find things by, worth nothing to anyone who reads them. They count up
 * behind a random beginning, so that a log of millions of lines files each beside its neighbours.
 */
export function idSource(): () => string {
  // People type them after a command, where a dash in front would make an option of it.
  const beginning = randomBytes(6).toString("base64url").replace(/^-/, "_");
  let count = 0;
  return () => `${beginning}-${(count++).toString(36).padStart(6, "0")}`;
}
