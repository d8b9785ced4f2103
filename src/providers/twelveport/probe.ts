import { type Clock, pause } from "../../core/clock.ts";
import { VaultError } from "../../core/errors.ts";
import { faultOf } from "../http-faults.ts";
import { refuseAborted } from "../abort.ts";
import type { Api } from "./api.ts";
import { WHO } from "./options.ts";

/** What was found of an asset's request under the actions it may be kept under. */
export type Sighting =
  | { readonly is: "active"; readonly action: string; readonly workflow?: string }
  | { readonly is: "closed"; readonly action: string }
  | { readonly is: "blocked"; readonly state: "Restricted" | "MFA" }
  /** Under none of them is anything to be seen: 12Port answers Open for those, and for what is approved. */
  | { readonly is: "none" };

const MORE_ROUNDS = 3;
const BETWEEN_ROUNDS_MS = 2_000;

/**
 * Looks under every action, one after the other, for the one that keeps the request: the server does not tell it. A
 * queue may lag, so it looks up to four times, two seconds apart.
 */
export async function seek(
  asset: string,
  actions: readonly string[],
  api: Pick<Api, "requestStatus">,
  clock: Clock,
  signal: AbortSignal,
): Promise<Sighting> {
  for (let round = 0; ; round++) {
    const sighting = await lookOnce(asset, actions, api, signal);
    // Closed may be what is left of an earlier request while the queue still lags.
    if (sighting.is === "active" || sighting.is === "blocked" || round === MORE_ROUNDS) return sighting;
    await pause(clock, BETWEEN_ROUNDS_MS, signal);
    refuseAborted(signal, WHO);
  }
}

async function lookOnce(
  asset: string,
  actions: readonly string[],
  api: Pick<Api, "requestStatus">,
  signal: AbortSignal,
): Promise<Sighting> {
  let closed: Sighting | undefined;
  let blocked: Sighting | undefined;
  let failure: VaultError | undefined;
  let answered = 0;
  for (const action of actions) {
    try {
      const { state, workflow } = await api.requestStatus(asset, action, signal);
      answered++;
      if (state === "Active") return { is: "active", action, ...(workflow !== undefined && { workflow }) };
      if (state === "Closed") closed ??= { is: "closed", action };
      if (state === "Restricted" || state === "MFA") blocked ??= { is: "blocked", state };
    } catch (error) {
      // An action that this server refuses says nothing about the others.
      if (!(error instanceof VaultError) || faultOf(error)?.kind !== "error") throw error;
      failure = error;
    }
  }
  if (answered === 0 && failure) throw failure;
  return blocked ?? closed ?? { is: "none" };
}
