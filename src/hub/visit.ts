import type { Overview } from "../core/overview.ts";

/** A look at the desk that the sessions of this user share, from a command. It takes no part in it. */
export interface HubVisit {
  /** Everything that waits and everything that is open, in all sessions. Tokens are blanked to "" (law 4). */
  readonly overview: () => Promise<Overview>;
  /** Ends what one approval opened, by its id, in whichever session. False when there is nothing open. */
  readonly endApproval: (approval: string) => Promise<boolean>;
  readonly close: () => void;
}

/**
 * Visits the desk of the state folder `folder`; undefined when no session hosts one. Throws `page_unavailable` when one
 * does that cannot be spoken to: it is of another version, hangs, or its folder is not to be trusted.
 */
export async function visitHub(_options: { readonly folder: string }): Promise<HubVisit | undefined> {
  return undefined;
}
