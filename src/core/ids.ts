import { randomBytes } from "node:crypto";

/** The secret part of a link: 128 random bits, 22 characters. */
export function newToken(): string {
  return randomBytes(16).toString("base64url");
}

/** An id for the log: unique enough to find things by, worth nothing to anyone who reads it. */
export function newId(): string {
  return randomBytes(9).toString("base64url");
}
