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
}

/** A finding; an empty hint is none. */
export function finding(state: State, about: string, text: string, hint?: string): Finding {
  return { state, about, text, ...(hint === undefined || hint === "" ? {} : { hint }) };
}
