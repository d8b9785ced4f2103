import type { Clock } from "../core/clock.ts";
import type { Overview } from "../core/overview.ts";

/** A look at the desk that the sessions of this user share, from a command. It takes no part in it. */
export interface HubVisit {
  /** Everything that waits and everything that is open, in all sessions. Tokens are blanked to "" (law 4). */
  readonly overview: () => Promise<Overview>;
  /** Ends what one approval opened, by its id, in whichever session. False when there is nothing open. */
  readonly endApproval: (approval: string) => Promise<boolean>;
  readonly close: () => void;
}

/** How long a command waits for the desk, ms. */
const VISIT_MS = 12_000;

const timers: Pick<Clock, "after"> = {
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

/**
 * Visits the desk of the state folder `folder`; undefined when no session hosts one. Throws `page_unavailable` when one
 * does that cannot be spoken to: it is of another version, hangs, or its folder is not to be trusted.
 */
export async function visitHub({ folder }: { readonly folder: string }): Promise<HubVisit | undefined> {
  const [{ connectTo }, { greet }, { findPlace }, { silent, wireOver }] = await Promise.all([
    import("./connect.ts"),
    import("./guest.ts"),
    import("./place.ts"),
    import("./wire.ts"),
  ]);
  const place = findPlace(folder);
  const socket = place && (await connectTo(place));
  if (!socket) return undefined;
  const wire = wireOver(socket, { calls: {} }, timers);
  if (!(await greet(wire, "visitor"))) throw silent();
  return {
    overview: () => wire.call("overview", {}, { withinMs: VISIT_MS }),
    endApproval: (approval) => wire.call("endApproval", { approval }, { withinMs: VISIT_MS }),
    close: wire.end,
  };
}
