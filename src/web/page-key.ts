import type { IncomingMessage } from "node:http";

/** A request, as far as it can show whose it is. */
export type Brought = Pick<IncomingMessage, "headers"> & { readonly body?: unknown };

/** The header that brings it along where no form does; /live.js knows the name too. */
const HEADER = "agent-vault-page";
const KEY = /^[\w-]{43}$/;

/**
 * What a request shows besides its cookie: the key that the pages of this origin keep in the browser. Cookies of this
 * computer go to each of its ports, whoever listens there; what a page keeps for itself does not. Empty on https, whose
 * cookies are its own; undefined where it is missing.
 */
export function pageKeyIn({ headers, body }: Brought, origin: string): string | undefined {
  if (origin.startsWith("https:")) return "";
  const inForm: unknown = typeof body === "object" && body !== null && "key" in body ? body.key : undefined;
  const given = headers[HEADER] ?? inForm;
  return typeof given === "string" && KEY.test(given) ? given : undefined;
}
