import { VaultError } from "../../src/core/errors.ts";
import type { FakeVault } from "./fake-vault.ts";

/** The vault's own people: whatever is read needs their yes, and a test says when they give it. */
export interface FakePeople {
  /** The refs that were put before them, in that order; each once, or the program has asked twice. */
  readonly submitted: readonly string[];
  /** Says yes to all that was put before them. */
  readonly agree: () => void;
  readonly refuse: () => void;
}

/** Gives a vault in memory people of its own, as a vault does that finds out by a refused read that they are needed. */
export function peopleOf(vault: FakeVault, name = "the vault's approvers"): FakePeople {
  const submitted: string[] = [];
  const needed = new Set<string>();
  const agreed = new Set<string>();
  const listening = new Set<() => void>();
  let refused = false;
  const tell = (): void => {
    for (const listen of listening) listen();
  };
  vault.blocks = (ref) => {
    if (agreed.has(ref)) return undefined;
    needed.add(ref);
    return new VaultError("upstream_required", `${name} have to permit this`);
  };
  vault.prepare = (handles, { signal, waiting }) => {
    const open = handles.map(({ ref }) => ref).filter((ref) => needed.has(ref) && !agreed.has(ref));
    const each = handles.map(() => "ready" as const);
    if (open.length === 0) return Promise.resolve(each);
    for (const ref of open) if (!submitted.includes(ref)) submitted.push(ref);
    waiting(`waiting for ${name}`);
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (refused) reject(new VaultError("upstream_denied", `${name} turned this down`));
        else if (signal.aborted) reject(new VaultError("cancelled", "nobody waits any more"));
        else if (open.every((ref) => agreed.has(ref))) resolve(each);
        else return;
        listening.delete(look);
      };
      listening.add(look);
      signal.addEventListener("abort", look, { once: true });
    });
  };
  return {
    submitted,
    agree: () => {
      for (const ref of submitted) agreed.add(ref);
      tell();
    },
    refuse: () => {
      refused = true;
      tell();
    },
  };
}
