import { type Clock, pause } from "../../core/clock.ts";
import { VaultError } from "../../core/errors.ts";
import { quoted } from "../../core/text.ts";
import { refuseAborted, untilAborted } from "../abort.ts";
import { faultOf, mayHaveHappened } from "../http-faults.ts";
import type { Api } from "./api.ts";
import { isGone, type Ledger, type Noted } from "./ledger.ts";
import type { Locals } from "./local.ts";
import { WHO } from "./options.ts";
import { type Sighting, seek } from "./probe.ts";
import type { RequestState } from "./replies.ts";
import { blocked, nobodyAnswered, notInTime, turnedDown } from "./verdicts.ts";
import type { Tell, Watching } from "./watches.ts";

export interface WorkflowOptions {
  readonly api: Api;
  readonly ledger: Ledger;
  readonly locals: Locals;
  readonly clock: Clock;
  /** The values of RequestAction, asked for when they are needed. */
  readonly actions: (signal: AbortSignal) => Promise<readonly string[]>;
  readonly requestMs: number;
  readonly pollMs: number;
  readonly timeoutMs: number | undefined;
  readonly onReject: "ask" | "giveUp";
}

/** An asset that is to be read. */
export interface Wanted {
  readonly id: string;
  /** How messages call it. */
  readonly label: string;
  /** What its people are told. */
  readonly message: string;
}

/** For how long the process that is submitting may take, before it is taken to have failed. */
const SUBMITTING_MS = 60_000;
/** For how long a request that may have arrived is looked for: a queue may lag. */
const UNSURE_MS = 30_000;
/** For how long an asset that was turned down is left alone where it may be asked for again. */
const REJECTED_MS = 5 * 60_000;
const GLANCE_MS = 2_000;
/** By how much two clocks may differ before that matters. */
const SKEW_MS = 60_000;
/** For how long a server may be away while its people are waited for. */
const AWAY_MS = 10 * 60_000;

/**
 * The vault's own approval, from the request to the answer. All that is known of a request stands in the ledger before
 * the next step is taken, so that whoever comes later, after a crash too, goes on from there and nobody asks twice.
 */
export class Workflow {
  readonly #o: WorkflowOptions;
  readonly #submissions = new Map<string, Promise<void>>();

  constructor(options: WorkflowOptions) {
    this.#o = options;
  }

  /** Whether there is anything to do or to wait for before an asset can be read. Asks nobody. */
  isPending(asset: string): boolean {
    const noted = this.#o.ledger.find(asset);
    return noted === undefined ? this.#o.locals.of(asset).restricted : noted.state !== "open";
  }

  /** What is known to stand against an asset until later, so that nobody is asked in vain. Asks nobody. */
  refusal(asset: string, label: string): VaultError | undefined {
    const noted = this.#o.ledger.find(asset);
    return noted && this.#refusalIn(noted, label);
  }

