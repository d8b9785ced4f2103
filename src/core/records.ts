import type { Event } from "./event.ts";
import { type AccessRequest, labelOf } from "./request.ts";
import { visible } from "./text.ts";

/** The part that every event about a request shares. */
export function aboutRequest(request: AccessRequest): Omit<Event, "kind" | "at"> {
  return {
    session: request.session,
    request: request.id,
    vault: request.vault,
    provider: request.provider,
    action: request.action,
    names: request.items.map(({ handle }) => visible(labelOf(handle))),
    refs: request.items.map(({ handle }) => handle.ref),
    reason: request.reason,
    requester: request.requester,
  };
}
