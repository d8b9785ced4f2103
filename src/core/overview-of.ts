import type { Grants } from "./grants.ts";
import type { Overview } from "./overview.ts";
import { labelOf, placeOf } from "./request.ts";
import type { Ticket } from "./ticket.ts";
import { visible } from "./text.ts";

/** What waits and what is open at one desk. */
export function overviewOf(waiting: readonly Ticket[], grants: Grants, version: number): Overview {
  const windows = grants.windows.map(({ grant, window }) => {
    const { approval, request, warrant } = grant;
    return {
      approval,
      vault: request.vault,
      scope: window.scope,
      names: request.items
        .filter(({ handle }) => window.refs.has(handle.ref))
        .map(({ handle }) => visible(labelOf(handle))),
      client: request.requester.claims.client,
      folder: placeOf(request.requester),
      since: warrant.at,
      until: window.span.endsAt,
      ...(warrant.by !== undefined && { by: warrant.by }),
    };
  });
  return {
    waiting: waiting.map((ticket) => ticket.line()),
    windows: windows.toSorted((a, b) => a.until - b.until),
    version,
  };
}