  /** Makes an asset ready: goes on from whatever is noted until the vault's people have answered. */
  prepare({ id, label, message }: Wanted): Watching {
    return async (tell, signal) => {
      const { ledger, locals } = this.#o;
      const local = locals.of(id);
      try {
        for (;;) {
          refuseAborted(signal, WHO);
          await untilAborted(this.#submissions.get(id) ?? Promise.resolve(), signal, WHO);
          const noted = ledger.find(id);
          const refusal = noted && this.#refusalIn(noted, label);
          if (refusal) throw refusal;
          if (noted === undefined) {
            if (!local.restricted) return;
            await this.#submit({ id, label, message }, signal);
          } else if (await this.#advance(noted, label, tell, signal)) return;
        }
      } finally {
        // A read said so, and only the next read can say so again.
        if (!signal.aborted) local.restricted = false;
      }
    };
  }

  /** One step on from what is noted. True when the asset may be read now. */
  #advance(noted: Noted, label: string, tell: Tell, signal: AbortSignal): boolean | Promise<boolean> {
    const { state } = noted;
    if (state === "open") return true;
    // Refused already where that still counts.
    if (state === "rejected" || state === "blocked") return this.#forget(noted);
    if (state === "submitted") return this.#locate(noted, label, tell, signal);
    return state === "waiting" ? this.#poll(noted, label, tell, signal) : this.#recover(noted, label, tell, signal);
  }

  /** Asks the vault's people, if nobody else does. Noted before it is sent; once sent, nobody's leaving stops it. */
  async #submit({ id, label, message }: Wanted, signal: AbortSignal): Promise<void> {
    const { ledger, locals, clock, requestMs, api } = this.#o;
    const submit = await api.createRequest(id, signal);
    refuseAborted(signal, WHO);
    // Nothing is waited for from here until it is sent: whoever leaves now leaves after it.
    const from = clock.now();
    const claimed = ledger.claim(id, from + requestMs);
    if (claimed === undefined) return;
    locals.of(id).restricted = false;
    const send = async (): Promise<void> => {
      let request;
      try {
        request = await submit({ message, from, to: claimed.until });
      } catch (error) {
        if (mayHaveHappened(error)) ledger.change(claimed, { state: "unsure" });
        else ledger.drop(claimed);
        throw error instanceof VaultError ? withAsset(error, label) : error;
      }
      ledger.change(claimed, { state: "submitted", ...(request !== undefined && { request }) });
    };
    const sending = send().finally(() => this.#submissions.delete(id));
    sending.catch(() => {});
    this.#submissions.set(id, sending);
    await untilAborted(sending, signal, WHO);
  }

  /** Finds out what became of a request that somebody began to submit, and did not get to the end of. */
  async #recover(noted: Noted, label: string, tell: Tell, signal: AbortSignal): Promise<boolean> {
    const { ledger, clock, api, actions } = this.#o;
    const isOurs = noted.by.id === ledger.me.id;
    const isOver = noted.state === "unsure" || isOurs || isGone(noted.by);
    tell({ for: "earlier", label, request: noted.request });
    if (!isOver && this.#isYoung(noted, SUBMITTING_MS)) {
      await this.#pause(GLANCE_MS, signal);
      return false;
    }
    const sighting = await seek(noted.asset, await actions(signal), api, clock, signal);
    if (sighting.is === "active") return this.#seen(noted, sighting);
    if (sighting.is === "blocked") return this.#block(noted, label, sighting.state);
    if (this.#isYoung(noted, UNSURE_MS)) {
      await this.#pause(GLANCE_MS, signal);
      return false;
    }
    // It never arrived, or has been answered already: a read tells which of the two, and who then submits is alone.
    return this.#forget(noted);
  }

