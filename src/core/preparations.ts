import type { Claim } from "./claim.ts";
import type { Clock } from "./clock.ts";
import { asVaultError, VaultError } from "./errors.ts";
import type { Journal, Provider, Upstream, Wait, Waiter } from "./ports.ts";
import { aboutRequest } from "./records.ts";
import { Refusals } from "./refusals.ts";
import type { AccessRequest } from "./request.ts";
import { clip, visible } from "./text.ts";

export interface PreparationsOptions {
  readonly clock: Clock;
  readonly journal: Journal;
  /** One call is held no longer than this, however long its client would bear it. */
  readonly holdMs: number;
  /** For how long what the vault's people turned down is not put before them again. */
  readonly cooldownMs: number;
  /** Told who an approved request waits for, and, with undefined, that it no longer waits. */
  readonly told: (approval: string, upstream: Upstream | undefined) => void;
}

/** How the vault's own conditions stand for one call. */
export type Prepared =
  | { readonly is: "ready"; readonly claim: Claim }
  | { readonly is: "pending"; readonly wait: Wait };

type Prepare = NonNullable<Provider["prepare"]>;

/** The approved requests whose vault is making ready to hand them out. They last as long as the process at most. */
export class Preparations {
  readonly #o: PreparationsOptions;
  readonly #underWay = new Map<string, Preparation>();
  readonly #refusals: Refusals;

  constructor(options: PreparationsOptions) {
    this.#o = options;
    this.#refusals = new Refusals(options.clock, options.cooldownMs);
  }

  /** The approved request that still waits for the vault's people, if the same call comes again. */
  find(key: string): AccessRequest | undefined {
    return this.#live(key)?.request;
  }

  /** A share of the permission such a request rests on, for one more call. */
  claim(key: string): Claim | undefined {
    return this.#live(key)?.claim.share();
  }

  /** Throws `upstream_denied` when the vault's own people have just turned down any of these. */
  refuseDenied({ session, vault, action, items }: AccessRequest): void {
    const refs = items.map((item) => item.handle.ref);
    const leftMs = this.#refusals.leftMs(session, vault, action, refs);
    if (leftMs === 0) return;
    const seconds = Math.ceil(leftMs / 1000);
    throw new VaultError(
      "upstream_denied",
      `the vault's own people turned this down; they are not asked again for ${seconds} s`,
      {
        hint: "ask the user what to do instead",
      },
    );
  }

  /**
   * Makes ready, or takes part in making ready, and keeps the call waiting meanwhile. The claim is settled by this: a
   * ready call gets one of its own. Throws what the vault's people or the vault say against it.
   */
  async attend(request: AccessRequest, prepare: Prepare, claim: Claim, waiter: Waiter): Promise<Prepared> {
    const known = this.#live(request.key);
    if (known) claim.land();
    return (known ?? this.#start(request, prepare, claim)).attend(waiter);
  }

  /** Ends all of them: the process is going away. */
  close(): void {
    const closing = new VaultError("cancelled", "agent-vault is closing; nothing was handed over");
    for (const preparation of this.#underWay.values()) preparation.stop(closing);
  }

  #live(key: string): Preparation | undefined {
    const preparation = this.#underWay.get(key);
    const broken = preparation?.claim.broken();
    if (!preparation || !broken) return preparation;
    preparation.stop(broken);
    return undefined;
  }

  #start(request: AccessRequest, prepare: Prepare, claim: Claim): Preparation {
    const preparation = new Preparation(request, claim, this.#o, (error) => {
      if (this.#underWay.get(request.key) === preparation) this.#underWay.delete(request.key);
      if (error?.code === "upstream_denied" || error?.code === "upstream_blocked") this.#refusals.add(request);
    });
    this.#underWay.set(request.key, preparation);
    preparation.run(prepare);
    return preparation;
  }
}

interface Attendee {
  readonly waiter: Waiter;
  readonly ready: (claim: Claim) => void;
  readonly fail: (error: VaultError) => void;
}

/** One approved request, from the moment its vault makes ready until it is ready or will not be. */
class Preparation {
  readonly request: AccessRequest;
  /** Keeps the permission alive while nobody is attached. */
  readonly claim: Claim;
  readonly #o: PreparationsOptions;
  readonly #over: (error: VaultError | undefined) => void;
  readonly #abort = new AbortController();
  readonly #attendees = new Set<Attendee>();
  #upstream: Upstream | undefined;
  #ended = false;
  #unlisten: () => void = () => {};

