import type { Event } from "../../src/core/event.ts";
import type { Secret } from "../../src/core/secret.ts";
import type { VaultError } from "../../src/core/errors.ts";
import { type Call, type House, settle, startHouse } from "./house.ts";
import { type Preparing, preparingsOf } from "./preparings.ts";

export const SECRETS = { PLAIN: "hunter2-4711", GUARDED: "canary-guarded-0815", OTHER: "canary-other-1199" };

export type Start = typeof startHouse;

/** A batch that a person has just approved, and its vault, which makes ready when told. */
export async function approvedBatch(
  names: readonly string[],
  options: NonNullable<Parameters<Start>[0]> & { choice?: "window" | "once"; holdMs?: number } = {},
  start: Start = startHouse,
): Promise<{ house: House; preparings: readonly Preparing[]; call: Call<Secret>; first: Preparing }> {
  const house = start({ secrets: SECRETS, ...options });
  const preparings = preparingsOf(house.vault);
  const call = house.get(names, options.holdMs === undefined ? {} : { holdMs: options.holdMs });
  await settle();
  await house.approve(options.choice ?? "once");
  await settle();
  const [first] = preparings;
  if (!first) throw new Error("the vault was not told to make ready");
  return { house, preparings, call, first };
}

/** What the log says of deliveries, in order: what happened, for which refs, with which code. */
export function deliveryLines(events: readonly Event[]): (readonly string[])[] {
  return events
    .filter(({ kind }) => kind === "releasing" || kind === "released" || kind === "failed")
    .map(({ kind, refs, code }) => [kind, ...(refs ?? []), ...(code === undefined ? [] : [code])]);
}

/** What a call fails with. Throws when it does not. */
export async function errorOf(call: Call<unknown>): Promise<VaultError> {
  return call.reply.then(
    () => {
      throw new Error("it did not fail");
    },
    (error: unknown) => error as VaultError,
  );
}
