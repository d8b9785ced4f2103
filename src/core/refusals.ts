import type { Clock } from "./clock.ts";
import { Cooldown } from "./cooldown.ts";
import { VaultError } from "./errors.ts";
import { type AccessRequest, type Action, askedBy, type Item } from "./request.ts";

/** For how long denials count as repeated, ms. */
const DAY_MS = 24 * 3_600_000;
/** No cool-down grows past this, ms; one that is configured longer stays as it is. */
const LONGEST_MS = 3_600_000;
/** So many denials in a row, whatever they were for, pause all asking of a session. */
const ENOUGH = 3;

/**
 * What people denied a short while ago. It is refused again at once, so that asking cannot become nagging; each further
 * denial of the same within a day doubles the time. After three denials in a row a session may ask for nothing at all
 * for a while, which doubles as well. A yes ends the row.
 */
export class Refusals {
  readonly #lengthMs: number;
  /** What is refused just now, with how often in a row it was denied. */
  readonly #denied: Cooldown<number>;
  /** How often in a row it was denied. */
  readonly #rows: Cooldown<number>;

  /** `lengthMs` is that of the first cool-down; 0: there is none, and no pause either. */
  constructor(clock: Clock, lengthMs: number) {
    this.#lengthMs = lengthMs;
    this.#denied = new Cooldown(clock, lengthMs);
    this.#rows = new Cooldown(clock, lengthMs > 0 ? DAY_MS : 0);
  }

  /** Remembers every item of a denied request, by what it was asked by and by what that stands for. */
  add(request: AccessRequest): void {
    for (const key of keysOf(request)) this.#deny(key);
    const all = allOf(request.session);
    const row = this.#count(all);
    if (row >= ENOUGH) this.#denied.add([all], row, this.#grown(row - ENOUGH));
  }

  /** Remembers only the items: of a request that was approved for the rest, they were left out. */
  leaveOut(request: AccessRequest): void {
    // A field left out says nothing of the others that were asked for with it: it is known by what it is alone.
    const { session, vault, action, items } = request;
    const refs = items.map(({ handle }) => keyOf(session, vault, action, handle.ref));
    for (const key of request.fields ? new Set(refs) : keysOf(request)) this.#deny(key);
  }

  /** A person has said yes to these items of a request: what they denied before is behind them. */
  approved(request: AccessRequest, items: readonly Item[]): void {
    const keys = [allOf(request.session), ...keysOf({ ...request, items })];
    for (const each of [keys, keys.map(handedOn)]) {
      this.#rows.forget(each);
      this.#denied.forget(each);
    }
  }

  /** Throws `denied` when any of these was, by what it was asked by (`askedBy`) or by ref. */
  refuse(session: string, vault: string, action: Action, things: readonly string[]): void {
    if (!this.#denied.hasAny) return;
    const found = things.flatMap((thing) => this.#find(keyOf(session, vault, action, thing)) ?? []);
    const [longest] = found.toSorted((a, b) => b.leftMs - a.leftMs);
    if (!longest) return;
    const when = longest.what === 1 ? "a moment ago" : `${longest.what} times in a row`;
    const seconds = Math.ceil(longest.leftMs / 1000);
    throw new VaultError("denied", `a person denied this ${when}; asking again is refused for ${seconds} s`, {
      hint: "do not ask again; ask the user what to do instead",
    });
  }

  /** Why a session may ask for nothing just now; undefined: it may. */
  pause(session: string): VaultError | undefined {
    const found = this.#find(allOf(session));
    if (!found) return undefined;
    const seconds = Math.ceil(found.leftMs / 1000);
    const message = `a person denied ${found.what} requests in a row; asking for anything is refused for ${seconds} s`;
    return new VaultError("denied", message, { hint: "do not ask again; ask the user what to do instead" });
  }

  /** A session is over. What was denied to it is refused to every other: it may come back as another. */
  handOn(session: string): void {
    const theirs = allOf(session).slice(0, -1);
    for (const memory of [this.#denied, this.#rows]) {
      for (const { key, what, leftMs } of memory.all()) {
        if (!key.startsWith(theirs)) continue;
        const earlier = memory.find(handedOn(key));
        memory.forget([key]);
        memory.add([handedOn(key)], Math.max(what, earlier?.what ?? 0), Math.max(leftMs, earlier?.leftMs ?? 0));
      }
    }
  }

  #find(key: string): { readonly what: number; readonly leftMs: number } | undefined {
    const [own, from] = [this.#denied.find(key), this.#denied.find(handedOn(key))];
    return (from?.leftMs ?? 0) > (own?.leftMs ?? 0) ? from : own;
  }

  #deny(key: string): void {
    const row = this.#count(key);
    this.#denied.add([key], row, this.#grown(row - 1));
  }

  #count(key: string): number {
    const row = Math.max(this.#rows.find(key)?.what ?? 0, this.#rows.find(handedOn(key))?.what ?? 0) + 1;
    this.#rows.add([key], row);
    return row;
  }

  #grown(times: number): number {
    return Math.min(this.#lengthMs * 2 ** times, Math.max(this.#lengthMs, LONGEST_MS));
  }
}

function keysOf({ session, vault, action, items, fields }: AccessRequest): readonly string[] {
  const names = new Set(items.map(({ handle }) => handle.name));
  const things = [...askedBy([...names], fields), ...items.map(({ handle }) => handle.ref)];
  // A name that is its own ref was denied once and not twice.
  return [...new Set(things)].map((thing) => keyOf(session, vault, action, thing));
}

function keyOf(session: string, vault: string, action: Action, thing: string): string {
  return JSON.stringify([session, vault, action, thing]);
}

/** What a key becomes when its session is over: that of a session without a name, which stands for every one. */
function handedOn(key: string): string {
  return key.replace(/^\["[^"]*"/, '[""');
}

/** All that a session may ask for. */
function allOf(session: string): string {
  return JSON.stringify([session]);
}