  constructor(
    request: AccessRequest,
    claim: Claim,
    options: PreparationsOptions,
    over: (error: VaultError | undefined) => void,
  ) {
    this.request = request;
    this.claim = claim;
    this.#o = options;
    this.#over = over;
  }

  run(prepare: Prepare): void {
    const { request } = this;
    this.#unlisten = this.claim.onBroken(() => this.stop(this.claim.broken()));
    const handles = request.items.map((item) => item.handle);
    const { reason, requester } = request;
    const waiting = (text: string): void => this.#waitsFor(text);
    prepare(handles, { reason, requester, signal: this.#abort.signal, waiting }).then(
      () => this.#end(undefined),
      (error: unknown) => this.#end(asVaultError(error)),
    );
  }

  /** Stops waiting for the vault; what was asked for there stays known to the provider. */
  stop(why: VaultError | undefined): void {
    this.#end(why ?? new VaultError("cancelled", "nobody waits for this any more"));
  }

  /** Keeps one call waiting until it is ready, the client cannot wait any longer, or the call is cancelled. */
  attend(waiter: Waiter): Promise<Prepared> {
    const { clock, holdMs } = this.#o;
    return new Promise<Prepared>((resolve, reject) => {
      if (this.#ended) return reject(new VaultError("cancelled", "this ended in the same moment; call again"));
      const leave = (): void => {
        stopHold();
        waiter.signal.removeEventListener("abort", abort);
        this.#attendees.delete(attendee);
      };
      const attendee: Attendee = {
        waiter,
        ready: (claim) => {
          leave();
          resolve({ is: "ready", claim });
        },
        fail: (error) => {
          leave();
          reject(error);
        },
      };
      const abort = (): void => {
        leave();
        if (waiter.isStop(waiter.signal.reason) && this.#attendees.size === 0) this.#withdraw();
        reject(new VaultError("cancelled", "the call was cancelled while the vault's own people were waited for"));
      };
      const stopHold = clock.after(Math.min(waiter.holdMs ?? holdMs, holdMs), () => {
        leave();
        resolve({ is: "pending", wait: this.#wait() });
      });
      this.#attendees.add(attendee);
      waiter.signal.addEventListener("abort", abort, { once: true });
      if (waiter.signal.aborted) return abort();
      if (this.#upstream) waiter.waiting(this.#wait());
    });
  }

  #waitsFor(said: string): void {
    if (this.#ended) return;
    const { clock, journal, told } = this.#o;
    const text = clip(visible(said), 300);
    if (text === this.#upstream?.text) return;
    const { approval } = this.claim;
    this.#upstream = { text, since: this.#upstream?.since ?? clock.now() };
    journal.note({ ...aboutRequest(this.request), kind: "upstream_waiting", at: clock.now(), approval, detail: text });
    told(approval, this.#upstream);
    for (const { waiter } of this.#attendees) waiter.waiting(this.#wait());
  }

  #wait(): Wait {
    const { id, vault, action, items } = this.request;
    const names = items.map((item) => visible(item.handle.name));
    const upstream = this.#upstream ?? { text: "the vault is making ready", since: this.#o.clock.now() };
    return { request: id, vault, action, names, linkIsFinal: true, rang: [], troubles: [], upstream };
  }

  /** The user stopped the agent: the approval stays good for a moment, and nobody waits for the vault any more. */
  #withdraw(): void {
    this.#end(new VaultError("cancelled", "the user stopped the call"));
  }

  #end(error: VaultError | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#unlisten();
    this.#abort.abort();
    this.#over(error);
    const { claim, request } = this;
    const attendees = [...this.#attendees];
    const failure = error ?? claim.broken();
    if (!failure) {
      for (const attendee of attendees) attendee.ready(claim.share());
      // Nobody is there: the next identical call may come for it.
      if (attendees.length > 0) claim.land();
      else claim.giveBack();
    } else {
      // What people decided uses the approval up; what merely went wrong does not.
      if (failure.code === "upstream_denied" || failure.code === "upstream_blocked") claim.land();
      else claim.giveBack();
      this.#noteFailure(failure);
      for (const attendee of attendees) attendee.fail(failure);
    }
    if (this.#upstream) this.#o.told(claim.approval, undefined);
  }

  #noteFailure({ code, message }: VaultError): void {
    const { clock, journal } = this.#o;
    const { approval } = this.claim;
    journal.note({ ...aboutRequest(this.request), kind: "failed", at: clock.now(), approval, code, detail: message });
  }
}
