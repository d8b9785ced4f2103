import type { Clock } from "./clock.ts";

const MAX_REMEMBERED = 10_000;

/**
 * What is remembered for a short while, by key. Counted on the monotonic clock alone: setting the wall clock shortens
 * nothing, and nothing lasts for ever.
 */
export class Cooldown<T> {
  readonly #clock: Clock;
  readonly #lengthMs: number;
  /** Ends are monotonic ms. */
  readonly #remembered = new Map<string, { readonly what: T; readonly end: number }>();

  constructor(clock: Clock, lengthMs: number) {
    this.#clock = clock;
    this.#lengthMs = lengthMs;
  }

  /** Remembers it anew, for the usual time or for this long, ms. */
  add(keys: readonly string[], what: T, lengthMs = this.#lengthMs): void {
    if (lengthMs <= 0) return;
    const now = this.#clock.mono();
    for (const [key, { end }] of this.#remembered) if (end <= now) this.#remembered.delete(key);
    for (const key of keys) {
      // The longest unheard of goes first.
      this.#remembered.delete(key);
      if (this.#remembered.size >= MAX_REMEMBERED) this.#remembered.delete(this.#remembered.keys().next().value ?? "");
      this.#remembered.set(key, { what, end: now + lengthMs });
    }
  }

  forget(keys: readonly string[]): void {
    for (const key of keys) this.#remembered.delete(key);
  }

  /** What is remembered by a key, and for how long yet, ms; undefined when nothing is. */
  find(key: string): { readonly what: T; readonly leftMs: number } | undefined {
    const found = this.#remembered.get(key);
    if (!found) return undefined;
    const leftMs = found.end - this.#clock.mono();
    return leftMs > 0 ? { what: found.what, leftMs } : undefined;
  }

  /** All that is remembered just now. A snapshot: forgetting while going through it is fine. */
  all(): readonly { readonly key: string; readonly what: T; readonly leftMs: number }[] {
    return [...this.#remembered.keys()].flatMap((key) => {
      const found = this.find(key);
      return found ? [{ key, ...found }] : [];
    });
  }

  /** False when there is certainly nothing to find. */
  get hasAny(): boolean {
    return this.#remembered.size > 0;
  }
}
