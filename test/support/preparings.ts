import type { PrepareContext } from "../../src/core/ports.ts";
import type { FakeVault } from "./fake-vault.ts";

/** One time that a vault makes ready: for what, what it was given, and how a test lets it end. */
export interface Preparing {
  readonly refs: readonly string[];
  readonly context: PrepareContext;
  readonly ready: () => void;
  readonly fail: (error: unknown) => void;
}

/** Has a vault make ready when a test says so. Every time it is asked to is listed here, in that order. */
export function preparingsOf(vault: FakeVault): readonly Preparing[] {
  const all: Preparing[] = [];
  vault.prepare = (handles, context) =>
    new Promise((ready, fail) => {
      all.push({ refs: handles.map(({ ref }) => ref), context, ready, fail });
    });
  return all;
}
