import type { AccessRequest } from "./request.ts";

/** How often a person of this session has said yes to exactly the same secrets: the card says so. */
export class ApprovedBefore {
  readonly #times = new Map<string, number>();

  times(request: AccessRequest): number {
    return this.#times.get(keyOf(request)) ?? 0;
  }

  add(request: AccessRequest): void {
    this.#times.set(keyOf(request), this.times(request) + 1);
  }
}

function keyOf({ vault, action, items }: AccessRequest): string {
  return JSON.stringify([vault, action, items.map((item) => item.handle.ref).toSorted()]);
}
