import { Changes } from "../core/changes.ts";
import { tokenOf } from "../core/ids.ts";
import type { Overview, WaitingLine } from "../core/overview.ts";
import type { Session } from "./session.ts";

/** A request that waits, and the session it waits in. */
export interface Line {
  readonly session: Session;
  readonly line: WaitingLine;
}

/** How many requests share a card: what one signature can be for, and a person can look at. */
const MOST_TWINS = 32;

/** The keys that a session has shown, with their tokens. */
type Holdings = ReadonlyMap<string, string>;

/** The sessions that share the page, and whose requests they are. */
export class Sessions {
  readonly #all = new Map<Session, Holdings>();
  readonly #owners = new Map<string, Session>();
  readonly #changes = new Changes();
  readonly #since: number;

  /** `since` is a time: versions of this host are greater than those of the one before. */
  constructor(since: number) {
    this.#since = since;
  }

  get all(): readonly Session[] {
    return [...this.#all.keys()];
  }

  get version(): number {
    return this.#since + this.#changes.version;
  }

  add(session: Session): void {
    this.#all.set(session, new Map());
    this.#changes.bump();
  }

  remove(session: Session): void {
    if (!this.#all.has(session)) return;
    this.#own(session, new Map());
    this.#all.delete(session);
    this.#changes.bump();
  }

  /** Takes in what a session says of itself. One that says it has a page and does not show its key is cut off. */
  hear(session: Session, { waiting, windows, version, kept = [] }: Overview): void {
    const before = this.#all.get(session);
    if (!before) return;
    const keys = [...kept, ...waiting.flatMap(({ key }) => key ?? [])];
    const holdings = new Map(keys.map((key) => [key, before.get(key) ?? tokenOf(key)]));
    const isProven = waiting.every(({ key = "", token }) => holdings.get(key) === token);
    if (!isProven || !this.#own(session, holdings)) return session.cut?.();
    // The keys stay here: nobody who looks at a page has to prove that it is theirs.
    session.overview = { waiting: waiting.map(unkeyed), windows, version };
    session.hangs = false;
    this.#changes.bump();
  }

  /** Whose page it is: that of the session that has shown its key, for as long as it says that there is one. */
  ownerOf(token: string): Session | undefined {
    return this.#owners.get(token);
  }

  /** Everything that waits, in the order asked. */
  lines(): Line[] {
    const lines = this.all.flatMap((session) => session.overview.waiting.map((line) => ({ session, line })));
    return lines.sort((a, b) => a.line.since - b.line.since || (a.line.token < b.line.token ? -1 : 1));
  }

  /** The request and those that say they are for exactly the same, in the order asked: as many as share a card. */
  twinsOf(token: string): Line[] {
    const lines = this.lines();
    const twin = lines.find(({ line }) => line.token === token)?.line.twin;
    if (twin === undefined) return [];
    const twins = lines.filter(({ line }) => line.twin === twin);
    const at = twins.findIndex(({ line }) => line.token === token);
    const from = at - (at % MOST_TWINS);
    return twins.slice(from, from + MOST_TWINS);
  }

  /** Those that wait in a session, and say that something that waits in any is for exactly the same. */
  twinned({ overview }: Session): readonly string[] {
    const times = new Map<string, number>();
    for (const each of this.all)
      for (const { twin } of each.overview.waiting) if (twin !== undefined) times.set(twin, (times.get(twin) ?? 0) + 1);
    return overview.waiting.flatMap(({ twin, token }) =>
      twin !== undefined && (times.get(twin) ?? 0) > 1 ? token : [],
    );
  }

  overview(): Overview {
    const windows = this.all.flatMap(({ overview }) => overview.windows);
    return {
      waiting: this.lines().map(({ line }) => line),
      windows: windows.sort((a, b) => (a.until ?? Number.MAX_SAFE_INTEGER) - (b.until ?? Number.MAX_SAFE_INTEGER)),
      version: this.version,
    };
  }

  /** Resolves when the version is past this one, or the signal aborts. */
  changed(version: number, signal: AbortSignal): Promise<void> {
    return this.#changes.after(version - this.#since, signal);
  }

  /** What both know the key of is that of the one who came first; the host gives nothing of its own away. */
  #own(session: Session, holdings: Holdings): boolean {
    for (const token of holdings.values()) {
      const owner = this.#owners.get(token);
      if (owner === undefined || owner === session) continue;
      if (session.cut) return false;
      this.remove(owner);
      owner.cut?.();
    }
    for (const token of this.#all.get(session)?.values() ?? []) this.#owners.delete(token);
    for (const token of holdings.values()) this.#owners.set(token, session);
    this.#all.set(session, holdings);
    return true;
  }

  /** Whether anything waits, or is open, in any of them. */
  isNeeded(): boolean {
    return this.all.some(({ overview }) => overview.waiting.length > 0 || overview.windows.length > 0);
  }
}

function unkeyed(line: WaitingLine): WaitingLine {
  const { key: _key, ...rest } = line;
  return rest;
}
