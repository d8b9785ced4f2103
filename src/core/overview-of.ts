import { type Grant, isLive } from "./grant.ts";
import type { Grants } from "./grants.ts";
import type { Overview, WindowLine } from "./overview.ts";
import { labelOf, placeOf } from "./request.ts";
import type { Tickets } from "./tickets.ts";
import { visible } from "./text.ts";

/** What waits and what is open at one desk. */
export function overviewOf(tickets: Tickets, grants: Grants, version: number): Overview {
  return {
    waiting: tickets.waiting().map((ticket) => ticket.line()),
    windows: grants.serving.map(lineOf).toSorted((a, b) => (a.until ?? Infinity) - (b.until ?? Infinity)),
    version,
    kept: tickets.kept,
  };
}

function lineOf({ approval, request, warrant, window, pickup, held, leftOut }: Grant): WindowLine {
  const open = isLive(window?.span) ? window : undefined;
  const end = open?.span ?? (held ? pickup : undefined);
  const items = request.items.filter(({ handle }) => (open ? open.refs.has(handle.ref) : !leftOut.has(handle.ref)));
  return {
    approval,
    vault: request.vault,
    scope: open?.scope ?? "secret",
    names: items.map(({ handle }) => visible(labelOf(handle))),
    client: request.requester.claims.client,
    folder: placeOf(request.requester),
    since: warrant.at,
    ...(!open && { isOnce: true }),
    ...(end && { until: end.endsAt }),
    ...(warrant.by !== undefined && { by: warrant.by }),
  };
}
