import { type Claim, closing } from "./claim.ts";
import { VaultError } from "./errors.ts";
import type { Waiter } from "./ports.ts";
import { Preparation, type PreparationOptions, type Prepare, type Prepared } from "./preparation.ts";
import { type AccessRequest, sameSecrets, secretsIn } from "./request.ts";
import { LatelyTurnedDown, NOTHING, type Permitted, type TurnedDown } from "./turned-down.ts";

export interface PreparationsOptions extends PreparationOptions {
  /** For how long what the vault's people turned down is not put before them again, ms. */
  readonly cooldownMs: number;
  /** How many requests may wait for the vaults' own people at a time. */
  readonly most: number;
}

/** The approved requests whose vault is making ready to hand them out. They last as long as the process at most. */
export class Preparations {
  readonly #o: PreparationsOptions;
  readonly #underWay = new Map<string, Preparation>();
  /** Those begun because the vault wants its people asked. */
  readonly #asking = new WeakSet<Preparation>();
  readonly #lately: LatelyTurnedDown;

  constructor(options: PreparationsOptions) {
    this.#o = options;
    this.#lately = new LatelyTurnedDown(options.clock, options.cooldownMs);
  }

  /** The approved request that still waits for the vault's people, if the same call comes again. */
  find(key: string): Permitted | undefined {
    const preparation = this.#live(key);
    return preparation && { request: preparation.request, leftOut: preparation.claim.leftOut };
  }

  /** A share of the permission that the same request for the same secrets rests on, for one more call. */
  claim(request: AccessRequest): Claim | undefined {
    const preparation = this.#live(request.key);
    return preparation && sameSecrets(preparation.request, request) ? preparation.claim.share() : undefined;
  }

  /** Throws `upstream_denied` or `upstream_blocked` when the vault has just turned down any of these secrets. */
  refuse(request: AccessRequest): void {
    this.#lately.refuse(request);
  }

  /**
   * Makes ready, or takes part in making ready, and keeps the call waiting meanwhile. What was turned down before, for
   * this very call or lately for another, is not tried. When it returns, the claim is the caller's again if it is ready,
   * else it is settled. `asks` says that the vault's people will have to be asked. Throws `conflict` where the same request
   * waits for another secret, `too_many_waiting` when the vaults' people should not be asked for that much at a time.
   */
  async attend(
    request: AccessRequest,
    prepare: Prepare,
    claim: Claim,
    waiter: Waiter,
    { before, asks }: { before: TurnedDown; asks: boolean } = { before: NOTHING, asks: false },
  ): Promise<Prepared> {
    const known = this.#live(request.key);
    if (!known && asks) this.#refuseMore(secretsIn(request.items));
    const preparation = known ?? this.#start(request, prepare, claim.share(), { before, asks });
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

  /** Counted from the moment of asking, not of being heard: a vault takes a while to say who is waited for. */
  #refuseMore(secrets: number): void {
    let waiting = 0;
    for (const preparation of this.#underWay.values()) {
      if (this.#asking.has(preparation) || preparation.isWaiting) waiting += secretsIn(preparation.request.items);
    }
    if (waiting + secrets <= this.#o.most) return;
    const message = `the people of vaults are asked for ${this.#o.most} secrets at a time, and ${waiting} wait for them already`;
    throw new VaultError("too_many_waiting", message, {
      hint: waiting === 0 ? "ask for fewer at a time" : "wait for their answers before you ask for more",
    });
  }

  #start(
    request: AccessRequest,
    prepare: Prepare,
    claim: Claim,
    { before, asks }: { before: TurnedDown; asks: boolean },
  ): Preparation {
    const preparation = new Preparation(request, claim, this.#o, {
      refused: (refused) => this.#lately.add(request, refused),
      over: () => this.#underWay.delete(request.key),
    });
    this.#underWay.set(request.key, preparation);
    if (asks) this.#asking.add(preparation);
    void preparation.run(prepare, before, this.#lately.of(request));
    return preparation;
  }
}
