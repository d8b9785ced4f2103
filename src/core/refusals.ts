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

/** How often in a row it was denied. */
interface Row {
  readonly times: number;
  /** Which session that ended it came from, counting; absent: the session itself. */
  readonly from?: number;
}

/** A row, and for how long it counts yet, ms. */
interface Found {
  readonly what: Row;
  readonly leftMs: number;
}

/**
 * What people denied a short while ago. It is refused again at once, so that asking cannot become nagging; each further
 * denial of the same within a day doubles the time. After three denials in a row a session may ask for nothing at all
 * for a while, which doubles as well. A yes ends the row.
 */
export class Refusals {
  readonly #lengthMs: number;
  /** What is refused just now. */
  readonly #denied: Cooldown<Row>;
  readonly #rows: Cooldown<Row>;
  /** How many sessions had ended before each began. */
  readonly #begun = new Map<string, number>();
  #ended = 0;

  /** `lengthMs` is that of the first cool-down; 0: there is none, and no pause either. */
  constructor(clock: Clock, lengthMs: number) {
    this.#lengthMs = lengthMs;
    this.#denied = new Cooldown(clock, lengthMs);
    this.#rows = new Cooldown(clock, lengthMs > 0 ? DAY_MS : 0);
  }

  /** A session begins, if it has not yet: what was denied to those that ended before is refused to it. */
  begin(session: string): void {
    if (!this.#begun.has(session)) this.#begun.set(session, this.#ended);
  }

  /** Remembers every item of a denied request, by what it was asked by and by what that stands for. */
  add(request: AccessRequest): void {
    for (const key of keysOf(request)) this.#deny(key);
    const all = allOf(request.session);
    const times = this.#count(all);
    if (times >= ENOUGH) this.#denied.add([all], { times }, this.#grown(times - ENOUGH));
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
    const longest = longestOf(
      things.flatMap((thing) => this.#find(this.#denied, keyOf(session, vault, action, thing))),
    );
    if (!longest) return;
    const { times } = longest.what;
    const when = times === 1 ? "a moment ago" : `${times} times in a row`;
    const seconds = Math.ceil(longest.leftMs / 1000);
    throw new VaultError("denied", `a person denied this ${when}; asking again is refused for ${seconds} s`, {
      hint: "do not ask again; ask the user what to do instead",
    });
  }

  /** Why a session may ask for nothing just now; undefined: it may. */
  pause(session: string): VaultError | undefined {
    const found = longestOf(this.#find(this.#denied, allOf(session)));
    if (!found) return undefined;
    const seconds = Math.ceil(found.leftMs / 1000);
    const message = `a person denied ${found.what.times} requests in a row; asking for anything is refused for ${seconds} s`;
    return new VaultError("denied", message, { hint: "do not ask again; ask the user what to do instead" });
  }

  /** A session is over. What was denied to it is refused to those that begin from now on: it may come back as another. */
  handOn(session: string): void {
    const theirs = allOf(session).slice(0, -1);
    for (const memory of [this.#denied, this.#rows]) {
      for (const { key, what, leftMs } of memory.all()) {
        if (!key.startsWith(theirs)) continue;
        const earlier = memory.find(handedOn(key));
        const times = Math.max(what.times, earlier?.what.times ?? 0);
        const from = earlier?.what.from ?? this.#ended;
        memory.forget([key]);
        memory.add([handedOn(key)], { times, from }, Math.max(leftMs, earlier?.leftMs ?? 0));
      }
    }
    this.#ended += 1;
    this.#begun.delete(session);
  }

  /** What is remembered by a session's key: of itself, and of those that ended before it began. */
  #find(memory: Cooldown<Row>, key: string): readonly Found[] {
    const from = memory.find(handedOn(key));
    const ended = this.#begun.get(sessionOf(key)) ?? this.#ended;
    const isBound = from?.what.from !== undefined && from.what.from < ended;
    return [memory.find(key), isBound ? from : undefined].filter((found) => found !== undefined);
  }

  #deny(key: string): void {
    const times = this.#count(key);
    this.#denied.add([key], { times }, this.#grown(times - 1));
  }

  #count(key: string): number {
    const times = Math.max(0, ...this.#find(this.#rows, key).map(({ what }) => what.times)) + 1;
    this.#rows.add([key], { times });
    return times;
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

function longestOf(found: readonly Found[]): Found | undefined {
  return found.toSorted((a, b) => b.leftMs - a.leftMs)[0];
}

function sessionOf(key: string): string {
  return /^\["([^"]*)"/.exec(key)?.[1] ?? "";
}

/** What a key becomes when its session is over: that of a session without a name, which stands for all that have ended. */
function handedOn(key: string): string {
  return key.replace(/^\["[^"]*"/, '[""');
}

/** All that a session may ask for. */
function allOf(session: string): string {
  return JSON.stringify([session]);
}
