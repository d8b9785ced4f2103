import { attend, waitFor } from "./attendance.ts";
import { type Claim, closing } from "./claim.ts";
import type { Clock } from "./clock.ts";
import { asVaultError, VaultError } from "./errors.ts";
import type { Upstream } from "./card.ts";
import type { Journal, Provider, Wait, Waiter } from "./ports.ts";
import { aboutRequest } from "./records.ts";
import { Refusals } from "./refusals.ts";
import { type AccessRequest, sameSecrets } from "./request.ts";
import { clip, quoted, visible } from "./text.ts";

export interface PreparationsOptions {
  readonly clock: Clock;
  readonly journal: Journal;
  /** One call is held no longer than this, however long its client would bear it, ms. */
  readonly holdMs: number;
  /** For how long what the vault's people turned down is not put before them again, ms. */
  readonly cooldownMs: number;
  /** How many requests may wait for the vaults' own people at a time. */
  readonly most: number;
  /** Told who an approved request waits for, that it was refused, or, with undefined, that it no longer waits. */
  readonly told: (waiting: { request: string; approval: string }, upstream: Upstream | undefined) => void;
}

type Outcome = { readonly is: "ready" } | { readonly is: "failed"; readonly error: VaultError };

/** How the vault's own conditions stand for one call. What failed is in the log already. */
export type Prepared = Outcome | { readonly is: "pending"; readonly wait: Wait };

type Prepare = NonNullable<Provider["prepare"]>;

const MOST_CHARACTERS = 300;
/** A text that counts the seconds would fill the log. */
const MOST_LINES = 20;

/** The approved requests whose vault is making ready to hand them out. They last as long as the process at most. */
export class Preparations {
  readonly #o: PreparationsOptions;
  readonly #underWay = new Map<string, Preparation>();
  readonly #denied: Refusals;
  readonly #blocked: Refusals;

  constructor(options: PreparationsOptions) {
    this.#o = options;
    this.#denied = new Refusals(options.clock, options.cooldownMs);
    this.#blocked = new Refusals(options.clock, options.cooldownMs);
  }

  /** The approved request that still waits for the vault's people, if the same call comes again. */
  find(key: string): AccessRequest | undefined {
    return this.#live(key)?.request;
  }

  /** A share of the permission that the same request for the same secrets rests on, for one more call. */
  claim(request: AccessRequest): Claim | undefined {
    const preparation = this.#live(request.key);
    return preparation && sameSecrets(preparation.request, request) ? preparation.claim.share() : undefined;
  }

  /** Throws `upstream_denied` or `upstream_blocked` when the vault has just turned down any of these secrets. */
  refuse({ session, vault, action, items }: AccessRequest): void {
    const refs = items.map((item) => item.handle.ref);
    const deniedMs = this.#denied.leftMs(session, vault, action, refs);
    if (deniedMs > 0) {
      const seconds = Math.ceil(deniedMs / 1000);
      throw new VaultError(
        "upstream_denied",
        `the people of vault ${quoted(vault)} turned this down a moment ago; they are not asked again for ${seconds} s`,
        { hint: "ask the user what to do instead" },
      );
    }
    const blockedMs = this.#blocked.leftMs(session, vault, action, refs);
    if (blockedMs > 0) {
      const seconds = Math.ceil(blockedMs / 1000);
      throw new VaultError(
        "upstream_blocked",
        `vault ${quoted(vault)} blocked this a moment ago; it is not tried again for ${seconds} s`,
        { hint: "ask the user to clear in the vault what blocks it, then call again" },
      );
    }
  }

  /** Throws `too_many_waiting` when so many wait already that the vaults' people should not be asked for more. */
  refuseFull(): void {
    const waiting = [...this.#underWay.values()].filter(({ isWaiting }) => isWaiting).length;
    if (waiting < this.#o.most) return;
    throw new VaultError("too_many_waiting", `${waiting} requests wait for the people of vaults already`, {
      hint: "wait for their answers before you ask for more",
    });
  }

  /**
   * Makes ready, or takes part in making ready, and keeps the call waiting meanwhile. When it returns, the claim is the
   * caller's again if it is ready, else it is settled. Throws `conflict` where the same request waits for another secret.
   */
  async attend(request: AccessRequest, prepare: Prepare, claim: Claim, waiter: Waiter): Promise<Prepared> {
    const preparation = this.#live(request.key) ?? this.#start(request, prepare, claim.share());
    if (!sameSecrets(preparation.request, request)) {
      throw new VaultError("conflict", "the name came to stand for another secret while this was asked for", {
        hint: "call again",
      });
    }
    return preparation.attend(claim, waiter);
  }

  /** Ends all of them: the process is going away. */
  close(): void {
    for (const preparation of this.#underWay.values()) preparation.stop(closing());
  }

  #live(key: string): Preparation | undefined {
    const preparation = this.#underWay.get(key);
    const broken = preparation?.claim.broken();
    if (!broken) return preparation;
    preparation?.stop(broken);
    return undefined;
  }

  #start(request: AccessRequest, prepare: Prepare, claim: Claim): Preparation {
    const preparation = new Preparation(request, claim, this.#o, (outcome) => {
      this.#underWay.delete(request.key);
      if (outcome.is === "ready") return;
      if (outcome.error.code === "upstream_denied") this.#denied.add(request);
      if (outcome.error.code === "upstream_blocked") this.#blocked.add(request);
    });
    this.#underWay.set(request.key, preparation);
    void preparation.run(prepare);
    return preparation;
  }
}

