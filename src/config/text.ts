import type { Source } from "./config.ts";
import type { Around, Variables } from "./places.ts";
import type { Resolved } from "./references.ts";
import type { Path } from "./tree.ts";

/** A configuration as text, with what is needed to understand it. */
export interface Text {
  readonly source: Source;
  readonly folder: string;
  readonly text: string;
  readonly mode: number | undefined;
  readonly around: Around;
  /** The `.env` beside the file; asked for only when the environment lacks something. */
  readonly beside: () => Promise<Variables>;
}

/** A part that can be left out by itself when a variable it needs is not set. */
export interface Part {
  readonly path: Path;
  readonly resolved: Resolved;
  /** Set for a vault of a type that this version does not have yet: what its provider wants is unknown. */
  readonly coming?: true;
}
