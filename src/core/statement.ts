import { digestOf } from "./canonical.ts";
import type { AccessRequest, Item } from "./request.ts";

/** What one approval permits, complete: the canonical form of this is what a passkey signs. */
export interface Statement {
  readonly v: 1;
  readonly request: string;
  /** 128 random bits of this request alone, so that no signature fits any other. */
  readonly nonce: string;
  readonly session: string;
  readonly vault: string;
  readonly provider: string;
  readonly action: AccessRequest["action"];
  readonly secrets: readonly StatedSecret[];
  /** Covered by a window that is open already: used along with the others this time, and kept open no longer. */
  readonly open: readonly StatedSecret[];
  /** What an open window covers. */
  readonly scope: "secret" | "vault";
  /** 1: one use for each call that waits, or for the next; 0: as many as the window allows. */
  readonly uses: 0 | 1;
  /** 0: no window. */
  readonly windowMs: number;
  /** After that no answer counts, epoch ms. */
  readonly expiresAt: number;
  readonly reason: string;
  readonly requester: AccessRequest["requester"];
  /** Digest of the configuration the process works by. */
  readonly configuration: string;
}

/** One secret as it is signed for. */
interface StatedSecret {
  readonly name: string;
  readonly ref: string;
  readonly title?: string;
  readonly field?: string;
  readonly version?: string;
  readonly effect?: "create" | "replace";
  /** Keyed fingerprint of the value to be written. */
  readonly commitment?: string;
}

/** What a person chose to permit of a request: perhaps less than was asked for, never more. */
export interface Chosen {
  readonly items: readonly Item[];
  /** What an open window covers already. */
  readonly open: readonly Item[];
  readonly scope: "secret" | "vault";
  /** 0: just this once. */
  readonly windowMs: number;
}

/** What is known of a request besides itself. */
export interface Occasion {
  readonly nonce: string;
  readonly expiresAt: number;
  readonly configuration: string;
}

export function statementOf(request: AccessRequest, chosen: Chosen, occasion: Occasion): Statement {
  const { id, session, vault, provider, action, reason, requester } = request;
  const { items, open, scope, windowMs } = chosen;
  return {
    v: 1,
    request: id,
    session,
    vault,
    provider,
    action,
    secrets: items.map(stated),
    open: open.map(stated),
    scope,
    uses: windowMs === 0 ? 1 : 0,
    windowMs,
    reason,
    requester,
    ...occasion,
  };
}

/** What stands in the list that is signed. Throws `RangeError` where a text has no canonical form. */
export function hashOf(statement: Statement): string {
  const { requester, ...rest } = statement;
  const { claims, facts } = requester;
  return digestOf("statement", {
    ...rest,
    secrets: rest.secrets.map((secret) => ({ ...secret })),
    open: rest.open.map((secret) => ({ ...secret })),
    requester: { claims: { ...claims }, facts: { ...facts } },
  });
}

/**
 * Whether a statement permits this item of a request: for the one use that was asked for, exactly as it was stated; under
 * its window, by which secret it is.
 */
export function permits(statement: Statement, request: AccessRequest, item: Item, basis: "asked" | "window"): boolean {
  const { session, vault, provider, action, scope, windowMs, secrets, open } = statement;
  if (session !== request.session || vault !== request.vault) return false;
  if (provider !== request.provider || action !== request.action) return false;
  const wanted = stated(item);
  if (basis === "asked") return [...secrets, ...open].some((secret) => isSame(secret, wanted));
  if (windowMs <= 0 || action !== "read") return false;
  return scope === "vault" || secrets.some(({ ref }) => ref === wanted.ref);
}

/** How one item of a request is signed for. */
export function stated({ handle, write }: Item): StatedSecret {
  const { name, ref, title, field, version } = handle;
  return {
    name,
    ref,
    ...(title !== undefined && { title }),
    ...(field !== undefined && { field }),
    ...(version !== undefined && { version }),
    ...(write && { effect: write.plan.effect, commitment: write.commitment }),
  };
}

/** Both are made by `stated`, so their parts come in one order. */
function isSame(one: StatedSecret, other: StatedSecret): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
