import type { Clock } from "./clock.ts";
import { Cooldown } from "./cooldown.ts";
import { type AccessRequest, type Action, askedBy } from "./request.ts";

/** What people denied a short while ago. It is refused again at once, so that asking cannot become nagging. */
export class Refusals {
  readonly #denied: Cooldown<true>;

  constructor(clock: Clock, lengthMs: number) {
    this.#denied = new Cooldown(clock, lengthMs);
  }

  /** Remembers every item of a denied request, by what it was asked by and by what that stands for. */
  add({ session, vault, action, items, fields }: AccessRequest): void {
    const names = new Set(items.map(({ handle }) => handle.name));
    const things = [...askedBy([...names], fields), ...items.map(({ handle }) => handle.ref)];
    const keys = things.map((thing) => keyOf(session, vault, action, thing));
    this.#denied.add(keys, true);
  }

  /** For how long the latest refusal that touches one of these names or refs still holds, ms; 0 when none does. */
  leftMs(session: string, vault: string, action: Action, things: readonly string[]): number {
    if (!this.#denied.hasAny) return 0;
    return Math.max(0, ...things.map((thing) => this.#denied.find(keyOf(session, vault, action, thing))?.leftMs ?? 0));
  }
}

function keyOf(session: string, vault: string, action: Action, thing: string): string {
  return JSON.stringify([session, vault, action, thing]);
}
