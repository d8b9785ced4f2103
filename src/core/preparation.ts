import { attend, waitFor } from "./attendance.ts";
import type { Upstream } from "./card.ts";
import type { Claim } from "./claim.ts";
import type { Clock } from "./clock.ts";
import { asVaultError, VaultError } from "./errors.ts";
import type { Event } from "./event.ts";
import type { Journal, Provider, Wait, Waiter } from "./ports.ts";
import { aboutRequest } from "./records.ts";
import type { AccessRequest } from "./request.ts";
import { isRefusal, nothingLeft, presentable, refusedOf, shown, type TurnedDown } from "./turned-down.ts";

export type Prepare = NonNullable<Provider["prepare"]>;

/** How making ready ended: what of it the vault refused, or why nothing comes of all of it. */
export type Outcome =
  | { readonly is: "ready"; readonly refused: TurnedDown }
  | { readonly is: "failed"; readonly error: VaultError };

/** How the vault's own conditions stand for one call. What failed is in the log already. */
export type Prepared = Outcome | { readonly is: "pending"; readonly wait: Wait };

export interface PreparationOptions {
  readonly clock: Clock;
  readonly journal: Journal;
  /** One call is held no longer than this, however long its client would bear it, ms. */
  readonly holdMs: number;
  /** Told who an approved request waits for, or, with undefined, that it no longer waits. */
  readonly told: (waiting: { request: string; approval: string }, upstream: Upstream | undefined) => void;
  /** Told when nothing comes of it, whether or not a call is attached that hears it. */
  readonly failed: (claim: Claim, error: VaultError) => void;
}

/** What whoever starts one is told of it. */
export interface PreparationNews {
  /** What the vault has refused, of this request and just now. */
  readonly refused: (refused: TurnedDown) => void;
  /** It has ended: the next call needs another. */
  readonly over: () => void;
}

/** A text that counts the seconds would fill the log. */
const MOST_LINES = 20;

/** One approved request, from the moment its vault makes ready until it is ready or will not be. */
export class Preparation {
  readonly request: AccessRequest;
  /** Keeps the permission alive while no call is attached. */
  readonly claim: Claim;
  readonly #o: PreparationOptions;
  readonly #news: PreparationNews;
  readonly #abort = new AbortController();
  /** The calls that wait at this moment, and how to tell each the outcome. Over days there are many, so none stays. */
  readonly #attached = new Map<Waiter, (outcome: Outcome) => void>();
  readonly #logged = new Set<string>();
  #upstream: Upstream | undefined;
  #outcome: Outcome | undefined;
  readonly #unlisten: () => void;

