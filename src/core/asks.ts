import type { VaultError } from "./errors.ts";
import type { Entry, Wait } from "./ports.ts";
import type { Requester } from "./request.ts";

/** What every call brings along. The reason is already visible and bounded. */
export interface Ask {
  readonly session: string;
  readonly requester: Requester;
  readonly vault: string;
  readonly reason: string;
  /** Set where nothing may stay open: the person is offered "just this once" alone. */
  readonly onceOnly?: true;
}

/** Names to read. `fields` goes with a single name: these fields of it, or every one (`["*"]`). */
export type ReadAsk = Ask & { readonly names: readonly string[]; readonly fields?: readonly string[] };
export type WriteAsk = Ask & { readonly entries: readonly Entry[] };

/** The outcome for one secret: its name, its field where it is one of several, and what came of it. */
export interface Outcome<T> {
  readonly name: string;
  readonly field?: string;
  readonly result: T | VaultError;
}

/** What a call comes back with: each outcome in the order asked, or word that somebody has not answered yet. */
export type Reply<T> =
  | { readonly is: "done"; readonly results: readonly Outcome<T>[] }
  | { readonly is: "pending"; readonly wait: Wait };

export type Listing = readonly {
  readonly vault: string;
  readonly writable: boolean;
  /** Undefined where the vault cannot tell which names there are. */
  readonly names: readonly string[] | VaultError | undefined;
}[];
