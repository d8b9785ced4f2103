import type { Answer, Approval, Card, Front } from "../core/card.ts";
import type { Clock } from "../core/clock.ts";
import type { Decision, Proof } from "../core/proof.ts";
import type { Session } from "./session.ts";
import type { Sessions } from "./sessions.ts";
import { isSilence } from "./wire.ts";
import { areAlike, mergedCard, mergedRevision, type Shown, versionsFrom } from "./twins.ts";

export interface RouteOptions {
  readonly sessions: Sessions;
  readonly clock: Clock;
  /**
   * Resolves when what was not known at that version may have become known; with false when that need not be waited for
   * any longer.
   */
  readonly arrivals: (version: number) => Promise<boolean>;
}

/** A page that shows a request: its own card, and with it those of its twins. */
type Group = readonly [Shown, ...Shown[]];

/** The desk of all sessions as the page sees it: everything goes to the session whose request it is. */
export function routeFront({ sessions, clock, arrivals }: RouteOptions): Front {
  const versionOf = versionsFrom(clock.now());

  /** The session that has it, and its card: most tokens are known, the others everybody is asked for. */
  const find = async (token: string): Promise<Shown | undefined> => {
    const known = sessions.ownerOf(token);
    if (known) {
      const card = await known.front.card(token);
      return card && { session: known, token, card };
    }
    const found = await someone(sessions, async (session) => {
      const card = await session.front.card(token);
      return card && { session, token, card };
    });
    if (found) sessions.remember(token, found.session);
    return found;
  };

  const look = async (token: string): Promise<Shown | undefined> => {
    for (;;) {
      const before = sessions.version;
      const found = await find(token);
      // Whoever has it may still be on the way to a host that has just begun.
      if (found || !(await arrivals(before))) return found;
    }
  };

  /** What the page of this request shows: it alone, or it and its twins in the order asked. */
  const groupOf = async (token: string): Promise<Group | undefined> => {
    const mine = await look(token);
    if (!mine || mine.card.standing.is !== "waiting") return mine && [mine];
    const all = await Promise.all(
      sessions.twinsOf(token).map(async ({ session, line }): Promise<Shown | undefined> => {
        if (line.token === token) return mine;
        // One that hangs is left out: it still waits, on a card of its own.
        if (session.hangs) return undefined;
        const card = await session.front.card(line.token).catch((error: unknown) => {
          session.hangs = isSilence(error);
          return undefined;
        });
        return card && areAlike(card, mine.card) ? { session, token: line.token, card } : undefined;
      }),
    );
    const [first, ...others] = all.filter((each) => each !== undefined);
    return first && others.length > 0 ? [first, ...others] : [mine];
  };

  const shows = (group: Group, { revision }: Approval): boolean =>
    revision === (group.length === 1 ? group[0].card.revision : mergedRevision(group));

  const decision = async (token: string, approval: Approval): Promise<Decision | undefined> => {
    const group = await groupOf(token);
    if (!group || !shows(group, approval)) return undefined;
    const parts = await Promise.all(
      group.map(({ session, token, card }) => session.front.decision(token, { ...approval, revision: card.revision })),
    );
    const whole = parts.filter((part) => part !== undefined);
    const [first] = whole;
    if (!first || whole.length < parts.length) return undefined;
    return { ...first, hashes: whole.flatMap(({ hashes }) => hashes) };
  };

  const answer = async (token: string, answer: Answer, by: { readonly proof: Proof }): Promise<boolean> => {
    const group = await groupOf(token);
    if (!group || (answer.verdict === "approve" && !shows(group, answer))) return false;
    const answers = await Promise.allSettled(
      group.map(({ session, token, card }) => {
        const mine = answer.verdict === "approve" ? { ...answer, revision: card.revision } : answer;
        return session.front.answer(token, mine, by);
      }),
    );
    if (answers.some((each) => each.status === "fulfilled" && each.value)) return true;
    const failed = answers.find((each) => each.status === "rejected");
    if (failed) throw failed.reason;
    return false;
  };

  /** Resolves when another request comes to share its card, or one no longer does. */
  const regrouped = async (token: string, signal: AbortSignal): Promise<void> => {
    const keyOf = (): string =>
      sessions
        .twinsOf(token)
        .map(({ line }) => line.token)
        .join();
    const before = keyOf();
    while (!signal.aborted && keyOf() === before) await sessions.changed(sessions.version, signal);
  };

  const changed = async (token: string, version: number, signal: AbortSignal): Promise<void> => {
    const group = await groupOf(token);
    if (!group || cardOf(group).version !== version) return;
    const enough = new AbortController();
    const until = AbortSignal.any([signal, enough.signal]);
    await Promise.race([
      regrouped(token, until),
      ...group.map(({ session, token, card }) => session.front.changed(token, card.version, until)),
    ]).finally(() => enough.abort());
  };

  const cardOf = (group: Group): Card => (group.length === 1 ? group[0].card : mergedCard(group, versionOf(group)));

  return {
    card: async (token) => {
      const group = await groupOf(token);
      return group && cardOf(group);
    },
    decision,
    answer,
    revoke: async (token) => (await look(token))?.session.front.revoke(token) ?? false,
    changed,
    overview: () => Promise.resolve(sessions.overview()),
    overviewChanged: (version, signal) => sessions.changed(version, signal),
    endApproval: async (approval) => {
      const has = ({ overview }: Session): boolean => overview.windows.some((line) => line.approval === approval);
      const known = sessions.all.find(has);
      if (known && (await known.front.endApproval(approval))) return true;
      const ended = await someone(sessions, async ({ front }) => (await front.endApproval(approval)) || undefined);
      return ended ?? false;
    },
    pairing: async (token, step) => {
      const owner = sessions.ownerOf(token) ?? (await pairingAt(sessions, token, arrivals));
      return owner?.front.pairing(token, step);
    },
  };
}

/** The session that has this page for enrolling or removing an approver. */
async function pairingAt(
  sessions: Sessions,
  token: string,
  arrivals: RouteOptions["arrivals"],
): Promise<Session | undefined> {
  const find = (): Promise<Session | undefined> =>
    someone(sessions, async (session) => ((await session.front.pairing(token, { do: "look" })) ? session : undefined));
  for (;;) {
    const before = sessions.version;
    const found = await find();
    if (found) sessions.remember(token, found);
    if (found || !(await arrivals(before))) return found;
  }
}

/** What the first session that has something to say says; undefined when none has. One that fails has nothing to say. */
function someone<T>(sessions: Sessions, ask: (session: Session) => Promise<T | undefined>): Promise<T | undefined> {
  const asked = sessions.all.map(async (session) => {
    const said = await ask(session);
    if (said === undefined) throw new RangeError("not there");
    return said;
  });
  return Promise.any(asked).catch(() => undefined);
}
