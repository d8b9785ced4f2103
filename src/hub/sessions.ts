import { Changes } from "../core/changes.ts";
import type { Overview, WaitingLine } from "../core/overview.ts";
import type { Session } from "./session.ts";

/** A request that waits, and the session it waits in. */
export interface Line {
  readonly session: Session;
  readonly line: WaitingLine;
}

/** How many tokens of requests that wait no longer are remembered with their session. */
const MOST_REMEMBERED = 5_000;

/** The sessions that share the page, and whose requests they are. */
export class Sessions {
  readonly #all = new Set<Session>();
  readonly #owners = new Map<string, Session>();
  readonly #changes = new Changes();
  readonly #since: number;

  /** `since` is a time: versions of this host are greater than those of the one before. */
  constructor(since: number) {
    this.#since = since;
  }

  get all(): readonly Session[] {
    return [...this.#all];
  }

  get version(): number {
    return this.#since + this.#changes.version;
  }

  add(session: Session): void {
    this.#all.add(session);
    this.#changes.bump();
  }

  remove(session: Session): void {
    if (!this.#all.delete(session)) return;
    for (const [token, owner] of this.#owners) if (owner === session) this.#owners.delete(token);
    this.#changes.bump();
  }

  /** Takes in what a session says of itself. One that says it has the request of another is cut off. */
  hear(session: Session, overview: Overview): void {
    if (!this.#all.has(session)) return;
    const stolen = overview.waiting.some(({ token }) => (this.#owners.get(token) ?? session) !== session);
    if (stolen) return session.cut?.();
    session.overview = overview;
    session.hangs = false;
    for (const { token } of overview.waiting) this.remember(token, session);
    this.#changes.bump();
  }

  /** Whose request it is, as far as that is known. */
  ownerOf(token: string): Session | undefined {
    return this.#owners.get(token);
  }

  remember(token: string, session: Session): void {
    this.#owners.delete(token);
    this.#owners.set(token, session);
    for (const oldest of this.#owners.keys()) {
      if (this.#owners.size <= MOST_REMEMBERED) return;
      this.#owners.delete(oldest);
    }
  }

  /** Everything that waits, in the order asked. */
  lines(): Line[] {
    const lines = this.all.flatMap((session) => session.overview.waiting.map((line) => ({ session, line })));
    return lines.sort((a, b) => a.line.since - b.line.since || (a.line.token < b.line.token ? -1 : 1));
  }

  /** The request and those of other sessions that are for exactly the same, in the order asked. */
  twinsOf(token: string): Line[] {
    const lines = this.lines();
    const twin = lines.find(({ line }) => line.token === token)?.line.twin;
    return twin === undefined ? [] : lines.filter(({ line }) => line.twin === twin);
  }

  /** Whether one that was asked before it has the same card, and is before a person already. */
  isShared(token: string): boolean {
    const twins = this.twinsOf(token);
    const first = twins.find(({ line }) => !line.isBehind);
    return first !== undefined && first.line.token !== token && twins.some(({ line }) => line.token === token);
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

  /** Whether anything waits, or is open, in any of them. */
  isNeeded(): boolean {
    return this.all.some(({ overview }) => overview.waiting.length > 0 || overview.windows.length > 0);
  }
}
