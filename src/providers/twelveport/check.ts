import type { Clock } from "../../core/clock.ts";
import { VaultError } from "../../core/errors.ts";
import { glimpse, quoted } from "../../core/text.ts";
import { faultOf } from "../http-faults.ts";
import type { Api } from "./api.ts";
import type { Discovery } from "./discovery.ts";
import type { Ledger } from "./ledger.ts";
import { findOperation, operationLine } from "./operations.ts";
import { OPERATIONS, type TwelvePortOptions } from "./options.ts";
import type { TokenFacts } from "./token.ts";

/** What a check looks at. */
export interface Checked {
  readonly options: TwelvePortOptions;
  readonly origin: string;
  readonly token: TokenFacts;
  readonly discovery: Discovery;
  readonly api: Api;
  readonly actions: (signal: AbortSignal) => Promise<readonly string[]>;
  readonly ledger: Ledger;
  readonly label: (asset: string) => string;
  readonly clock: Clock;
}

const SOON_MS = 14 * 86_400_000;

/** How the vault stands: reached, the token accepted, what its document offers, what waits there. Reads no secret. */
export async function checkLines(checked: Checked, signal: AbortSignal): Promise<readonly string[]> {
  const { options, origin, discovery, api, actions } = checked;
  const spec = await discovery.refresh(signal);
  const lines = OPERATIONS.map((name) => {
    try {
      return operationLine(name, findOperation(spec, name, options.operations));
    } catch (error) {
      // Without these two nothing works; the others are missed only when they are needed.
      if (name === "search" || name === "credentials" || !(error instanceof VaultError)) throw error;
      return `operation ${name}: not found; ${error.message}; ${error.hint ?? ""}`;
    }
  });
  const others = spec.operations.length - OPERATIONS.length;
  const found = await searchLine(api, signal);
  return [
    `12Port at ${new URL(origin).host}, tenant ${quoted(options.tenant)}: ${found}`,
    ...lines,
    ...(others > 0 ? [`the document lists ${spec.operations.length} operations in all`] : []),
    `request actions: ${(await actions(signal)).join(", ")}`,
    ...tokenLines(checked),
    ...pendingLines(checked),
  ];
}

/** Also tells whether the token is accepted. */
async function searchLine(api: Api, signal: AbortSignal): Promise<string> {
  try {
    const { size, total } = await api.search("", 0, signal);
    return size === 0
      ? "reached, and an empty search finds nothing"
      : `reached, with ${total ?? `${size} or more`} assets to be found`;
  } catch (error) {
    if (faultOf(error)?.kind !== "error") throw error;
    return "reached; it does not answer a search for everything, so only names in assets are listed";
  }
}

function tokenLines({ token, clock }: Checked): string[] {
  if (token.expiresAt === undefined) return [];
  const leftMs = token.expiresAt - clock.now();
  const day = new Date(token.expiresAt).toISOString().slice(0, 10);
  return [
    leftMs <= 0
      ? `the token says that it expired on ${day}`
      : `the token expires on ${day}${leftMs < SOON_MS ? ": soon, have a new one made" : ""}`,
  ];
}

function pendingLines({ ledger, label, clock }: Checked): string[] {
  const pending = ledger.all().filter(({ until, state }) => until > clock.now() && state !== "rejected");
  return pending.map(({ asset, state, request, until }) => {
    const which = request === undefined ? "a request" : `request ${glimpse(request, 40)}`;
    const stands = state === "open" ? "is approved" : "is with its approvers or on the way there";
    return `${which} for asset ${glimpse(label(asset), 80)} ${stands}, until ${new Date(until).toISOString().slice(0, 16)}Z`;
  });
}
