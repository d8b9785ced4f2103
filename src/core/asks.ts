import type { VaultError } from "./errors.ts";
import type { Entry, Wait } from "./ports.ts";
import type { Requester } from "./request.ts";

/** What every call brings along. The reason is already visible and bounded. */
export interface Ask {
  readonly session: string;
  readonly requester: Requester;
  readonly vault: string;
  readonly reason: string;
}

export type ReadAsk = Ask & { readonly names: readonly string[] };
export type WriteAsk = Ask & { readonly entries: readonly Entry[] };

/** What a call comes back with: each name's outcome in the order asked, or word that a person has not answered yet. */
export type Reply<T> =
  | { readonly is: "done"; readonly results: readonly { readonly name: string; readonly result: T | VaultError }[] }
  | { readonly is: "pending"; readonly wait: Wait };

export type Listing = readonly {
  readonly vault: string;
  readonly writable: boolean;
  readonly names: readonly string[] | VaultError;
}[];
