import { join } from "node:path";
import { oddities } from "./approvers/changes.ts";
import { type Changing, openPairing } from "./approvers/pairing.ts";
import { openRemoval } from "./approvers/removal.ts";
import { type ApproverStore, openApprovers } from "./approvers/store.ts";
import { readEvents } from "./audit/read.ts";
import { openLog } from "./audit/sqlite.ts";
import type { Enrolment, Roll, Underway } from "./cli/enrolment.ts";
import type { Config } from "./config/config.ts";
import type { OwnFront } from "./core/card.ts";
import { pause } from "./core/clock.ts";
import { asVaultError, VaultError } from "./core/errors.ts";
import type { Link } from "./core/ports.ts";
import { Tally } from "./core/tally.ts";
import { visible } from "./core/text.ts";
import { createSharedDoor } from "./shared-door.ts";
import { openNotes } from "./state/notes.ts";
import { systemClock } from "./wall-clock.ts";

/** How long the page stays for the device to see how it ended, ms. */
const LAST_LOOK_MS = 3_000;
/** What the page needs to be drawn once it knows, ms. */
const SHOWN_MS = 500;
/** How often it is looked whether the page still has somebody who hosts it, ms. */
const BEAT_MS = 1_000;
/** How many changes of the approvers the log is asked for; nobody has more phones than this. */
const MOST_CHANGES = 10_000;

/** Who may approve, and what the log says of them otherwise. Writes nothing. Throws `approvers_unavailable`. */
export function rollOf({ database, surroundings }: Pick<Config, "database" | "surroundings">): Roll {
  const notes = openNotes(surroundings.stateDir);
  try {
    const approvers = allOf(openApprovers({ notes: notes.of("approvers"), clock: systemClock }), surroundings.stateDir);
    try {
      const kinds = ["approver_added", "approver_removed"] as const;
      const events = kinds.flatMap((kind) => readEvents({ file: database, filters: { kind, limit: MOST_CHANGES } }));
      const newestFirst = events.toSorted((a, b) => b.seq - a.seq);
      return { approvers, oddities: oddities(approvers, newestFirst).map(({ text }) => text) };
    } catch (error) {
      // No log, and nobody who could be in it: that is how it begins.
      if (approvers.length === 0) return { approvers, oddities: [] };
      return { approvers, oddities: [], unknown: asVaultError(error).message };
    }
  } finally {
    notes.close();
  }
}

/** Those enrolled; where that cannot be known, the way out that is left to a person. */
function allOf(store: ApproverStore, folder: string): ReturnType<ApproverStore["all"]> {
  try {
    return store.all();
  } catch (error) {
    const { code, message } = asVaultError(error);
    if (code !== "approvers_unavailable") throw error;
    const file = visible(join(folder, "notes.db"));
    throw new VaultError(code, message, {
      hint: `if it stays so, move ${file} aside, which forgets every approver, and pair the phones again`,
      cause: error,
    });
  }
}

/** Changes who may approve, from a command: its page is the one that the sessions of this user share. */
export function createEnrolment(outer: {
  readonly say: (line: string) => void;
  readonly onFault: (error: unknown) => void;
}): Enrolment {
  return {
    pair: async (config, nameFor) => {
      const place = openPlace(config, outer);
      const pairing = await place.begin((options, isOutside) =>
        openPairing(nameFor(isOutside ? "phone" : "computer"), options),
      );
      return { ...underway(pairing, place), confirm: pairing.confirm };
    },
    remove: async (config, id, lastOne) => {
      const place = openPlace(config, outer);
      const removal = await place.begin((options) => {
        const approver = options.store.all().find((each) => each.id === id);
        if (!approver) throw new VaultError("conflict", "nobody is enrolled under that name any more");
        return openRemoval(approver, { ...options, lastOne });
      });
      return underway(removal, place);
    },
  };
}

type Place = ReturnType<typeof openPlace>;
type Options = Parameters<typeof openPairing>[1];

