import type { Clock } from "./clock.ts";
import { Cooldown } from "./cooldown.ts";
import { VaultError } from "./errors.ts";
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

  /** Throws `denied` when any of these was, by what it was asked by (`askedBy`) or by ref. */
  refuse(session: string, vault: string, action: Action, things: readonly string[]): void {
    if (!this.#denied.hasAny) return;
    const left = things.map((thing) => this.#denied.find(keyOf(session, vault, action, thing))?.leftMs ?? 0);
    const seconds = Math.ceil(Math.max(0, ...left) / 1000);
    if (seconds === 0) return;
    throw new VaultError("denied", `a person denied this a moment ago; asking again is refused for ${seconds} s`, {
      hint: "do not ask again; ask the user what to do instead",
    });
  }
}

function keyOf(session: string, vault: string, action: Action, thing: string): string {
  return JSON.stringify([session, vault, action, thing]);
}
