import type { Action } from "./request.ts";

/** What waits and what is open, for the inbox and the terminal. Texts are visible; nothing here is a value. */
export interface Overview {
  /** In the order asked. */
  readonly waiting: readonly WaitingLine[];
  /** What is open; the nearest end first, and last what has none. */
  readonly windows: readonly WindowLine[];
  /** Grows with every change; hand it to `overviewChanged` to be told of the next one. */
  readonly version: number;
  /** Keys of the other pages there are: of what waits no longer, of changes of the approvers. Only as `key` below. */
  readonly kept?: readonly string[];
}

/** A request that waits for a person. */
export interface WaitingLine {
  /** Id in the log; it opens nothing. */
  readonly request: string;
  /** The secret part of its link: for pages alone, and never for the output of a command (law 4). */
  readonly token: string;
  /** What the token is made of. Only from a process to the host of its page, for which it is the proof; never further. */
  readonly key?: string;
  readonly vault: string;
  readonly action: Action;
  readonly names: readonly string[];
  /** What the client calls itself, and the folder it was started in. */
  readonly client: string;
  readonly folder: string;
  /** Epoch ms. */
  readonly since: number;
  readonly expiresAt: number;
  /** Whether it waits for its turn: its client has as many cards before people as it may. */
  readonly isBehind: boolean;
  /** Equal for requests of several sessions that are for exactly the same and can share one answer; absent: none can. */
  readonly twin?: string;
}

/** What an approval still permits: a window that is open, or a use that has not been made. */
export interface WindowLine {
  /** Id of the approval; it opens nothing, and ends this. */
  readonly approval: string;
  readonly vault: string;
  readonly scope: "secret" | "vault";
  /** What was asked for when it was opened. */
  readonly names: readonly string[];
  readonly client: string;
  readonly folder: string;
  /** Set where it is no window: a use, approved just once, is still to come or on its way. */
  readonly isOnce?: true;
  /** Epoch ms. */
  readonly since: number;
  /** Epoch ms; absent while a use is on its way: the vault's own people may take their time. */
  readonly until?: number;
  /** Name of the approver who signed it; absent where the link was enough. */
  readonly by?: string;
}
