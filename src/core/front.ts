import type { Front, OwnFront } from "./card.ts";
import type { Desk } from "./desk.ts";

/** The desk of this process alone, as the person's side sees it. */
export function frontOf(desk: Desk, pairing: Front["pairing"] = () => Promise.resolve(undefined)): OwnFront {
  return {
    card: (token) => Promise.resolve(desk.card(token)),
    decision: (token, approval) => Promise.resolve(desk.decision(token, approval)),
    statement: (token, approval) => Promise.resolve(desk.statement(token, approval)),
    answer: (token, answer, by) => desk.answer(token, answer, by),
    revoke: (token) => Promise.resolve(desk.revoke(token)),
    changed: (token, version, signal) => desk.changed(token, version, signal),
    overview: () => Promise.resolve(desk.overview()),
    overviewChanged: (version, signal) => desk.overviewChanged(version, signal),
    endApproval: (approval) => Promise.resolve(desk.opened.revokeApproval(approval)),
    pairing,
  };
}
