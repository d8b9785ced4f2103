import { randomBytes } from "node:crypto";

/** The secret part of a link: 128 random bits, 22 characters. */
export function newToken(): string {
  return randomBytes(16).toString("base64url");
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
