import type { Clock } from "../../core/clock.ts";
import type { VaultError } from "../../core/errors.ts";
import { quoted } from "../../core/text.ts";
import type { Api } from "./api.ts";
import type { Ledger } from "./ledger.ts";
import type { TwelvePortOptions } from "./options.ts";
import { approvalWanted, notInQueue, stillRestricted } from "./verdicts.ts";

export interface AccessOptions {
  readonly api: Api;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly complete: TwelvePortOptions["complete"];
  readonly requestMs: number;
  /** Has the vault's people asked before the next read. */
  readonly restrict: (asset: string) => void;
  readonly label: (asset: string) => string;
  readonly warn: (line: string) => void;
}

/** For how long a request that was taken may be nowhere to be seen. */
const LOST_MS = 5 * 60_000;
/** Calls that were approved together read within a moment of each other. */
const LAST_USE_MS = 2_000;
const GIVE_BACK_MS = 10_000;
/** Closing has a second in all, whatever the clock says. */
const CLOSING_MS = 900;
/** For how long an asset that is open and yet not given is left alone. */
const STUCK_MS = 5 * 60_000;

/** What reads come to, and what becomes of an approval that was used. */
export class Access {
  readonly #o: AccessOptions;
  /** Assets read under an approval of the vault's people, by this process. */
  readonly #used = new Set<string>();
  /** Assets that this process has said it waits for or uses. */
  readonly #joined = new Set<string>();
  readonly #reading = new Map<string, number>();
  readonly #stuck = new Map<string, number>();
  readonly #givingBack = new Map<Promise<void>, AbortController>();

  constructor(options: AccessOptions) {
    this.#o = options;
  }

  /** Says to other processes that this one waits for an asset or uses it: what it needs is not to be closed by them. */
  join(asset: string): void {
    const { ledger, clock, requestMs } = this.#o;
    ledger.join(asset, clock.now() + requestMs);
    this.#joined.add(asset);
  }

  /** Marks a read of an asset as under way; call what it returns when it is over. */
  begin(asset: string): () => void {
    this.#reading.set(asset, (this.#reading.get(asset) ?? 0) + 1);
    return () => {
      const left = (this.#reading.get(asset) ?? 1) - 1;
      if (left > 0) this.#reading.set(asset, left);
      else this.#reading.delete(asset);
    };
  }

  /** Throws while an asset is left alone that 12Port called open and did not give. */
  refuseStuck(asset: string): void {
    if ((this.#stuck.get(asset) ?? 0) > this.#o.clock.mono()) throw stillRestricted(this.#o.label(asset));
  }

  /** A read was refused for want of an approval: what that means. */
  refused(asset: string): VaultError {
    const { ledger, clock, label, restrict } = this.#o;
    const noted = ledger.find(asset);
    if (noted?.state === "submitted" && clock.now() - noted.at < LOST_MS) return notInQueue(label(asset));
    if (noted?.state === "open" || noted?.state === "submitted") {
      ledger.drop(noted);
      this.#used.delete(asset);
      if (noted.state === "open" && noted.given !== true) {
        // Asking again at once could go on for ever.
        this.#stuck.set(asset, clock.mono() + STUCK_MS);
        return stillRestricted(label(asset));
      }
    }
    restrict(asset);
    return approvalWanted(label(asset));
  }

  /** A read gave what it was for. */
  given(asset: string): void {
    const { ledger, clock, complete } = this.#o;
    const noted = ledger.find(asset);
    if (noted?.state !== "open" && noted?.state !== "submitted") return;
    if (!this.#joined.has(asset)) this.join(asset);
    // Whoever has changed it meanwhile has read it too, or has ended it.
    if (noted.given !== true) ledger.change(noted, { state: "open", given: true });
    this.#used.add(asset);
    if (complete === "use") clock.after(LAST_USE_MS, () => this.#giveBack(asset));
  }

  /** Gives back what nothing permits any more. */
  ended(isStillPermitted: (asset: string) => boolean): void {
    for (const asset of this.#joined) {
      if (isStillPermitted(asset)) continue;
      if (this.#o.complete === "window") this.#giveBack(asset);
      // Approved for a call that did not come for it: it stays for the next one.
      if (!this.#used.has(asset)) this.#leave(asset);
    }
  }

  /** Gives back whatever this process has used: no permission of ours outlives it. */
  async close(): Promise<void> {
    for (const asset of this.#joined) {
      if (this.#o.complete !== "never") this.#giveBack(asset);
      this.#leave(asset);
    }
    const patience = setTimeout(() => {
      for (const late of this.#givingBack.values()) late.abort();
    }, CLOSING_MS);
    await Promise.all(this.#givingBack.keys());
    clearTimeout(patience);
  }

  #giveBack(asset: string): void {
    if (this.#reading.has(asset) || !this.#used.delete(asset)) return;
    const late = new AbortController();
    const giving = this.#complete(asset, late).finally(() => this.#givingBack.delete(giving));
    this.#givingBack.set(giving, late);
  }

  /** Best effort: what does not work ends by itself at the end of the requested time. Never rejects. */
  async #complete(asset: string, late: AbortController): Promise<void> {
    const { ledger, clock, api, label, warn } = this.#o;
    const cancel = clock.after(GIVE_BACK_MS, () => late.abort());
    try {
      // The last one closes it; what others still wait for or use is left to them.
      const noted = this.#leave(asset) ? undefined : ledger.find(asset);
      if (noted?.state !== "open" || !ledger.drop(noted) || noted.workflow === undefined) return;
      await api.completeRequest(noted.workflow, late.signal);
    } catch {
      warn(`the request for 12Port asset ${quoted(label(asset))} could not be closed; it ends by itself`);
    } finally {
      cancel();
    }
  }

  /** Whether another process waits for it or uses it. */
  #leave(asset: string): boolean {
    return this.#joined.delete(asset) && this.#o.ledger.leave(asset);
  }
}
