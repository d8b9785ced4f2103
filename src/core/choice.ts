import { digestOf } from "./canonical.ts";
import type { Approval } from "./card.ts";
import type { Offer } from "./policy.ts";
import { type AccessRequest, isEveryField, type Item } from "./request.ts";
import { type Chosen, stated } from "./statement.ts";

/** What is put before a person: a request, the part of it that they are asked for, and what a yes may open. */
export interface Asked {
  readonly request: AccessRequest;
  readonly offer: Offer;
  readonly asked: readonly Item[];
}

/** What a yes permits: what was asked for, or less. Undefined when it would be more than that, or nothing at all. */
export function chosenOf({ request, offer, asked }: Asked, approval: Approval): Chosen | undefined {
  const { choice, items: ticked, windowMs } = approval;
  if (ticked?.some((at) => request.items[at] === undefined)) return undefined;
  const items = ticked === undefined ? asked : tickedOf(asked, (item) => ticked.includes(request.items.indexOf(item)));
  if (items.length === 0) return undefined;
  const open = request.items.filter((item) => !asked.includes(item));
  const hasWindow = offer.windowMs > 0 && request.action === "read";
  if (choice === "once" || !hasWindow) {
    return windowMs === undefined ? { items, open, scope: "secret", windowMs: 0 } : undefined;
  }
  const length = windowMs ?? offer.windowMs;
  if (!Number.isInteger(length) || length < 1 || length > offer.windowMs) return undefined;
  // Who leaves out a secret does not mean the whole vault.
  const scope = items.length === asked.length ? offer.scope : "secret";
  return { items, open, scope, windowMs: length };
}

/** A secret that is asked for under two names is left out as soon as one of them is unticked: any doubt is no. */
function tickedOf(asked: readonly Item[], isTicked: (item: Item) => boolean): readonly Item[] {
  const out = new Set(asked.filter((item) => !isTicked(item)).map(({ handle }) => handle.ref));
  return asked.filter(({ handle }) => !out.has(handle.ref));
}

/**
 * Equal for requests of other sessions that one answer can be for: the same secrets, shown the same and in the same
 * order, since an answer speaks of them by position. Absent for a write, which is for its own value alone.
 */
export function twinOf({ request, offer, asked }: Asked, configuration: string): string | undefined {
  const { vault, provider, action, items, fields } = request;
  if (action !== "read" || asked.length !== items.length) return undefined;
  const { scope, windowMs, proof = "link" } = offer;
  const secrets = items.map((item) => ({ ...stated(item), checked: item.handle.checked }));
  return digestOf("twin", [vault, provider, isEveryField(fields), scope, windowMs, proof, configuration, secrets]);
}
