import type { Clock } from "../core/clock.ts";
import { faultOf, isLock } from "./faults.ts";
import type { StateFile } from "./file.ts";

/** What is done with a file: while another process changes it, it can still be looked into. */
export type Use = "look" | "change";

/** For how long nobody tries again what another process has locked, ms. */
const REST_MS = 1_000;

/**
 * Runs what is done with a file, and throws a `VaultError` where that fails. Finding it locked means standing still, so
 * that is done once a second at most, however many calls there are: until then those of the same use are refused at once
 * with the error of the one that waited. A file that cannot even be looked into is not changed either.
 */
export function rememberLocks(file: StateFile, mono: Clock["mono"]): <T>(use: Use, run: () => T) => T {
  let locked: { readonly use: Use; readonly error: Error; readonly until: number } | undefined;
  return (use, run) => {
    if (locked && mono() < locked.until && (use === "change" || locked.use === "look")) throw locked.error;
    try {
      return run();
    } catch (cause) {
      const { error } = faultOf(cause, file);
      if (isLock(cause)) locked = { use, error, until: mono() + REST_MS };
      throw error;
    }
  };
}
