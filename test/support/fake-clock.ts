import type { Clock } from "../../src/core/clock.ts";

/** A clock that moves when told. `advance` moves both clocks and runs what is due; `setWall` moves only the wall. */
export class FakeClock implements Clock {
  #wall: number;
  #mono = 1_000;
  #next = 1;
  readonly #timers = new Map<number, { at: number; run: () => void }>();

  constructor(wall = Date.UTC(2026, 10, 20, 14, 32)) {
    this.#wall = wall;
  }

  readonly now = (): number => this.#wall;
  readonly mono = (): number => this.#mono;
  readonly after = (ms: number, run: () => void): (() => void) => {
    const id = this.#next++;
    this.#timers.set(id, { at: this.#mono + ms, run });
    return () => this.#timers.delete(id);
  };

  advance(ms: number): void {
    const until = this.#mono + ms;
    for (;;) {
      const due = [...this.#timers].filter(([, timer]) => timer.at <= until).sort((a, b) => a[1].at - b[1].at)[0];
      if (!due) break;
      this.#timers.delete(due[0]);
      this.#wall += due[1].at - this.#mono;
      this.#mono = due[1].at;
      due[1].run();
    }
    this.#wall += until - this.#mono;
    this.#mono = until;
  }

  setWall(wall: number): void {
    this.#wall = wall;
  }
}
