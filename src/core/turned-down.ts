import type { Clock } from "./clock.ts";
import { Cooldown } from "./cooldown.ts";
import { VaultError } from "./errors.ts";
import { errorOf } from "./outcomes.ts";
import type { Each } from "./ports.ts";
import { type AccessRequest, type Handle, labelOf } from "./request.ts";
import { clip, quoted, visible } from "./text.ts";

/** What the vault's people, or its rules for them, refused of a request: why, by ref. */
export type TurnedDown = ReadonlyMap<string, VaultError>;

/** Nothing was refused. */
export const NOTHING: TurnedDown = new Map();

const MOST_CHARACTERS = 300;

/** A person approved the request without this secret. Made anew each time, as errors are. */
export function leftOutError(): VaultError {
  return new VaultError("denied", "a person left this one out when they approved the others", {
    hint: "do not ask for it again; ask the user what to do instead",
  });
}

/** An approved request, without what a person left out of it. */
export interface Permitted {
  readonly request: AccessRequest;
  readonly leftOut: TurnedDown;
}

export function permittedRefs({ request, leftOut }: Permitted): readonly string[] {
  return request.items.flatMap(({ handle }) => (leftOut.has(handle.ref) ? [] : [handle.ref]));
}

/** Whether it is the vault's own people, or its rules for them, that refused. */
export function isRefusal({ code }: VaultError): boolean {
  return code === "upstream_denied" || code === "upstream_blocked";
}

/** What the vault's people wrote may be part of it. */
export function presentable(error: VaultError): VaultError {
  const message = shown(error.message);
  const hint = error.hint === undefined ? undefined : shown(error.hint);
  if (message === error.message && hint === error.hint) return error;
  return new VaultError(error.code, message, { ...(hint !== undefined && { hint }), cause: error });
}

/** Text from a vault, visible and no longer than a line. */
export function shown(text: string): string {
  return clip(visible(text), MOST_CHARACTERS);
}

/**
 * What a vault refused of what it made ready for. Throws where that is not said of each handle in one of the ways there
 * are: what is not understood is not ready.
 */
export function refusedOf(handles: readonly Handle[], each: Each<"ready">): TurnedDown {
  if (!Array.isArray(each) || each.length !== handles.length) throw new RangeError("not one outcome for each handle");
  const refused = new Map<string, VaultError>();
  for (const [at, { ref }] of handles.entries()) {
    const outcome: unknown = each[at];
    if (outcome === "ready") continue;
    if (!(outcome instanceof VaultError)) throw new RangeError("an outcome that is none");
    if (!isRefusal(outcome)) throw outcome;
    refused.set(ref, presentable(outcome));
  }
  return refused;
}

/** The error for a request of which nothing is left; undefined while something of it is. */
export function nothingLeft({ items }: AccessRequest, refused: TurnedDown): VaultError | undefined {
  if (refused.size === 0) return undefined;
  const each = items.map(({ handle }) => refused.get(handle.ref));
  if (each.includes(undefined)) return undefined;
  return errorOf(
    each.filter((error) => error !== undefined),
    items.map(({ handle }) => labelOf(handle)),
  );
}

/** What vaults turned down a short while ago, by what it is and not by what it is called. They are not asked again at once. */
export class LatelyTurnedDown {
  readonly #lately: Cooldown<VaultError>;

  constructor(clock: Clock, lengthMs: number) {
    this.#lately = new Cooldown(clock, lengthMs);
  }

  add(request: AccessRequest, refused: TurnedDown): void {
    for (const [ref, error] of refused) this.#lately.add([keyOf(request, ref)], error);
  }

  /** What of a request was turned down lately, in the vault's own words and with how long that holds. */
  of(request: AccessRequest): TurnedDown {
    if (!this.#lately.hasAny) return NOTHING;
    const refused = new Map<string, VaultError>();
    for (const { handle } of request.items) {
      const found = this.#lately.find(keyOf(request, handle.ref));
      if (found) refused.set(handle.ref, again(found.what, found.leftMs));
    }
    return refused;
  }

  /** Throws when any of it was: of a batch, it says which. */
  refuse(request: AccessRequest): void {
    const refused = this.of(request);
    const [first] = refused.values();
    if (!first) return;
    if (request.items.length === 1) throw first;
    const culprits = request.items.filter(({ handle }) => refused.has(handle.ref)).map(({ handle }) => handle);
    const which = culprits.map((handle) => quoted(labelOf(handle))).join(", ");
    throw new VaultError(first.code, `turned down a moment ago: ${which}: ${first.message}`, {
      hint: "call again without that, or ask the user what to do instead",
      cause: [...refused.values()],
    });
  }
}

/** The vault's hint may tell when it can be asked again, which is sooner or later than this: so it stays out. */
function again(error: VaultError, leftMs: number): VaultError {
  const text = `${error.message}; that was a moment ago, it is tried again in ${Math.ceil(leftMs / 1000)} s at the earliest`;
  const hint =
    error.code === "upstream_denied"
      ? "ask the user what to do instead"
      : "ask the user to clear in the vault what blocks it, then call again";
  return new VaultError(error.code, text, { hint, cause: error });
}

function keyOf({ session, vault, action }: AccessRequest, ref: string): string {
  return JSON.stringify([session, vault, action, ref]);
}
