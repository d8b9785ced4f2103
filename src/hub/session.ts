import type { OwnFront } from "../core/card.ts";
import type { Overview } from "../core/overview.ts";
import type { Wire } from "./wire.ts";

/** What a page asks of the one session whose request it shows. */
export type SessionFront = Omit<OwnFront, "overview" | "overviewChanged" | "decision">;

/** One session of this user, as the host knows it: its own or one at the other end of a wire. */
export interface Session {
  readonly front: SessionFront;
  /** What waits and what is open in it, as it last said, without the keys. */
  overview: Overview;
  /** It did not answer when it was last asked: nobody waits for it for the sake of others. */
  hangs?: boolean;
  /** It said what cannot be: it is cut off. Absent for the host's own. */
  readonly cut?: () => void;
}

export const NOTHING: Overview = { waiting: [], windows: [], version: 0 };

/** For how long a page waits for a session, ms. One that hangs hides no other for longer. */
const LOOK_MS = 2_000;
/** For an answer that has to be written to its log, which may be retried for five seconds. */
const ANSWER_MS = 10_000;

/** A session at the other end of a wire. */
export function remoteFront(wire: Wire): SessionFront {
  const [look, act] = [{ withinMs: LOOK_MS }, { withinMs: ANSWER_MS }];
  return {
    card: (token) => wire.call("card", { token }, look),
    statement: (token, approval) => wire.call("statement", { token, approval }, look),
    answer: (token, answer, by) => wire.call("answer", { token, answer, by }, act),
    revoke: (token) => wire.call("revoke", { token }, act),
    changed: async (token, version, signal) => {
      // A session that has gone has changed: whoever waits looks again, and finds out.
      await wire.call("changed", { token, version }, { signal }).catch(() => undefined);
    },
    endApproval: (approval) => wire.call("endApproval", { approval }, act),
    pairing: (token, step) => wire.call("pairing", { token, step }, act),
  };
}
