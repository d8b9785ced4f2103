import { type Claim, windowOver } from "./claim.ts";
import type { VaultError } from "./errors.ts";
import { approvalsOf, endOf, type Grant, isLive, type Warrant } from "./grant.ts";
import type { AccessRequest } from "./request.ts";
import { NOTHING, type TurnedDown } from "./turned-down.ts";

/** What a flight needs of the permissions it rests on. */
export interface Keeper {
  /** Whether a person revoked it or the clock stepped back. */
  readonly isOver: (grant: Grant) => boolean;
  /** Holds the use for the next identical call. */
  readonly offerPickup: (grant: Grant) => void;
  /** One flight less: drops a grant that can serve nobody any more. */
  readonly tidy: (grant: Grant) => void;
}

/** One delivery on its way, under one grant or, in a batch, under several. */
export class Flight implements Claim {
  readonly approval: string;
  readonly basis: Claim["basis"];
  readonly until: number | undefined;
  readonly #grants: ReadonlySet<Grant>;
  readonly #keeper: Keeper;
  #flying = true;

  constructor(grants: ReadonlySet<Grant>, basis: Claim["basis"], keeper: Keeper) {
    this.approval = approvalsOf(grants);
    this.basis = basis;
    this.until = basis === "window" ? endOf(grants) : undefined;
    this.#grants = grants;
    this.#keeper = keeper;
    for (const grant of grants) grant.flights += 1;
  }

  get warrants(): readonly Warrant[] {
    return [...this.#grants].map(({ warrant }) => warrant);
  }

  get request(): AccessRequest | undefined {
    return this.#asked?.request;
  }

  get leftOut(): TurnedDown {
    // A window covers everything it is claimed for; what was left out belongs to the one request that was answered.
    return this.#asked?.leftOut ?? NOTHING;
  }

  broken(): VaultError | undefined {
    for (const grant of this.#grants) if (this.#keeper.isOver(grant)) return grant.ended?.();
    if (this.basis === "asked") return undefined;
    // A window ends on time, also for what is on its way.
    for (const { window } of this.#grants) if (!isLive(window?.span)) return windowOver();
    return undefined;
  }

  onBroken(run: () => void): () => void {
    const look = (): void => {
      if (this.broken()) run();
    };
    for (const { listeners } of this.#grants) listeners.add(look);
    return () => {
      for (const { listeners } of this.#grants) listeners.delete(look);
    };
  }

  share(): Claim {
    if (!this.#flying) throw new RangeError("what has landed can be shared no more");
    return new Flight(this.#grants, this.basis, this.#keeper);
  }

  land(): void {
    this.#settle({ givingBack: false });
  }

  giveBack(): void {
    this.#settle({ givingBack: this.basis === "asked" });
  }

  begunAnew(): void {
    // Where a use is held already, its stretch runs.
    for (const grant of this.#grants) if (!grant.held) grant.pickup = undefined;
  }

  /** The one that a person was asked for; none under windows. */
  get #asked(): Grant | undefined {
    const [grant] = this.#grants;
    return this.basis === "asked" ? grant : undefined;
  }

  #settle({ givingBack }: { givingBack: boolean }): void {
    if (!this.#flying) return;
    this.#flying = false;
    for (const grant of this.#grants) {
      grant.flights -= 1;
      if (givingBack && !grant.ended) this.#keeper.offerPickup(grant);
      this.#keeper.tidy(grant);
    }
  }
}
