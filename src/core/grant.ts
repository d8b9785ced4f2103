import type { Span } from "./clock.ts";
import type { VaultError } from "./errors.ts";
import type { Offer } from "./policy.ts";
import type { Proof } from "./proof.ts";
import type { AccessRequest } from "./request.ts";
import type { Statement } from "./statement.ts";
import type { TurnedDown } from "./turned-down.ts";

/** What one approval permits. Everything here dies with the process, and that is the point. */
export interface Grant {
  readonly approval: string;
  readonly request: AccessRequest;
  readonly warrant: Warrant;
  /** What of the request the person left out, by ref. */
  readonly leftOut: TurnedDown;
  /** Never over by time within reason; asked only whether the clock stepped back. */
  readonly doubt: Span;
  /** Deliveries owed to the calls that were attached when the person said yes. */
  owed: number;
  /** The one stretch in which an identical call may come for a use that nobody has had; begins when there first is one. */
  pickup: Span | undefined;
  /** Whether there is such a use. */
  held: boolean;
  /** The open window over what the person was asked for. */
  readonly window: OpenWindow | undefined;
  /** Deliveries on their way: a revocation still reaches them. */
  flights: number;
  ended: (() => VaultError) | undefined;
  /** Whether its window's end has been told. */
  told: boolean;
  stop: () => void;
  /** To be called when deliveries on their way may have lost their permission. */
  readonly listeners: Set<() => void>;
}

/** Why a grant is one: what was permitted, how that is proven, and by whom. Checked again at each use. */
export interface Warrant {
  readonly statement: Statement;
  readonly proof: Proof;
  /** When it was opened, epoch ms. */
  readonly at: number;
  /** Name of the approver who signed it. */
  readonly by?: string;
}

export interface OpenWindow {
  readonly scope: Offer["scope"];
  readonly span: Span;
  readonly refs: ReadonlySet<string>;
}

export function isLive(span: Span | undefined): boolean {
  return span !== undefined && span.over() === undefined;
}

/** Whether it can serve a call, or is just doing so. */
export function isServing(grant: Grant): boolean {
  return hasUses(grant) || isLive(grant.window?.span);
}

/** Whether it is for this secret: its window covers it, or a use of it is left or on its way. */
export function isFor(grant: Grant, ref: string): boolean {
  const { window, request } = grant;
  if (window && isLive(window.span) && (window.scope === "vault" || window.refs.has(ref))) return true;
  return hasUses(grant) && request.items.some((item) => item.handle.ref === ref);
}

function hasUses({ owed, flights, held, pickup }: Grant): boolean {
  return owed > 0 || flights > 0 || (held && isLive(pickup));
}

/** The approvals that several grants rest on: their ids, with commas. */
export function approvalsOf(grants: ReadonlySet<Grant>): string {
  return [...grants].map(({ approval }) => approval).join(",");
}

/** The nearest end of their windows, epoch ms. */
export function endOf(grants: ReadonlySet<Grant>): number {
  return Math.min(...[...grants].map(({ window }) => window?.span.endsAt ?? Number.POSITIVE_INFINITY));
}
