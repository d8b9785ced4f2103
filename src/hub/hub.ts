import { randomBytes } from "node:crypto";
import type { Front, OwnFront } from "../core/card.ts";
import { type Clock, pause } from "../core/clock.ts";
import { asVaultError, VaultError } from "../core/errors.ts";
import type { Door } from "../core/ports.ts";
import type { HostedDoor, Hosting, Seat } from "./seat.ts";
import type { Page } from "./shapes.ts";

export interface HubOptions {
  /** The state folder: the sessions that have the same share one page. */
  readonly folder: string;
  readonly clock: Clock;
  /** The desk of this process alone. Not looked at before the first `open`. */
  readonly own: OwnFront;
  /** Makes the page and the tunnel in front of all sessions, when this process comes to host them. Opens nothing yet. */
  readonly startDoor: (front: Front, hosting: Hosting) => HostedDoor;
  /** Whether this process wants the page although nothing waits at its desk. */
  readonly isWanted?: () => boolean;
  /** Called when the links that were given out lead nowhere any more, and there are others. */
  readonly moved?: () => void;
  /** Whether the configuration of this process wants links that work from anywhere. */
  readonly hasTunnel?: boolean;
  /** Told of what should not happen. */
  readonly onFault: (error: unknown) => void;
  /** One line for people, on stderr. */
  readonly say: (line: string) => void;
}

/** The door that the sessions of one user share. */
export interface Hub extends Door {
  readonly isShared: (token: string) => boolean;
  /** Leaves the desk to the others: one of them goes on hosting. Never rejects. */
  readonly close: () => Promise<void>;
}

const CLOSE_MS = 900;
const MOST_TRIES = 4;

/**
 * One page and one tunnel for all sessions of this user. Nothing is opened, contacted or loaded before the first `open`:
 * then this process hosts the page, or joins the one that does. When the host goes another takes its place, on the same
 * port, and what waits goes on waiting.
 */
export function createHub(options: HubOptions): Hub {
  const { clock, say, onFault, hasTunnel = false } = options;
  const closing = new AbortController();
  let taking: Promise<Seat> | undefined;
  let seat: Seat | undefined;
  let page: Page | undefined;

  const take = async (before: Seat | undefined): Promise<Seat> => {
    // Loaded here and not above: most starts never need anybody.
    const { takeSeat } = await import("./take.ts");
    const taken = await takeSeat(before?.heritage(), {
      ...options,
      signal: closing.signal,
      newKey: () => randomBytes(32).toString("base64url"),
      onPage: (now) => (page = now),
    });
    seat = taken;
    if (closing.signal.aborted) await taken.close();
    void taken.lost.then(() => moveOn(taken));
    return taken;
  };

  /** The host is gone: somebody else has to be, and what waits here has to be on their page. */
  const moveOn = async (before: Seat): Promise<void> => {
    if (closing.signal.aborted) return;
    const given = page;
    taking = take(before);
    try {
      const [next, { waiting, windows }] = await Promise.all([taking, options.own.overview()]);
      const isNeeded = waiting.length + windows.length > 0 || options.isWanted?.() === true;
      await (isNeeded ? next.open() : next.resume());
      await next.settled();
      if (isNeeded && given && page && isElsewhere(given, page)) options.moved?.();
    } catch (error) {
      if (seat?.isLost() || closing.signal.aborted) return;
      const { message, hint } = asVaultError(error);
      say(`${message}${hint === undefined ? "" : `; ${hint}`}`);
    }
  };

  const seated = async (): Promise<Seat> => {
    const mine = (taking ??= take(seat));
    try {
      return await mine;
    } catch (error) {
      if (taking === mine) taking = undefined;
      throw error;
    }
  };

  const open = async (): Promise<void> => {
    for (let tries = 1; ; tries++) {
      if (closing.signal.aborted) throw closed();
      const mine = await seated();
      try {
        return await mine.open();
      } catch (error) {
        // Whoever hosts next opens it.
        if (!mine.isLost() || tries === MOST_TRIES) throw error;
        await mine.lost;
      }
    }
  };

  return {
    open: async () => {
      try {
        await open();
      } catch (error) {
        if (!(error instanceof VaultError)) onFault(error);
        throw error;
      }
    },
    settled: async () => {
      for (let tries = 1; tries <= MOST_TRIES; tries++) {
        const mine = await taking?.catch(() => undefined);
        await mine?.settled();
        if (!mine?.isLost() || closing.signal.aborted) return;
        await mine.lost;
      }
    },
    link: (token) => {
      if (page === undefined || closing.signal.aborted) throw closed();
      const { local, trouble = seat?.is === "guest" && hasTunnel && page.isSettled ? ELSEWHERE : undefined } = page;
      if (page.public !== undefined) return { local: local + token, public: page.public + token };
      return { local: local + token, ...(trouble !== undefined && { trouble }) };
    },
    isShared: (token) => seat?.isShared(token) ?? false,
    close: async () => {
      closing.abort();
      const enough = new AbortController();
      const left = taking?.then((mine) => mine.close()).catch(onFault);
      await Promise.race([left, pause(clock, CLOSE_MS, enough.signal)]);
      enough.abort();
    },
  };
}

/** Whether links to the one page do not lead to the other. */
function isElsewhere(before: Page, now: Page): boolean {
  if (before.local !== now.local) return true;
  return before.public !== undefined && now.public !== undefined && before.public !== now.public;
}

const ELSEWHERE =
  "the page is hosted by a session whose configuration has no tunnel; close its client, or give it the same tunnel";

function closed(): VaultError {
  return new VaultError("page_unavailable", "the approval page is closed because the session is ending", {
    hint: "start the client again",
  });
}
