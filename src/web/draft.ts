import type { Approval } from "../core/card.ts";

/** What a person had chosen on a page that did not take it: what the next one begins with. */
export interface Draft {
  /** Positions of the items that stay ticked; absent: all. */
  readonly items?: readonly number[];
  readonly choice?: "once" | "window";
  readonly windowMs?: number;
}

/** The draft in a page's address; an empty one where there is none. It only preselects, so nothing hangs on it. */
export function draftIn({ only, choose }: { readonly [name: string]: unknown }): Draft {
  return {
    ...(typeof only === "string" && /^\d{1,3}(?:\.\d{1,3})*$/.test(only) && { items: only.split(".").map(Number) }),
    ...(choose === "once" && { choice: choose }),
    ...(typeof choose === "string" && /^\d{4,10}$/.test(choose) && { windowMs: Number(choose) }),
  };
}

/** The same as parts of an address. */
export function draftOut({ choice, items, windowMs }: Partial<Approval>): readonly string[] {
  return [
    ...(items === undefined ? [] : [`only=${items.join(".")}`]),
    ...(choice === "once" ? ["choose=once"] : windowMs === undefined ? [] : [`choose=${windowMs}`]),
  ];
}
