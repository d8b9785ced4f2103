import { isDeepStrictEqual } from "node:util";
import type { Approval, Card, CardItem } from "../core/card.ts";
import type { Statement } from "../core/statement.ts";
import { visible } from "../core/text.ts";

/**
 * Whether a yes to this card permits what the statement says, or less: whoever signs its digest has seen what it is. What
 * the card shows and what is to be signed both come from a session, which may say what it likes.
 */
export function isAsShown(statement: Statement, card: Card, approval: Approval): boolean {
  const { offer, items } = card;
  const { items: ticked, choice, windowMs } = approval;
  const asked = items.flatMap((item, at) => (item.openUntil === undefined ? [at] : []));
  const chosen = asked.filter((at) => ticked?.includes(at) ?? true);
  const hasWindow = choice === "window" && offer.windowMs > 0 && card.action === "read";
  const lengthMs = hasWindow ? (windowMs ?? offer.windowMs) : 0;
  const isWhole = hasWindow && chosen.length === asked.length;
  const mayOpenAll = isWhole && offer.scope === "vault";
  return (
    isDeepStrictEqual(aboutOf(statement), aboutOf(card)) &&
    statement.windowMs === lengthMs &&
    lengthMs <= offer.windowMs &&
    statement.uses === (hasWindow ? 0 : 1) &&
    (statement.scope === "secret" || mayOpenAll) &&
    statement.secrets.length > 0 &&
    areAmong(
      statement.secrets,
      chosen.flatMap((at) => items[at] ?? []),
    ) &&
    areAmong(
      statement.open,
      items.filter(({ openUntil }) => openUntil !== undefined),
    )
  );
}

type About = Pick<Card, "vault" | "provider" | "action" | "reason" | "requester" | "configuration" | "expiresAt">;

function aboutOf({ vault, provider, action, reason, requester, configuration, expiresAt }: About): About {
  return { vault, provider, action, reason, requester, configuration, expiresAt };
}

/** Whether all of these are shown, in this order. */
function areAmong(secrets: Statement["secrets"], shown: readonly CardItem[]): boolean {
  const rest = shown.values();
  return secrets.every((secret) => {
    for (const item of rest) if (isDeepStrictEqual(labelsOf(secret), shownOf(item))) return true;
    return false;
  });
}

function labelsOf({ name, title, field, effect }: Statement["secrets"][number]): unknown {
  const seen = (text: string | undefined) => (text === undefined ? undefined : visible(text));
  return [seen(name), seen(title), seen(field), effect];
}

function shownOf({ name, title, field, write }: CardItem): unknown {
  return [name, title, field, write?.effect];
}
