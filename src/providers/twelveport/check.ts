import type { Clock } from "../../core/clock.ts";
import { VaultError } from "../../core/errors.ts";
import { glimpse, quoted } from "../../core/text.ts";
import { faultOf } from "../http-faults.ts";
import type { Api } from "./api.ts";
import type { Connection } from "./connect.ts";
import type { Noted } from "./ledger.ts";
import { findOperation, operationLine } from "./operations.ts";
import { type OperationName, OPERATIONS, type TwelvePortOptions } from "./options.ts";
import { isUuid } from "./replies.ts";
import type { Spec } from "./spec.ts";
import { timeText } from "./verdicts.ts";
import { numbered } from "./waits.ts";

/** What a check looks at. */
export interface Checked extends Connection {
  readonly options: TwelvePortOptions;
  readonly clock: Clock;
  readonly warn: (line: string) => void;
}

const SOON_MS = 14 * 86_400_000;

/**
 * How the vault stands: reached, the token accepted, what its document offers, what waits there. Reads no secret. What
 * a person should see to is a warning instead of a line.
 */
export async function checkLines(checked: Checked, signal: AbortSignal): Promise<readonly string[]> {
  const { options, origin, discovery, api, actions } = checked;
  const spec = await discovery.refresh(signal);
  const operations = OPERATIONS.flatMap((name) => operationLines(name, spec, checked));
  const others = spec.operations.length - OPERATIONS.length;
  const found = await searchLine(api, signal);
  return [
    `12Port at ${new URL(origin).host}, tenant ${quoted(options.tenant)}: ${found}`,
    ...operations,
    ...(others > 0 ? [`the document lists ${spec.operations.length} operations in all`] : []),
    `request actions: ${(await actions(signal)).join(", ")}`,
    ...tokenLines(checked),
    ...(await requestLines(checked, signal)),
  ];
}

/** What does not work for want of an operation; without the two others nothing does. */
const WITHOUT: Readonly<Partial<Record<OperationName, string>>> = {
  createRequest: "no approval can be asked for",
  requestStatus: "no approval can be waited for",
  completeRequest: "what was approved cannot be closed early",
};

function operationLines(name: OperationName, spec: Spec, { options, warn }: Checked): string[] {
  try {
    return [operationLine(name, findOperation(spec, name, options.operations))];
  } catch (error) {
    const lack = WITHOUT[name];
    if (lack === undefined || !(error instanceof VaultError)) throw error;
    warn(`operation ${name}: not found, so ${lack}; ${error.message}; ${error.hint ?? ""}`);
    return [];
  }
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

function tokenLines({ token: { expiresAt }, clock, warn }: Checked): string[] {
  if (expiresAt === undefined) return [];
  const leftMs = expiresAt - clock.now();
  const day = new Date(expiresAt).toISOString().slice(0, 10);
  if (leftMs >= SOON_MS) return [`the token expires on ${day}`];
  warn(
    leftMs <= 0
      ? `the token says that it expired on ${day}: have a new one made in 12Port`
      : `the token expires on ${day}: have a new one made in 12Port before that`,
  );
  return [];
}

async function requestLines({ ledger, assets, clock }: Checked, signal: AbortSignal): Promise<string[]> {
  const noted = ledger.all().filter(({ until }) => until > clock.now());
  // The name of an id stands in the list alone. Without a list the id will do.
  if (noted.some(({ asset }) => assets.label(asset) === asset)) await assets.list(signal).catch(() => {});
  return noted.map((each) => requestLine(each, assets.label(each.asset)));
}

function requestLine({ asset, state, request, until }: Noted, label: string): string {
  const which = request === undefined ? "a request" : numbered(request);
  const name = label === asset && isUuid(asset) ? `asset ${asset}, name unknown` : glimpse(label, 80);
  return `${which} for ${name} ${STANDS[state]} ${timeText(until)}`;
}

const UNDER_WAY = "is with 12Port's approvers or on the way there, until";
const STANDS: Readonly<Record<Noted["state"], string>> = {
  submitting: UNDER_WAY,
  unsure: UNDER_WAY,
  submitted: UNDER_WAY,
  waiting: UNDER_WAY,
  open: "is approved, until",
  rejected: "was turned down; that counts until",
  blocked: "is blocked by 12Port; it is not tried again before",
};
