import type { Clock } from "../core/clock.ts";
import { challengeOf, FRESH_MS, type Signed } from "../core/proof.ts";

/**
 * Which signatures were used, for as long as they are fresh enough to be accepted. One over several requests counts once
 * for each of them, any other once. What was signed is remembered and not the signature: of one signature of this kind others can be made.
 */
export function newSpent(clock: Pick<Clock, "now">): {
  /** False when there is no use of it left. */
  readonly spend: (signed: Signed) => boolean;
} {
  const uses = new Map<string, { readonly at: number; count: number }>();
  return {
    spend: ({ approver, decision }) => {
      for (const [key, { at }] of uses) if (clock.now() - at > 2 * FRESH_MS) uses.delete(key);
      const key = `${approver} ${challengeOf(decision)}`;
      const use = uses.get(key) ?? { at: decision.at, count: 0 };
      const most = decision.decision === "approve" ? decision.hashes.length : 1;
      if (use.count >= most) return false;
      use.count += 1;
      uses.set(key, use);
      return true;
    },
  };
}
