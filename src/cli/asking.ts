import type { Wait } from "../core/ports.ts";
import type { Secret } from "../core/secret.ts";

/** One secret that a command wants, for this once. */
export interface Question {
  readonly vault: string;
  readonly name: string;
  readonly field?: string;
  /** Visible and bounded. */
  readonly reason: string;
}

/** Asks a person as an agent does, from a process of its own. */
export interface Asking {
  /**
   * Resolves to the value that a person permitted. `waiting` is told how things stand, as an agent's call is. The signal
   * withdraws the request. Rejects as an agent's call does.
   */
  readonly ask: (
    question: Question,
    heed: { readonly waiting: (wait: Wait) => void; readonly signal: AbortSignal },
  ) => Promise<Secret>;
  /** Lets go of the page a moment later, when the person has seen how it ended; at once when the signal aborts. */
  readonly close: (why: string, atOnce: AbortSignal) => Promise<void>;
}