  /** Finds the action under which a request that was submitted is kept. */
  async #locate(noted: Noted, label: string, tell: Tell, signal: AbortSignal): Promise<boolean> {
    const { clock, api, actions, pollMs } = this.#o;
    tell({ for: "queue", label, request: noted.request });
    const sighting = await seek(noted.asset, await actions(signal), api, clock, signal);
    // Approved by a form and not by people, it never was in a queue: let a read try.
    if (sighting.is === "none") return true;
    if (sighting.is === "blocked") return this.#block(noted, label, sighting.state);
    if (sighting.is === "active") return this.#seen(noted, sighting);
    // Wrong actions always say Open, so this is the right one; what it says may be about an earlier request.
    await this.#pause(pollMs, signal);
    const { state } = await api.requestStatus(noted.asset, sighting.action, signal);
    if (state === "Closed") return this.#reject(noted, label);
    return state === "Open";
  }

  /** Asks how things stand, again and again, until the vault's people have answered or time is up. */
  async #poll(noted: Noted, label: string, tell: Tell, signal: AbortSignal): Promise<boolean> {
    const { ledger, clock, timeoutMs, pollMs } = this.#o;
    let aheadMs = 0;
    /** The time, unless our clock is ahead of the server's: by that one a request ends. */
    const now = (): number => clock.now() - aheadMs;
    const giveUpAt = Math.min(noted.until, timeoutMs === undefined ? noted.until : noted.at + timeoutMs);
    let heardAt: number | undefined;
    for (;;) {
      const { state, at = now() } = await this.#stateOf(noted, heardAt, signal);
      aheadMs = clock.now() - at > SKEW_MS ? clock.now() - at : 0;
      // Left by an earlier process, and over: what has become of it is no answer any more.
      if (now() >= noted.until && heardAt === undefined && state !== "Open") return this.#forget(noted);
      if (state === "Active") {
        heardAt = clock.mono();
        tell({ for: "approvers", label, request: noted.request });
      }
      if (state === "away") tell({ for: "server", label, request: noted.request });
      if (state === "Open") {
        ledger.change(noted, { state: "open" });
        return false;
      }
      if (state === "Closed") return this.#reject(noted, label);
      if (state === "Restricted" || state === "MFA") return this.#block(noted, label, state);
      if (now() >= noted.until) {
        ledger.drop(noted);
        throw notInTime(label);
      }
      if (now() >= giveUpAt) throw nobodyAnswered(label, noted.until);
      await this.#pause(Math.min(jittered(pollMs), Math.max(1, giveUpAt - now())), signal);
      // Asked once more at the very end; before that, another process may have heard the answer first.
      if (now() >= noted.until) continue;
      const seen = ledger.find(noted.asset);
      if (seen?.state !== "waiting" || seen.action !== noted.action) return false;
    }
  }

  /** How a request stands; "away" while the server cannot be asked, for as long as that may last. */
  async #stateOf(
    { asset, action = "" }: Noted,
    heardAt: number | undefined,
    signal: AbortSignal,
  ): Promise<{ readonly state: RequestState | "away"; readonly at?: number }> {
    const { api, clock } = this.#o;
    try {
      const standing = await api.requestStatus(asset, action, signal);
      if (standing.state !== "Unknown") return standing;
      throw new VaultError(
        "provider_unavailable",
        `12Port says of the request for asset ${asset} what is not known here`,
        {
          hint: "tell the user to look at the request in 12Port; this version of agent-vault may not fit that version of it",
        },
      );
    } catch (error) {
      const fault = faultOf(error);
      const isAway = fault !== undefined && fault.kind !== "cancelled" && !signal.aborted;
      // Whoever comes anew is told at once; who has been waiting for days is not sent away for a minute's outage.
      if (!isAway || heardAt === undefined || clock.mono() - heardAt > AWAY_MS) throw error;
      return { state: "away" };
    }
  }

  /** It is with the vault's people: from now on that action alone is looked at. */
  #seen(noted: Noted, { action, workflow }: Extract<Sighting, { is: "active" }>): false {
    this.#o.ledger.change(noted, { state: "waiting", action, ...(workflow !== undefined && { workflow }) });
    return false;
  }

  #reject(noted: Noted, label: string): never {
    const { ledger, clock } = this.#o;
    const rejected = clock.now();
    ledger.change(noted, { state: "rejected", rejected });
    throw turnedDown(label, this.#askedAgainAt({ ...noted, rejected }), noted.request);
  }

  /** What stands against all of an asset, whichever field is meant: its people decide about no less. */
  #refusalIn(noted: Noted, label: string): VaultError | undefined {
    const { state, obstacle = "withheld", until, request } = noted;
    if (state === "blocked") return blocked(label, obstacle, until);
    const askedAgainAt = this.#askedAgainAt(noted);
    return state === "rejected" && askedAgainAt > this.#o.clock.now()
      ? turnedDown(label, askedAgainAt, request)
      : undefined;
  }

  /** When the vault's people may be asked for an asset again that they turned down. */
  #askedAgainAt({ until, rejected = 0 }: Noted): number {
    return this.#o.onReject === "ask" ? Math.min(until, rejected + REJECTED_MS) : until;
  }

  /** Whether a request was submitted so short a time ago. One that is far ahead of our clock was not. */
  #isYoung({ at }: Noted, ms: number): boolean {
    return Math.abs(this.#o.clock.now() - at) < ms;
  }

  #forget(noted: Noted): false {
    this.#o.ledger.drop(noted);
    return false;
  }

  #block(noted: Noted, label: string, state: "Restricted" | "MFA"): never {
    throw blocked(label, state, this.#o.ledger.block(noted, state));
  }

  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    await pause(this.#o.clock, ms, signal);
    refuseAborted(signal, WHO);
  }
}

/** Not all who wait ask at the same moment. */
function jittered(ms: number): number {
  return Math.round(ms * (0.9 + 0.2 * Math.random()));
}

/** The same error, with the asset it is about. */
function withAsset(error: VaultError, label: string): VaultError {
  const { code, message, hint, cause } = error;
  const about = `asset ${quoted(label)}: ${message}`;
  return new VaultError(code, about, { ...(hint !== undefined && { hint }), cause });
}
