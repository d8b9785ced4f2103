import { digestOf } from "../core/canonical.ts";
import type { Card } from "../core/card.ts";
import type { Session } from "./session.ts";

/** A request with its card, of the session that has it. */
export interface Shown {
  readonly session: Session;
  readonly token: string;
  readonly card: Card;
}

/** A revision of several cards at once is never one that a single card comes to. */
const FIRST_MERGED = 100_000_000;
const MERGED = 900_000_000;

/** Whether both cards show the same: a session only says that its request is the twin of another, so it is looked at. */
export function areAlike(a: Card, b: Card): boolean {
  return faceOf(a) === faceOf(b);
}

function faceOf({ vault, provider, action, items, everyField, offer, configuration, standing }: Card): string {
  const things = items.map(({ name, title, field, checked, openUntil, write }) => [
    name,
    title ?? null,
    field ?? null,
    checked,
    openUntil ?? null,
    write === undefined,
  ]);
  const { windowMs, scope, proof } = offer;
  const opens = [windowMs, scope, proof ?? null];
  return JSON.stringify([vault, provider, action, things, everyField, opens, configuration, standing.is]);
}

/** One card for all of them: the first that was asked, and who else waits for the same. */
export function mergedCard(shown: readonly [Shown, ...Shown[]], version: number): Card {
  const [first, ...others] = shown;
  const cards = shown.map(({ card }) => card);
  return {
    ...first.card,
    alsoAsking: others.map(({ card: { reason, requester } }) => ({ reason, requester })),
    attached: cards.reduce((sum, { attached }) => sum + attached, 0),
    // An answer for all of them has to come before the first of them is over.
    expiresAt: Math.min(...cards.map(({ expiresAt }) => expiresAt)),
    version,
    revision: mergedRevision(shown),
  };
}

/**
 * Another one whenever a twin joins, leaves or changes, on whichever host: it is made from what it stands for, so nobody
 * approves for one they did not see.
 */
export function mergedRevision(shown: readonly Shown[]): number {
  const parts = shown.map(({ token, card }) => [token, card.revision]);
  const digest = Buffer.from(digestOf("merged", parts), "base64url");
  return FIRST_MERGED + (digest.readUIntBE(0, 6) % MERGED);
}

/** Gives each state of a merged card its version, greater than every one before. */
export function versionsFrom(since: number): (shown: readonly Shown[]) => number {
  const known = new Map<string, { readonly of: string; readonly version: number }>();
  let last = since;
  return (shown) => {
    const [key = ""] = shown.map(({ token }) => token);
    const of = shown.map(({ token, card }) => `${token}:${card.version}`).join();
    const before = known.get(key);
    if (before?.of === of) return before.version;
    const version = ++last;
    known.delete(key);
    known.set(key, { of, version });
    if (known.size > MOST_KNOWN) known.delete(known.keys().next().value ?? "");
    return version;
  };
}

const MOST_KNOWN = 1_000;