  constructor(request: AccessRequest, claim: Claim, options: PreparationOptions, news: PreparationNews) {
    this.request = request;
    this.claim = claim;
    this.#o = options;
    this.#news = news;
    this.#unlisten = claim.onBroken(() => {
      const broken = claim.broken();
      if (broken) this.stop(broken);
    });
  }

  /** Whether the vault has said that somebody is being waited for. */
  get isWaiting(): boolean {
    return this.#upstream !== undefined;
  }

  /**
   * Has the vault make ready all that was not turned down `before` in the same call, nor `lately` in another: it is not
   * asked for that again. Never rejects.
   */
  async run(prepare: Prepare, before: TurnedDown, lately: TurnedDown): Promise<void> {
    const { reason, requester, items } = this.request;
    const all = items.map((item) => item.handle);
    const handles = all.filter(({ ref }) => !before.has(ref) && !lately.has(ref));
    const waiting = (text: string): void => this.#waitsFor(text);
    try {
      const context = { reason, requester, signal: this.#abort.signal, waiting };
      const each = handles.length === 0 ? [] : await prepare(handles, context);
      this.#conclude(refusedOf(handles, each), before, lately);
    } catch (error) {
      const known = presentable(asVaultError(error));
      if (isRefusal(known)) this.#conclude(new Map(handles.map(({ ref }) => [ref, known])), before, lately);
      else this.stop(known);
    }
  }

  /** Ends it with the reason why nothing comes of it. What was asked for in the vault stays known to the provider. */
  stop(error: VaultError): void {
    if (this.#end({ is: "failed", error })) this.#note({ kind: "failed", code: error.code, detail: error.message });
  }

  async attend(claim: Claim, waiter: Waiter): Promise<Prepared> {
    const { clock, holdMs } = this.#o;
    // Whoever waits no longer leaves the permission to the preparation, which has its own share of it.
    const leave = (): void => {
      this.#attached.delete(waiter);
      claim.land();
    };
    const cancelled = (): Prepared => {
      leave();
      const text = "the call was cancelled while the vault's own people were waited for";
      return { is: "failed", error: new VaultError("cancelled", text) };
    };
    if (waiter.signal.aborted) return cancelled();
    if (this.#upstream) waiter.waiting(this.#wait());
    return attend<Prepared>(clock, waiter, {
      listen: (resolve) => {
        const tell = (outcome: Outcome): void => {
          if (outcome.is === "failed") settleFailed(claim, outcome.error);
          resolve(outcome);
        };
        // It may have failed before it could be waited for.
        if (this.#outcome) tell(this.#outcome);
        else this.#attached.set(waiter, tell);
      },
      isOpen: () => this.#outcome === undefined,
      holdMs: Math.min(waiter.holdMs ?? holdMs, holdMs),
      pending: () => {
        leave();
        return { is: "pending", wait: this.#wait() };
      },
      cancelled: ({ byUser }) => {
        const left = cancelled();
        // The approval stays good for a moment, but nobody waits for the vault any more.
        if (byUser && this.#attached.size === 0) this.stop(new VaultError("cancelled", "the user stopped the call"));
        return left;
      },
    });
  }

  /** Ends it with what the vault has said. What was turned down before in the same call has its line already. */
  #conclude(refused: TurnedDown, before: TurnedDown, lately: TurnedDown): void {
    if (this.#outcome) return;
    if (refused.size > 0) this.#news.refused(refused);
    const broken = this.claim.broken();
    if (broken) return this.stop(broken);
    const all = new Map([...lately, ...before, ...refused]);
    const error = nothingLeft(this.request, all);
    this.#end(error ? { is: "failed", error } : { is: "ready", refused: all });
    this.#noteRefused(new Map([...all].filter(([ref]) => !before.has(ref))));
  }

  /** False when it had ended before. */
  #end(outcome: Outcome): boolean {
    if (this.#outcome) return false;
    this.#outcome = outcome;
    this.#unlisten();
    this.#abort.abort();
    const { claim, request } = this;
    const { told, failed } = this.#o;
    this.#news.over();
    for (const tell of this.#attached.values()) tell(outcome);
    if (outcome.is === "failed") settleFailed(claim, outcome.error);
    else {
      if (this.#upstream) claim.begunAnew();
      if (this.#attached.size > 0) claim.land();
      else claim.giveBack();
    }
    if (this.#upstream) told({ request: request.id, approval: claim.approval }, undefined);
    if (outcome.is === "failed") failed(claim, outcome.error);
    return true;
  }

  #waitsFor(said: string): void {
    if (this.#outcome) return;
    const { clock, told } = this.#o;
    const text = shown(said);
    if (text === this.#upstream?.text) return;
    const { approval } = this.claim;
    this.#upstream = { text, since: this.#upstream?.since ?? clock.now() };
    if (!this.#logged.has(text) && this.#logged.size < MOST_LINES) {
      this.#logged.add(text);
      this.#note({ kind: "upstream_waiting", detail: text });
    }
    told({ request: this.request.id, approval }, this.#upstream);
    for (const waiter of this.#attached.keys()) waiter.waiting(this.#wait());
  }

  #wait(): Wait {
    const upstream = this.#upstream ?? { text: "the vault is making ready", since: this.#o.clock.now() };
    return {
      ...waitFor(this.request, this.request.items),
      linkIsFinal: true,
      linkApproves: false,
      behind: 0,
      rang: [],
      troubles: [],
      upstream,
    };
  }

  /** A line for each way of refusing, with all that was refused in it. */
  #noteRefused(refused: TurnedDown): void {
    for (const code of new Set([...refused.values()].map((error) => error.code))) {
      const items = this.request.items.filter(({ handle }) => refused.get(handle.ref)?.code === code);
      const [first] = items.map(({ handle }) => refused.get(handle.ref));
      this.#note({ kind: "failed", code, detail: first?.message ?? "" }, { ...this.request, items });
    }
  }

  #note(line: Pick<Event, "kind" | "code" | "detail">, about: AccessRequest = this.request): void {
    const { clock, journal } = this.#o;
    journal.note({ ...aboutRequest(about), at: clock.now(), approval: this.claim.approval, ...line });
  }
}

/** What the vault decided uses the approval up; what merely went wrong does not. */
function settleFailed(claim: Claim, error: VaultError): void {
  if (isRefusal(error)) claim.land();
  else claim.giveBack();
}
