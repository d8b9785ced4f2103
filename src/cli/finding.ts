import type { Code, VaultError } from "../core/errors.ts";

/**
 * How something stands: `ok` works, `note` is a fact, `warning` works and deserves a look, `failed` is configured and
 * does not work, `invalid` keeps everything from working.
 */
export type State = "ok" | "note" | "warning" | "failed" | "invalid";

/** One thing that doctor has to say. */
export interface Finding {
  readonly state: State;
  /** What it is about: "vault dev", "configuration". */
  readonly about: string;
  readonly text: string;
  /** What to do. */
  readonly hint?: string;
  /** The code of the error that this tells of, the one an agent meets. */
  readonly code?: Code;
}

/** A finding; an empty hint is none. */
export function finding(state: State, about: string, text: string, hint?: string): Finding {
  return { state, about, text, ...(hint === undefined || hint === "" ? {} : { hint }) };
}

/** What a step that failed has to say. */
export function failed(about: string, { message, hint, code }: VaultError): Finding {
  return { ...finding("failed", about, message, hint === undefined ? undefined : toPerson(hint)), code };
}

/** A hint as it is said to the person themselves: most are written for an agent that passes them on. */
export function toPerson(hint: string): string {
  return hint.replace(/\btell the user (?:to|that) /g, "").replace(/(?:, then| and) restart the client$/, "");
}