/** Where a change takes place: the store, the log, and the page in front of it. */
function openPlace(config: Config, { say, onFault }: Parameters<typeof createEnrolment>[0]) {
  const clock = systemClock;
  const log = openLog({ file: config.database });
  const tally = new Tally(log, clock);
  const notes = openNotes(config.surroundings.stateDir);
  const store: ApproverStore = openApprovers({ notes: notes.of("approvers"), clock });
  let changing: Changing | undefined;
  let looks = 0;
  // What is said before there is a link may come with it.
  let early: string[] | undefined = [];
  const sayEarly = (trouble?: string): void => {
    for (const line of early ?? []) if (line !== trouble) say(line);
    early = undefined;
  };
  let markSeen = (): void => {};
  const seen = new Promise<void>((resolve) => {
    markSeen = resolve;
  });
  const announced = (): readonly string[] => (changing ? [changing.key] : []);
  const own = frontOnly(announced, async (token, step) => {
    const view = await changing?.step(token, step);
    // The page asks whether it is over, and then for how it ended.
    if (view && ["done", "failed", "over"].includes(view.stage) && ++looks >= 2) markSeen();
    return view;
  });
  const door = createSharedDoor({
    config,
    clock,
    own,
    approvers: store,
    notes,
    log,
    tally,
    isWanted: () => true,
    isPassing: true,
    say: (line) => void (early ? early.push(line) : say(line)),
    onFault,
  });
  // Keeps this process alive, and the page up when whoever hosted it is gone.
  const beat = setInterval(() => void door.open().catch(() => undefined), BEAT_MS);

  const close = async (): Promise<void> => {
    const enough = new AbortController();
    const isOver = changing && ["done", "failed"].includes(changing.view().stage);
    if (isOver) {
      const shown = seen.then(() => pause(clock, SHOWN_MS, enough.signal));
      await Promise.race([shown, pause(clock, LAST_LOOK_MS, enough.signal)]);
    }
    enough.abort();
    changing?.close();
    clearInterval(beat);
    await door.close();
    tally.flush();
    try {
      notes.close();
    } finally {
      log.close();
    }
  };

  return {
    /** Opens a change once the page is open; `isOutside` tells whether a phone can reach it. */
    begin: async <T extends Changing>(open: (options: Options, isOutside: boolean) => T): Promise<T> => {
      try {
        // Where the log cannot be written nothing comes of it: better said before anybody gets up for their phone.
        await log.open();
        await door.open();
        await door.settled();
        const { public: everywhere, trouble } = door.link("");
        sayEarly(trouble);
        const begun = open({ store, journal: log, clock }, everywhere !== undefined);
        changing = begun;
        // Its key is shown to whoever hosts the page before anybody has the link.
        await door.open();
        return begun;
      } catch (error) {
        sayEarly();
        await close();
        throw error;
      }
    },
    link: (token: string): Link => pageOf(door.link(token)),
    close,
  };
}

function underway(changing: Changing, place: Place): Underway {
  const { token, view, after, signer } = changing;
  return { link: place.link(token), view, after, signer, close: place.close };
}

/** The link to the page of a change, from that to the page of a request. */
function pageOf({ local, public: everywhere, trouble }: Link): Link {
  const page = (link: string): string => link.replace(/\/approve\/([\w-]+)$/, "/pair/$1");
  return {
    local: page(local),
    ...(everywhere !== undefined && { public: page(everywhere) }),
    ...(trouble !== undefined && { trouble }),
  };
}

/** A desk where nothing is ever asked for, with a page for this: `kept` are the keys of it, as far as there is one. */
function frontOnly(kept: () => readonly string[], pairing: OwnFront["pairing"]): OwnFront {
  const aborted = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener("abort", () => resolve(), { once: true });
    });
  return {
    card: () => Promise.resolve(undefined),
    decision: () => Promise.resolve(undefined),
    statement: () => Promise.resolve(undefined),
    answer: () => Promise.resolve(false),
    revoke: () => Promise.resolve(false),
    changed: (_token, _version, signal) => aborted(signal),
    overview: () => Promise.resolve({ waiting: [], windows: [], version: 1 + kept().length, kept: kept() }),
    overviewChanged: (_version, signal) => aborted(signal),
    endApproval: () => Promise.resolve(false),
    pairing,
  };
}
