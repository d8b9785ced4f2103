import type { Clock } from "../core/clock.ts";
import { VaultError } from "../core/errors.ts";
import type { Notes } from "../core/ports.ts";
import { type Approver, type Approvers, challengeOf, isFresh, type Signed } from "../core/proof.ts";
import { notProven } from "../core/vouch.ts";
import { checkAssertion, isDecision } from "./assertion.ts";
import { type Enrolled, parseRecord, recordOf } from "./record.ts";
import { newSpent } from "./spent.ts";

/** The approvers of a user, and how they become more and fewer. Who may do that is for the caller to know. */
export interface ApproverStore extends Approvers {
  /** Everything that is kept of those enrolled, oldest first. Throws `approvers_unavailable`. */
  readonly all: () => readonly Enrolled[];
  /** Durable when it returns. False when that passkey is enrolled already. Throws `approvers_unavailable`. */
  readonly add: (approver: Enrolled) => boolean;
  /**
   * Durable when it returns. With the one who signed for it, only where that one stays enrolled, or is the last and goes
   * by its own signature. False when that is not so, or nobody is enrolled under that id. Throws `approvers_unavailable`.
   */
  readonly remove: (id: string, by?: string) => boolean;
}

interface StoreOptions {
  /** The notes that hold the approvers and nothing else. */
  readonly notes: Notes;
  readonly clock: Pick<Clock, "now">;
  /** Told at the first look. */
  readonly first?: (now: readonly Enrolled[]) => void;
  /** Told at the next look when others are enrolled than at the one before. */
  readonly changed?: (now: readonly Approver[], before: readonly Approver[]) => void;
}

const MOST_TRIES = 5;

/**
 * The approvers of this user: public keys in the notes of the state folder, shared by all processes. A record that is not
 * understood makes everybody unknown: taking it for nobody would let the bare link approve.
 */
export function openApprovers({ notes, clock, first, changed }: StoreOptions): ApproverStore {
  const spent = newSpent(clock);
  let seen: readonly Enrolled[] | undefined;

  const one = (id: string): { enrolled: Enrolled; record: unknown } => {
    const record = reachable(() => notes.get(id));
    if (record === undefined) throw notProven("whose passkey signed it is not an approver, or no longer");
    return { enrolled: understood(id, record), record };
  };

  /** Whether a passkey counts on: a copy of it would come with a number that was there before. */
  const counted = async ({ approver, decision, response }: Signed): Promise<Enrolled> => {
    const challenge = challengeOf(decision);
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const { enrolled, record } = one(approver);
      const past = enrolled.last === challenge ? enrolled.counter - 1 : enrolled.counter;
      const counter = await checkAssertion(enrolled, decision, response, Math.max(0, past));
      if (counter <= enrolled.counter) return enrolled;
      const after = { ...enrolled, counter, last: challenge };
      if (reachable(() => notes.swap(approver, record, recordOf(after)))) return after;
    }
    throw unavailable("what is kept of an approver changes too fast");
  };

  return {
    all: () => {
      const records = reachable(() => notes.all());
      const all = [...records].map(([id, record]) => understood(id, record)).sort((a, b) => a.addedAt - b.addedAt);
      const before = seen;
      seen = all;
      if (!before) first?.(all);
      if (changed && before && keysOf(before) !== keysOf(all)) changed(all, before);
      return all;
    },
    accept: async (signed) => {
      const { decision } = signed;
      if (!isDecision(decision)) throw notProven("what was signed is no decision");
      const [first = ""] = decision.hashes;
      if (!isFresh(decision, decision.decision, first, clock.now())) throw notProven("it was signed too long ago");
      const approver = await counted(signed);
      if (!spent.spend(signed)) throw notProven("its signature was used already");
      return approver;
    },
    recheck: async ({ approver, decision, response }) => {
      const { enrolled } = one(approver);
      await checkAssertion(enrolled, decision, response, 0);
      return enrolled;
    },
    add: (approver) => reachable(() => notes.add(approver.id, recordOf(approver))),
    remove: (id, by) =>
      reachable(() => notes.deleteIf(id, (all) => by === undefined || (all.has(by) && (by !== id || all.size === 1)))),
  };
}

function understood(id: string, record: unknown): Enrolled {
  const enrolled = parseRecord(id, record);
  if (enrolled) return enrolled;
  throw unavailable("the record of an approver is damaged, or of a newer agent-vault");
}

function reachable<T>(look: () => T): T {
  try {
    return look();
  } catch (error) {
    if (error instanceof VaultError) throw unavailable(`who may approve is not known: ${error.message}`, error);
    throw error;
  }
}

function unavailable(message: string, cause?: unknown): VaultError {
  return new VaultError("approvers_unavailable", message, {
    hint: "nothing is handed over until it can be read; tell the user to run: agent-vault approvers",
    cause,
  });
}

/** Equal while the same keys are enrolled under the same names. */
function keysOf(enrolled: readonly Enrolled[]): string {
  return JSON.stringify(enrolled.map(({ id, name, publicKey }) => [id, name, publicKey]));
}
