import { type Group, ShownCards } from "./shown.ts";
import type { Sessions } from "./sessions.ts";
import { areAlike, type Shown } from "./twins.ts";
import { isSilence } from "./wire.ts";

export interface GroupsOptions {
  readonly sessions: Sessions;
  /** Until when what is not known may still come to be, ms of the steady clock. */
  readonly arrivalsUntil: () => number;
  /** Resolves when the sessions are past that version; false when it is that late first. */
  readonly changedUntil: (version: number, until: number) => Promise<boolean>;
}

/** What a page shows, and whose page it is. */
export interface Page {
  readonly token: string;
  readonly group: Group;
  /** Set where it is another than was asked for: what an answer given there was for as well, and came to nothing for. */
  readonly isLedTo?: true;
}

/** What each page shows: one request, or several that one answer is for. */
export type Groups = ReturnType<typeof groupsOf>;

export function groupsOf({ sessions, arrivalsUntil, changedUntil }: GroupsOptions) {
  const shown = new ShownCards();

  /** Whatever there is under a token, as soon as whoever has it has come to a host that has just begun. */
  const arrived = async <T>(find: () => Promise<T | undefined>): Promise<T | undefined> => {
    // Each session that comes or goes may put this off for others, but not for one who waits already.
    const until = arrivalsUntil();
    for (;;) {
      const { version } = sessions;
      const found = await find();
      if (found !== undefined || !(await changedUntil(version, until))) return found;
    }
  };

  const look = (token: string): Promise<Shown | undefined> =>
    arrived(async () => {
      const session = sessions.ownerOf(token);
      const card = await session?.front.card(token);
      return session && card && { session, token, card };
    });

  /** One of several: a session that hangs or fails hides none but its own. */
  const glimpse = async (token: string): Promise<Shown | undefined> => {
    const session = sessions.ownerOf(token);
    if (!session || session.hangs) return undefined;
    const card = await session.front.card(token).catch((error: unknown) => {
      session.hangs = isSilence(error);
      return undefined;
    });
    return card && { session, token, card };
  };

  const isTogether = (mine: Shown, other: Shown): boolean => areAlike(other.card, mine.card) && shown.isSteady(other);

  const groupAt = async (token: string): Promise<Group | undefined> => {
    const mine = await look(token);
    if (!mine || mine.card.standing.is !== "waiting" || !shown.isSteady(mine)) return mine && [mine];
    const twins = sessions.twinsOf(token).map(({ line }) => line.token);
    const found = await Promise.all(twins.map(async (each) => (each === token ? mine : glimpse(each))));
    const [first, ...others] = found.flatMap((each) => (each && (each === mine || isTogether(mine, each)) ? each : []));
    return first && others.length > 0 ? [first, ...others] : [mine];
  };

  /** What the page of this request shows: it alone, or it and its twins in the order asked. */
  const of = async (token: string): Promise<Page | undefined> => {
    const group = await groupAt(token);
    if (!group) return undefined;
    if (group[0].card.standing.is === "approved") {
      for (const next of shown.nextOf(token)) {
        const other = await glimpse(next);
        if (other?.card.standing.is === "waiting") return { token: next, group: [other], isLedTo: true };
      }
    }
    shown.note(token, group);
    return { token, group };
  };

  return {
    shown,
    arrived,
    look,
    of,
    /** Whether one that was asked before it has the same card, and is before a person already. */
    isShared: async (token: string): Promise<boolean> => {
      const twins = sessions.twinsOf(token);
      const first = twins.find(({ line }) => !line.isBehind)?.line.token;
      if (first === undefined || first === token) return false;
      const leader = await glimpse(first);
      const mine = await glimpse(token);
      if (!mine || !leader || leader.card.standing.is !== "waiting") return false;
      return shown.isSteady(mine) && isTogether(mine, leader);
    },
  };
}
