import type { Response } from "express";
import type { VaultError } from "../core/errors.ts";
import { plainPage } from "./page.ts";

/** Said to whoever cannot show that our own page sent this. */
export function forged(response: Response): void {
  const lines = [
    "This did not come from the page itself, so nothing changed.",
    "Open the link again and decide there; if that does not help, use a newer browser.",
  ];
  response.status(403).send(plainPage("Not accepted", lines));
}

export function notFound(response: Response): void {
  const lines = [
    "No request waits under this link.",
    "It may be mistyped, or the agent that asked is gone. Nothing can be approved or handed out through it.",
  ];
  response.status(404).send(plainPage("Not found", lines));
}

export function misunderstood(response: Response): void {
  response.status(400).send(plainPage("Not understood", ["That was not an answer this page offers. Nothing changed."]));
}

/** The page can be looked at, or asked otherwise. */
export function notAllowed(response: Response, allow: string): void {
  response.status(405).set("Allow", allow);
  response.send(plainPage("Not possible", ["That cannot be done here. Nothing was decided."]));
}

const STILL_WAITS = "Nothing was released. The request still waits.";

/** A yes that did not count, and why: one page for each way that can happen, with the way back. */
export const notApproved = {
  nothingTicked: (response: Response, back: string): void => {
    const lines = ["Everything was unticked, and a yes to nothing is none.", "To refuse all of it, deny it."];
    response.status(400).send(plainPage("Not approved", lines, { label: "Back to the request", href: back }));
  },
  unsigned: (response: Response, back: string): void => {
    const lines = [
      "Approving this needs a paired passkey, and the browser sent none: it needs script for that, and passkeys.",
      STILL_WAITS,
    ];
    response.status(403).send(plainPage("Not approved", lines, { label: "Back to the request", href: back }));
  },
  /** `error` is `not_proven`, `approvers_unavailable` or `audit_unavailable`. */
  because: (response: Response, back: string, error: VaultError): void => {
    const [status, why] = WHY[error.code] ?? [403, `${capital(error.message)}.`];
    response.status(status).send(plainPage("Not approved", [why, STILL_WAITS], { label: "Try again", href: back }));
  },
};

const WHY: Readonly<Record<string, readonly [number, string] | undefined>> = {
  audit_unavailable: [503, "The approval could not be written to the audit log."],
  approvers_unavailable: [503, "Whose passkeys count cannot be read on that computer just now."],
};

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
