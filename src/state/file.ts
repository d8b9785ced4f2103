import type { Code } from "../core/errors.ts";

/** What a file in the state directory holds, as errors speak of it. */
export interface Contents {
  /** "the audit log" */
  readonly name: string;
  /** The code of every trouble with it. */
  readonly code: Code;
  /** How a person has it kept somewhere else, to follow "or": "set audit.database to another place". */
  readonly elsewhere: string;
  /** How a person begins without the file that was there, to follow "or": "restart agent-vault for a new log". */
  readonly anew: string;
}

/** A file of ours in the state directory. */
export interface StateFile extends Contents {
  readonly path: string;
}
