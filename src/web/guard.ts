import type { IncomingMessage } from "node:http";
import type { NextFunction, Request, Response } from "express";

/** Goes out with every answer, errors included. */
export const HEADERS: Readonly<Record<string, string>> = {
  "Content-Security-Policy":
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; " +
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  "X-Frame-Options": "DENY",
  "X-Content-Type-Options": "nosniff",
  "X-Robots-Tag": "noindex, nofollow",
  "Cache-Control": "no-store",
  // Not no-referrer: under that policy browsers send `Origin: null` with our own forms, and null is refused.
  "Referrer-Policy": "same-origin",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
};

/** The one Host of a request in origin form; undefined when there is none, several, or an absolute target. */
export function hostOf(request: IncomingMessage): string | undefined {
  const hosts = request.headersDistinct["host"] ?? [];
  return hosts.length === 1 && request.url?.startsWith("/") ? hosts[0] : undefined;
}

/**
 * Whether a POST was sent by a form on our own page, as far as a browser vouches for it: the exact origin, the browser's
 * own word that it is the same one, and the type only a form has. Whatever is absent counts as wrong.
 */
function fromOurPage(request: IncomingMessage, origin: string): boolean {
  const only = (name: string): string | undefined => {
    const values = request.headersDistinct[name] ?? [];
    return values.length === 1 ? values[0] : undefined;
  };
  if (only("origin") !== origin) return false;
  if (only("sec-fetch-site") !== "same-origin") return false;
  return /^application\/x-www-form-urlencoded(?:\s*;\s*charset=utf-8)?$/i.test(only("content-type") ?? "");
}

/** Lets only POSTs of our own page through. It stands before everything else: who is refused learns nothing more. */
export function oursOnly(
  originOf: (request: IncomingMessage) => string | undefined,
  refuse: (response: Response, request: Request) => void,
): (request: Request, response: Response, next: NextFunction) => void {
  return (request, response, next) => {
    const origin = originOf(request);
    if (origin === undefined || !fromOurPage(request, origin)) refuse(response, request);
    else next();
  };
}
