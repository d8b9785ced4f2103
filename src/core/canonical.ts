import { createHash } from "node:crypto";

/** What can be written down in exactly one way. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json | undefined };

/**
 * The canonical form of RFC 8785: no white space, members in the order of their UTF-16 code units, numbers and texts as
 * ECMAScript writes them. Members that are undefined are left out. Throws `RangeError` for what has no such form: lone
 * surrogates and numbers that are not finite.
 */
export function canonical(value: Json): string {
  if (typeof value === "string") {
    if (/\p{Surrogate}/u.test(value)) throw new RangeError("a lone surrogate has no canonical form");
    return JSON.stringify(value);
  }
  if (typeof value === "number" && !Number.isFinite(value))
    throw new RangeError("only finite numbers have a canonical form");
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (isList(value)) return `[${value.map(canonical).join(",")}]`;
  const members = Object.entries(value).flatMap(([name, member]) =>
    member === undefined ? [] : [[name, member] as const],
  );
  members.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${canonical(name)}:${canonical(member)}`).join(",")}}`;
}

/** SHA-256 of the canonical form, base64url. `purpose` keeps what is signed for one end from meaning anything for another. */
export function digestOf(purpose: string, value: Json): string {
  return createHash("sha256")
    .update(`agent-vault/v1/${purpose}\n${canonical(value)}`)
    .digest("base64url");
}

function isList(value: object): value is readonly Json[] {
  return Array.isArray(value);
}
