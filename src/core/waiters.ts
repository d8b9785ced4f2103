import type { Link, Wait, Waiter } from "./ports.ts";

/** What became known on the way to the person. */
export interface News {
  readonly link?: Link;
  readonly linkIsFinal?: true;
  /** How many channels are about to be rung. */
  readonly bells?: number;
  /** One that was handed the message. */
  readonly rang?: string;
  /** One that was not. */
  readonly silent?: true;
  readonly trouble?: string;
}

/** What a wait says besides what became known on the way. */
export type About = Omit<Wait, "link" | "linkIsFinal" | "stillRinging" | "rang" | "troubles" | "upstream">;

/** The calls that wait for one request, and what they are told. */
export class Waiters {
  readonly #about: () => About;
  readonly #waiters = new Set<Waiter>();
  readonly #rang: string[] = [];
  readonly #troubles: string[] = [];
  #link: Link | undefined;
  #linkIsFinal = false;
  #ringing: number | undefined;

  /** `about` is asked at each word, for what changes. */
  constructor(about: () => About) {
    this.#about = about;
  }

  /** Those that wait at this moment. */
  get count(): number {
    let count = 0;
    for (const waiter of this.#waiters) if (!waiter.signal.aborted) count += 1;
    return count;
  }

  add(waiter: Waiter): void {
    this.#waiters.add(waiter);
    waiter.waiting(this.wait());
  }

  /** False when it did not wait any more. */
  delete(waiter: Waiter): boolean {
    return this.#waiters.delete(waiter);
  }

  learn({ link, linkIsFinal, bells, rang, silent, trouble }: News): void {
    if (link) this.#link = link;
    if (linkIsFinal) this.#linkIsFinal = true;
    if (bells !== undefined) this.#ringing = bells;
    if (rang !== undefined && !this.#rang.includes(rang)) this.#rang.push(rang);
    if (this.#ringing !== undefined && (rang !== undefined || silent)) this.#ringing -= 1;
    if (trouble !== undefined && !this.#troubles.includes(trouble)) this.#troubles.push(trouble);
    this.tell();
  }

  tell(): void {
    for (const waiter of this.#waiters) waiter.waiting(this.wait());
  }

  wait(): Wait {
    return {
      ...this.#about(),
      ...(this.#link && { link: this.#link }),
      linkIsFinal: this.#linkIsFinal,
      ...(this.#ringing !== 0 && { stillRinging: true as const }),
      rang: [...this.#rang],
      troubles: [...this.#troubles],
    };
  }
}
