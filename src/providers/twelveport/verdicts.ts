import { VaultError } from "../../core/errors.ts";
import { quoted } from "../../core/text.ts";
import type { Obstacle } from "./ledger.ts";
import { numbered } from "./waits.ts";

/** The vault's people said no. `until`: when they may be asked again, epoch ms. */
export function turnedDown(label: string, until: number, request: string | undefined): VaultError {
  const which = request === undefined ? "" : ` (${numbered(request)})`;
  return new VaultError(
    "upstream_denied",
    `the approvers of 12Port turned down access to asset ${quoted(label)}${which}`,
    {
      hint: `ask the user what to do instead; 12Port is not asked again before ${timeText(until)}`,
    },
  );
}

const OBSTACLES: Readonly<Record<Obstacle, (asset: string) => readonly [message: string, hint: string]>> = {
  MFA: (asset) => [
    `12Port wants a second factor for asset ${asset}, which no program can give`,
    "tell the user to get it in 12Port, or to have its administrator exempt the user of the token",
  ],
  Restricted: (asset) => [
    `12Port does not let this token's user read asset ${asset}, whoever approves`,
    "tell the user to ask the administrator of 12Port about the workflow form that restricts it",
  ],
  withheld: (asset) => [
    `12Port says that access to asset ${asset} is open, and yet does not give it`,
    "tell the user to ask the administrator of 12Port to look at the request",
  ],
};

/** No approval helps. `until`: when it is tried again, epoch ms. */
export function blocked(label: string, obstacle: Obstacle, until: number): VaultError {
  const [message, hint] = OBSTACLES[obstacle](quoted(label));
  return new VaultError("upstream_blocked", message, {
    hint: `${hint}; it is not tried again before ${timeText(until)}`,
  });
}

/** Waited for as long as the configuration says; the request itself goes on. */
export function nobodyAnswered(label: string, until: number): VaultError {
  return new VaultError("expired", `the approvers of 12Port have not answered yet about asset ${quoted(label)}`, {
    hint: `the request stays open there until ${timeText(until)}: call again when they have approved it`,
  });
}

/** The time that was requested is over before anybody answered. */
export function notInTime(label: string): VaultError {
  return new VaultError(
    "expired",
    `the approvers of 12Port did not answer about asset ${quoted(label)} within the requested time`,
    {
      hint: "call again to request access once more; requestMinutes of the vault says for how long",
    },
  );
}

/** A read was refused: the vault's people have to be asked, or to answer. */
export function approvalWanted(label: string): VaultError {
  return new VaultError("upstream_required", `asset ${quoted(label)} needs the approval of 12Port's own people`, {
    hint: "call again: they will be asked",
  });
}

/** A request was taken and is nowhere to be seen, nor is access open. */
export function notInQueue(label: string): VaultError {
  return new VaultError(
    "upstream_required",
    `12Port took the request for asset ${quoted(label)} and does not show it yet`,
    {
      hint: "call again in a minute; if it stays, tell the user to see requestActions in the documentation of 12Port vaults",
    },
  );
}

/** A moment, to the minute. */
export function timeText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
