import { type Clock, Span } from "./clock.ts";
import type { AccessRequest, Action } from "./request.ts";

const MAX_REMEMBERED = 10_000;

/** What people denied a short while ago. It is refused again at once, so that asking cannot become nagging. */
export class Refusals {
  readonly #clock: Clock;
  readonly #lengthMs: number;
  readonly #denied = new Map<string, Span>();

  constructor(clock: Clock, lengthMs: number) {
    this.#clock = clock;
    this.#lengthMs = lengthMs;
  }

  /** Remembers every item of a denied request, by the name it was asked with and by what the name stands for. */
  add(request: AccessRequest): void {
    if (this.#lengthMs <= 0) return;
    for (const [key, span] of this.#denied) if (span.over() === "time") this.#denied.delete(key);
    const span = new Span(this.#clock, this.#lengthMs);
    for (const { handle } of request.items) {
      for (const thing of [handle.name, handle.ref]) {
        if (this.#denied.size >= MAX_REMEMBERED) this.#denied.delete(this.#denied.keys().next().value ?? "");
        this.#denied.set(keyOf(request.session, request.vault, request.action, thing), span);
      }
    }
  }

  /** When the latest refusal that touches one of these names or refs ends, epoch ms; undefined when none does. */
  until(session: string, vault: string, action: Action, things: readonly string[]): number | undefined {
    let latest: number | undefined;
    for (const thing of things) {
      const span = this.#denied.get(keyOf(session, vault, action, thing));
      // A clock in doubt does not end a refusal: only time does.
      if (span && span.over() !== "time") latest = Math.max(latest ?? 0, span.endsAt);
    }
    return latest;
  }
}

function keyOf(session: string, vault: string, action: Action, thing: string): string {
  return JSON.stringify([session, vault, action, thing]);
}
