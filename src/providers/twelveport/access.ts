import type { Clock } from "../../core/clock.ts";
import type { VaultError } from "../../core/errors.ts";
import { quoted } from "../../core/text.ts";
import type { Api } from "./api.ts";
import { isGone, type Ledger, type Noted } from "./ledger.ts";
import type { TwelvePortOptions } from "./options.ts";
import { approvalWanted, notInQueue, stillRestricted } from "./verdicts.ts";

export interface AccessOptions {
  readonly api: Api;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly complete: TwelvePortOptions["complete"];
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
  readonly #reading = new Map<string, number>();
  readonly #stuck = new Map<string, number>();
  readonly #givingBack = new Map<Promise<void>, AbortController>();

  constructor(options: AccessOptions) {
    this.#o = options;
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
      if (noted.state === "open" && noted.users === undefined) {
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
    if (!this.#used.has(asset)) {
      const users = [...livingOf(noted).filter(({ id }) => id !== ledger.me.id), ledger.me];
      // Whoever changed it meanwhile has read it too, or ended it; the next read comes by here again.
      if (ledger.change(noted, { state: "open", users })) this.#used.add(asset);
    }
    if (complete === "use") clock.after(LAST_USE_MS, () => this.#giveBack(asset));
  }

  /** Gives back what nothing permits any more. */
  ended(isStillPermitted: (asset: string) => boolean): void {
    if (this.#o.complete !== "window") return;
    for (const asset of this.#used) if (!isStillPermitted(asset)) this.#giveBack(asset);
  }

  /** Gives back whatever this process has used: no permission of ours outlives it. */
  async close(): Promise<void> {
    if (this.#o.complete !== "never") for (const asset of this.#used) this.#giveBack(asset);
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
    const { clock, api, label, warn } = this.#o;
    const cancel = clock.after(GIVE_BACK_MS, () => late.abort());
    try {
      const noted = this.#leave(asset);
      if (noted?.workflow !== undefined) await api.completeRequest(noted.workflow, late.signal);
    } catch {
      warn(`the request for 12Port asset ${quoted(label(asset))} could not be closed; it ends by itself`);
    } finally {
      cancel();
    }
  }

  /** Takes this process off the record; the record itself when it was the last, and then it is to be closed. */
  #leave(asset: string): Noted | undefined {
    const { ledger } = this.#o;
    for (;;) {
      const noted = ledger.find(asset);
      if (noted?.state !== "open") return undefined;
      const others = livingOf(noted).filter(({ id }) => id !== ledger.me.id);
      if (others.length > 0 ? ledger.change(noted, { users: others }) : ledger.drop(noted)) {
        return others.length > 0 ? undefined : noted;
      }
    }
  }
}

function livingOf({ users = [] }: Noted): NonNullable<Noted["users"]> {
  return users.filter((user) => !isGone(user));
}
