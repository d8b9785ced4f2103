import type { Clock } from "./clock.ts";
import { type AccessRequest, type Action, askedBy } from "./request.ts";

const MAX_REMEMBERED = 10_000;

/**
 * What people denied a short while ago. It is refused again at once, so that asking cannot become nagging. Counted on
 * the monotonic clock alone: setting the wall clock shortens no refusal, and none lasts for ever.
 */
export class Refusals {
  readonly #clock: Clock;
  readonly #lengthMs: number;
  /** Ends by key, monotonic ms. */
  readonly #denied = new Map<string, number>();

  constructor(clock: Clock, lengthMs: number) {
    this.#clock = clock;
    this.#lengthMs = lengthMs;
  }

  /** Remembers every item of a denied request, by what it was asked by and by what that stands for. */
  add(request: AccessRequest): void {
    if (this.#lengthMs <= 0) return;
    const now = this.#clock.mono();
    for (const [key, end] of this.#denied) if (end <= now) this.#denied.delete(key);
    const names = new Set(request.items.map(({ handle }) => handle.name));
    for (const thing of [...askedBy([...names], request.fields), ...request.items.map(({ handle }) => handle.ref)]) {
      if (this.#denied.size >= MAX_REMEMBERED) this.#denied.delete(this.#denied.keys().next().value ?? "");
      this.#denied.set(keyOf(request.session, request.vault, request.action, thing), now + this.#lengthMs);
    }
  }

  /** For how long the latest refusal that touches one of these names or refs still holds, ms; 0 when none does. */
  leftMs(session: string, vault: string, action: Action, things: readonly string[]): number {
    if (this.#denied.size === 0) return 0;
    const now = this.#clock.mono();
    const ends = things.map((thing) => this.#denied.get(keyOf(session, vault, action, thing)) ?? now);
    return Math.max(0, ...ends.map((end) => end - now));
  }
}

function keyOf(session: string, vault: string, action: Action, thing: string): string {
  return JSON.stringify([session, vault, action, thing]);
}
