import type { Approval } from "../core/card.ts";
import { mergedRevision, type Shown } from "./twins.ts";

/** What the page of a request shows: its own card, or one for it and those that ask for the same. */
export type Group = readonly [Shown, ...Shown[]];

/** How often a request may be another than before, and still share a card: windows open and phones are paired, not more. */
const MOST_MOVES = 3;
/** How many different cards the page of one request may come to show with others, before it shows that request alone. */
const MOST_CARDS = 40;
/** How many requests are remembered. */
const MOST_REMEMBERED = 5_000;

/** What pages have shown: a session whose request never stands still keeps nobody from answering the others. */
export class ShownCards {
  readonly #moves = new Map<string, { revision: number; times: number }>();
  readonly #cards = new Map<string, Map<number, ReadonlyMap<string, number>>>();
  readonly #apart = new Set<string>();
  readonly #next = new Map<string, readonly string[]>();

  /** From now on this request has a card of its own. */
  setApart(token: string): void {
    this.#apart.add(token);
    limit(this.#apart);
  }

  /** Whether a request may share a card, as it stands now. */
  isSteady({ token, card: { revision } }: Shown): boolean {
    if (this.#apart.has(token)) return false;
    const known = this.#moves.get(token) ?? { revision, times: 0 };
    const times = known.times + (known.revision === revision ? 0 : 1);
    this.#moves.delete(token);
    this.#moves.set(token, { revision, times });
    limit(this.#moves);
    if (times > MOST_MOVES) this.setApart(token);
    return times <= MOST_MOVES;
  }

  /** Takes down what the page of this request shows now. */
  note(token: string, group: Group): void {
    if (group.length === 1) return;
    const cards = this.#cards.get(token) ?? new Map<number, ReadonlyMap<string, number>>();
    cards.set(mergedRevision(group), new Map(group.map((each) => [each.token, each.card.revision])));
    this.#cards.delete(token);
    this.#cards.set(token, cards);
    limit(this.#cards);
    if (cards.size > MOST_CARDS) this.setApart(token);
  }

  /**
   * Those of the group that an answer given on the page of this request is for: whoever was on the card that the person
   * saw, as they were on it. Undefined when the request itself is no longer that.
   */
  meant(token: string, group: Group, { revision }: Approval): Group | undefined {
    const own = group.find((each) => each.token === token);
    if (own?.card.revision === revision) return [own];
    if (group.length > 1 && revision === mergedRevision(group)) return group;
    const seen = this.#cards.get(token)?.get(revision);
    const [first, ...others] = group.filter((each) => seen?.get(each.token) === each.card.revision);
    return first && (own === first || (own && others.includes(own))) ? [first, ...others] : undefined;
  }

  /** The yes on the page of this request was taken for it, but not for these others, although they were on its card. */
  leadOn(token: string, others: readonly string[]): void {
    this.#next.set(token, others);
    limit(this.#next);
  }

  /** Those that its page leads to, once it needs no answer itself. */
  nextOf(token: string): readonly string[] {
    return this.#next.get(token) ?? [];
  }
}

function limit(kept: Set<string> | Map<string, unknown>): void {
  for (const oldest of kept.keys()) {
    if (kept.size <= MOST_REMEMBERED) return;
    kept.delete(oldest);
  }
}
