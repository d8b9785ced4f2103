import { createHash } from "node:crypto";
import type { Event } from "../core/event.ts";
import { type Approver, changeHash } from "../core/proof.ts";
import { quoted, visible } from "../core/text.ts";
import type { Enrolled } from "./record.ts";

/** One change of who may approve. */
export interface Change {
  readonly kind: "add" | "remove";
  readonly approver: Enrolled;
  /** Random bits of this change alone, so that no signature fits any other. */
  readonly nonce: string;
}

/** What the passkey of an approver signs for a change. */
export function hashOfChange({ kind, approver, nonce }: Change): string {
  const { id, name, origin, rpId, publicKey } = approver;
  return changeHash({ v: 1, change: kind, nonce, id, name, origin, rpId, publicKey });
}

/** What the log says of a change. `by` is who signed for it; absent where the first one is enrolled. */
export function eventOf(change: Change, at: number, by?: Approver): Event {
  const { kind, approver } = change;
  return {
    kind: kind === "add" ? "approver_added" : "approver_removed",
    at,
    approver: inLog(approver),
    names: [visible(approver.name)],
    refs: [keyRef(approver)],
    statement: hashOfChange(change),
    ...(by && { proof: "passkey" }),
    detail: `${by ? `signed by ${inLog(by)}` : "the first one: nobody could sign for it"}; paired on ${approver.origin}`,
  };
}

/** What the log says that the store does not, or the other way round. */
export interface Oddity {
  readonly approver: Pick<Approver, "id" | "name">;
  readonly text: string;
}

/**
 * Compares those enrolled with what the log says of them, newest event first: whoever came, went or got another key past
 * this program. `events` holds every `approver_added` and `approver_removed` there is.
 */
export function oddities(enrolled: readonly Enrolled[], events: readonly Event[]): readonly Oddity[] {
  const latest = new Map<string, Event>();
  for (const event of events) {
    const id = / \(([\w-]+)\)$/.exec(event.approver ?? "")?.[1];
    if (id !== undefined && !latest.has(id)) latest.set(id, event);
  }
  const odd = enrolled.flatMap((approver): Oddity[] => {
    const last = latest.get(approver.id);
    latest.delete(approver.id);
    const name = quoted(approver.name);
    if (last?.kind !== "approver_added") {
      return [{ approver, text: `${name} may approve, and the audit log does not say since when` }];
    }
    if (last.refs?.[0] === keyRef(approver)) return [];
    return [{ approver, text: `the key of ${name} is not the one that was paired, or is used on another page` }];
  });
  const vanished = [...latest].flatMap(([id, { kind, names: [name = id] = [] }]): Oddity[] =>
    kind === "approver_added"
      ? [
          {
            approver: { id, name },
            text: `${quoted(name)} was paired and may no longer approve, and the audit log does not say since when`,
          },
        ]
      : [],
  );
  return [...odd, ...vanished];
}

/** How an approver is called in the log: what people call it, and the id of its credential. */
function inLog({ name, id }: Approver): string {
  return `${visible(name)} (${id})`;
}

/** Stands for a key and the page it signs on: whoever swaps either of them in the store gives it another one. */
function keyRef({ publicKey, origin, rpId }: Enrolled): string {
  const digest = createHash("sha256").update(JSON.stringify([publicKey, origin, rpId]));
  return `key:${digest.digest("base64url").slice(0, 22)}`;
}