/** One approved request, from the moment its vault makes ready until it is ready or will not be. */
class Preparation {
  readonly request: AccessRequest;
  /** Keeps the permission alive while no call is attached. */
  readonly claim: Claim;
  readonly #o: PreparationsOptions;
  readonly #over: (outcome: Outcome) => void;
  readonly #abort = new AbortController();
  /** The calls that wait at this moment, and how to tell each the outcome. Over days there are many, so none stays. */
  readonly #attached = new Map<Waiter, (outcome: Outcome) => void>();
  readonly #logged = new Set<string>();
  #upstream: Upstream | undefined;
  #outcome: Outcome | undefined;
  readonly #unlisten: () => void;

  constructor(request: AccessRequest, claim: Claim, options: PreparationsOptions, over: (outcome: Outcome) => void) {
    this.request = request;
    this.claim = claim;
    this.#o = options;
    this.#over = over;
    this.#unlisten = claim.onBroken(() => this.stop(claim.broken()));
  }

  /** Whether the vault has said that somebody is being waited for. */
  get isWaiting(): boolean {
    return this.#upstream !== undefined;
  }

  /** Never rejects. */
  async run(prepare: Prepare): Promise<void> {
    const { reason, requester, items } = this.request;
    const handles = items.map((item) => item.handle);
    const waiting = (text: string): void => this.#waitsFor(text);
    try {
      await prepare(handles, { reason, requester, signal: this.#abort.signal, waiting });
      this.stop(this.claim.broken());
    } catch (error) {
      this.stop(presentable(asVaultError(error)));
    }
  }

  /** Ends it: ready, or not, with the reason. What was asked for in the vault stays known to the provider. */
  stop(error: VaultError | undefined): void {
    if (this.#outcome) return;
    const outcome: Outcome = error ? { is: "failed", error } : { is: "ready" };
    this.#outcome = outcome;
    this.#unlisten();
    this.#abort.abort();
    const { claim, request } = this;
    this.#over(outcome);
    for (const tell of this.#attached.values()) tell(outcome);
    if (error) this.#note({ kind: "failed", code: error.code, detail: error.message });
    else if (this.#upstream) claim.begunAnew();
    if (error) settleFailed(claim, error);
    else if (this.#attached.size > 0) claim.land();
    else claim.giveBack();
    const refused = error && isRefusal(error) ? { text: error.message, refused: true as const } : undefined;
    if (!refused && !this.#upstream) return;
    const upstream = refused && { ...refused, since: this.#o.clock.now() };
    this.#o.told({ request: request.id, approval: claim.approval }, upstream);
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

  #waitsFor(said: string): void {
    if (this.#outcome) return;
    const { clock, told } = this.#o;
    const text = clip(visible(said), MOST_CHARACTERS);
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
    return { ...waitFor(this.request, this.request.items), linkIsFinal: true, rang: [], troubles: [], upstream };
  }

  #note(line: { kind: "failed"; code: string; detail: string } | { kind: "upstream_waiting"; detail: string }): void {
    const { clock, journal } = this.#o;
    journal.note({ ...aboutRequest(this.request), at: clock.now(), approval: this.claim.approval, ...line });
  }
}

/** What the vault decided uses the approval up; what merely went wrong does not. */
function settleFailed(claim: Claim, error: VaultError): void {
  if (isRefusal(error)) claim.land();
  else claim.giveBack();
}

function isRefusal({ code }: VaultError): boolean {
  return code === "upstream_denied" || code === "upstream_blocked";
}

/** What the vault's people wrote may be part of it. */
function presentable(error: VaultError): VaultError {
  const show = (text: string): string => clip(visible(text), MOST_CHARACTERS);
  const message = show(error.message);
  const hint = error.hint === undefined ? undefined : show(error.hint);
  if (message === error.message && hint === error.hint) return error;
  return new VaultError(error.code, message, { ...(hint !== undefined && { hint }), cause: error });
}
