import { VaultError } from "../../core/errors.ts";
import { glimpse, quoted } from "../../core/text.ts";

/** The vault's people said no. `until`: when they may be asked again, epoch ms; undefined: with the next call. */
export function turnedDown(label: string, until: number | undefined, request: string | undefined): VaultError {
  const which = request === undefined ? "" : ` (request ${glimpse(request, 40)})`;
  return new VaultError(
    "upstream_denied",
    `the approvers of 12Port turned down access to asset ${quoted(label)}${which}`,
    {
      hint:
        until === undefined
          ? "ask the user what to do instead; another call requests access once more"
          : `ask the user what to do instead; 12Port is not asked again before ${timeText(until)}`,
    },
  );
}

/** No approval can help. */
export function blocked(label: string, state: "Restricted" | "MFA"): VaultError {
  return state === "MFA"
    ? new VaultError(
        "upstream_blocked",
        `12Port wants a second factor for asset ${quoted(label)}, which no program can give`,
        {
          hint: "ask the user to get it in 12Port, or have its administrator exempt the user of the token",
        },
      )
    : new VaultError(
        "upstream_blocked",
        `12Port never permits the user of the token asset ${quoted(label)} from here`,
        {
          hint: "ask the administrator of 12Port about the workflow form that restricts it",
        },
      );
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

/** A read was refused although 12Port calls the request open. */
export function stillRestricted(label: string): VaultError {
  return new VaultError(
    "upstream_blocked",
    `12Port says that access to asset ${quoted(label)} is open, and yet does not give it`,
    {
      hint: "ask the administrator of 12Port to look at the request; call again later to request access once more",
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
      hint: "call again in a minute; if it stays, see requestActions in the documentation of 12Port vaults",
    },
  );
}

function timeText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
