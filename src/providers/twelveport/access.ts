import type { Clock } from "../../core/clock.ts";
import type { VaultError } from "../../core/errors.ts";
import { quoted } from "../../core/text.ts";
import type { Api } from "./api.ts";
import type { Ledger } from "./ledger.ts";
import type { Locals } from "./local.ts";
import type { TwelvePortOptions } from "./options.ts";
import { approvalWanted, blocked, notInQueue } from "./verdicts.ts";

export interface AccessOptions {
  readonly api: Api;
  readonly ledger: Ledger;
  readonly locals: Locals;
  readonly clock: Clock;
  readonly complete: TwelvePortOptions["complete"];
  readonly requestMs: number;
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

/** What reads come to, and what becomes of an approval that was used. */
export class Access {
  readonly #o: AccessOptions;
  readonly #givingBack = new Map<Promise<void>, AbortController>();

  constructor(options: AccessOptions) {
    this.#o = options;
  }

  /** Says to other processes that this one waits for an asset or uses it: what it needs is not to be closed by them. */
  join(asset: string): void {
    const { ledger, locals, clock, requestMs } = this.#o;
    ledger.join(asset, clock.now() + requestMs);
    locals.of(asset).joined = true;
  }

  /** Marks a read of an asset as under way; call what it returns when it is over. */
  begin(asset: string): () => void {
    const local = this.#o.locals.of(asset);
    local.reading++;
    return () => void local.reading--;
  }

  /** A read was refused for want of an approval: what that means. */
  refused(asset: string): VaultError {
    const { ledger, locals, clock } = this.#o;
    const [local, label] = [locals.of(asset), this.#o.label(asset)];
    const noted = ledger.find(asset);
    if (noted?.state === "submitted" && clock.now() - noted.at < LOST_MS) return notInQueue(label);
    if (noted?.state === "open" || noted?.state === "submitted") {
      local.used = false;
      // Asking again at once could go on for ever.
      if (noted.state === "open" && noted.given !== true)
        return blocked(label, "withheld", ledger.block(noted, "withheld"));
      ledger.drop(noted);
    }
    local.restricted = true;
    return approvalWanted(label);
  }

  /** A read gave what it was for. */
  given(asset: string): void {
    const { ledger, locals, clock, complete } = this.#o;
    const [local, noted] = [locals.of(asset), ledger.find(asset)];
    if (noted?.state !== "open" && noted?.state !== "submitted") return;
    if (!local.joined) this.join(asset);
    // Whoever has changed it meanwhile has read it too, or has ended it.
    if (noted.given !== true) ledger.change(noted, { state: "open", given: true });
    local.used = true;
    if (complete === "use") clock.after(LAST_USE_MS, () => this.#giveBack(asset));
  }

  /** Gives back what nothing permits any more. */
  ended(isStillPermitted: (asset: string) => boolean): void {
    const { locals, complete } = this.#o;
    for (const asset of locals.joined()) {
      if (isStillPermitted(asset)) continue;
      if (complete === "window") this.#giveBack(asset);
      // Approved for a call that did not come for it: it stays for the next one.
      if (!locals.of(asset).used) this.#leave(asset);
    }
  }

  /** Gives back whatever this process has used: no permission of ours outlives it. */
  async close(): Promise<void> {
    for (const asset of this.#o.locals.joined()) {
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
    const local = this.#o.locals.of(asset);
    if (local.reading > 0 || !local.used) return;
    local.used = false;
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
    const local = this.#o.locals.of(asset);
    if (!local.joined) return false;
    local.joined = false;
    return this.#o.ledger.leave(asset);
  }
}
