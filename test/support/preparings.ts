import type { VaultError } from "../../src/core/errors.ts";
import type { PrepareContext } from "../../src/core/ports.ts";
import type { FakeVault } from "./fake-vault.ts";

/** One time that a vault makes ready: for what, what it was given, and how a test lets it end. */
export interface Preparing {
  readonly refs: readonly string[];
  readonly context: PrepareContext;
  /** All of it is ready, except for what is given here by ref. */
  readonly ready: (refused?: Readonly<Record<string, VaultError>>) => void;
  readonly fail: (error: unknown) => void;
}

/** Has a vault make ready when a test says so. Every time it is asked to is listed here, in that order. */
export function preparingsOf(vault: FakeVault): readonly Preparing[] {
  const all: Preparing[] = [];
  vault.prepare = (handles, context) =>
    new Promise((resolve, fail) => {
      const refs = handles.map(({ ref }) => ref);
      const ready: Preparing["ready"] = (refused = {}) => resolve(refs.map((ref) => refused[ref] ?? "ready"));
      all.push({ refs, context, ready, fail });
    });
  return all;
}
