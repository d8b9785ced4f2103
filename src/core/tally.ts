import type { Clock } from "./clock.ts";
import type { Event } from "./event.ts";
import type { Journal } from "./ports.ts";

const QUIET_MS = 60_000;
const MAX_NAMES = 20;
const MAX_KINDS = 200;

interface Count {
  /** What all of them have in common. */
  alike: Event;
  names: Set<string>;
  count: number;
  stop: () => void;
}

/**
 * Writes things an agent can repeat without end: the first goes to the log at once, its repetitions within a minute
 * become one more line with a count and the names (at most 20), so that a loop cannot flood the log.
 */
export class Tally {
  readonly #journal: Journal;
  readonly #clock: Clock;
  readonly #counts = new Map<string, Count>();

  constructor(journal: Journal, clock: Clock) {
    this.#journal = journal;
    this.#clock = clock;
  }

  note(event: Event): void {
    const full = this.#counts.size >= MAX_KINDS;
    // A vault that does not exist is a word the agent made up, and it has no end of words.
    const vault = event.code === "vault_not_found" ? undefined : event.vault;
    const key = full
      ? event.kind
      : JSON.stringify([event.kind, event.code, vault, event.action, event.session, event.request]);
    const known = this.#counts.get(key);
    if (known) {
      known.count += 1;
      known.alike = common(known.alike, event);
      for (const name of event.names ?? []) if (known.names.size < MAX_NAMES) known.names.add(name);
      return;
    }
    this.#journal.note({ ...event, ...(event.names && { names: event.names.slice(0, MAX_NAMES) }) });
    const stop = this.#clock.after(QUIET_MS, () => this.#close(key));
    this.#counts.set(key, { alike: event, names: new Set(), count: 0, stop });
  }

  /** Writes what was counted so far; nothing is lost when the process ends in good order. */
  flush(): void {
    for (const key of this.#counts.keys()) this.#close(key);
  }

  #close(key: string): void {
    const count = this.#counts.get(key);
    if (!count) return;
    count.stop();
    this.#counts.delete(key);
    if (count.count === 0) return;
    const { names: _, refs: __, reason: ___, ...rest } = count.alike;
    this.#journal.note({ ...rest, at: this.#clock.now(), names: [...count.names], count: count.count });
  }
}

/** The first event without whatever the second says otherwise: a line for many says nothing that holds for some only. */
function common(first: Event, second: Event): Event {
  const { kind, at } = first;
  const other = new Map<string, unknown>(Object.entries(second));
  const same = Object.entries(first).filter(([key, value]) => other.get(key) === value);
  return { ...Object.fromEntries(same), kind, at };
}
