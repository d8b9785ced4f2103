import { VaultError } from "./errors.ts";
import type { Warrant } from "./grant.ts";
import type { AccessRequest } from "./request.ts";
import type { TurnedDown } from "./turned-down.ts";

/** Permission taken for one delivery. Either `land` or `giveBack` it. */
export interface Claim {
  /** Id of the approval this rests on; several, with commas, where a batch rests on several windows. */
  readonly approval: string;
  readonly basis: "asked" | "window";
  /** The request that was approved, where a person was asked for this very use: that is what they saw. */
  readonly request: AccessRequest | undefined;
  /** What was permitted, and the proof of it. */
  readonly warrants: readonly Warrant[];
  /** What of the request a person left out when they approved it, by ref. */
  readonly leftOut: TurnedDown;
  /** End of the nearest window, epoch ms; undefined when a person was asked for this very use. */
  readonly until: number | undefined;
  /** Why the value must stay where it is: the approval was revoked, its window ended, or the clock became doubtful. */
  readonly broken: () => VaultError | undefined;
  /** The value has been handed over. */
  readonly land: () => void;
  /** It was not: the next identical call may have one use for it, for as long as it would have had to come. */
  readonly giveBack: () => void;
  /** Another delivery under the same permission, for a call that waits beside this one. Only while this one lasts. */
  readonly share: () => Claim;
  /** The vault's own people took their time, not the agent: whoever comes for a use that is given back has it all anew. */
  readonly begunAnew: () => void;
  /** Calls `run` when the permission is broken from outside, without anybody asking; returns how to stop that. */
  readonly onBroken: (run: () => void) => () => void;
}

/** Why a delivery was stopped. Made anew each time: an error belongs to the delivery that it ends. */
export const revoked = (): VaultError =>
  new VaultError("revoked", "a person revoked this approval before the value was handed over", {
    hint: "ask the user before you ask for it again",
  });
/** Gone between the yes and the delivery. */
export const endedUnused = (): VaultError =>
  new VaultError("revoked", "this approval ended before it was used", {
    hint: "call again if it is still needed: a person will be asked",
  });
/** Law 7: a clock that steps back leaves nothing open. */
export const inDoubt = (): VaultError =>
  new VaultError("revoked", "the clock of this computer stepped back, which ends every open approval", {
    hint: "call again: a person will be asked",
  });
/** It was on its way when the window ended. */
export const windowOver = (): VaultError =>
  new VaultError("expired", "the window ended before the value was handed over", {
    hint: "call again: a person will be asked",
  });
/** Whoever it was for is no longer there. */
export const sessionOver = (): VaultError =>
  new VaultError("cancelled", "the session ended before the value was handed over");
/** The process is going away. */
export const closing = (): VaultError => new VaultError("cancelled", "agent-vault is closing; nothing was handed over");
