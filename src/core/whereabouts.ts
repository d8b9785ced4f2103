import type { Isolation } from "./assurance.ts";
import type { Clock } from "./clock.ts";
import type { Here, Rules } from "./policy.ts";
import type { Approvers } from "./proof.ts";

export interface WhereaboutsOptions {
  readonly clock: Clock;
  readonly approvers: Approvers;
  /** How far the agent is kept from this process; looked at when a vault demands to know. */
  readonly isolation: () => Promise<Isolation>;
}

/** For how long a look counts for what is handed over, ms. */
const KEPT_MS = 1_000;

/** What the rules need to know of the place this process runs in, at the moment that it matters. */
export class Whereabouts {
  readonly #o: WhereaboutsOptions;
  #looked: { readonly at: number; readonly isolation: Promise<Isolation> } | undefined;

  constructor(options: WhereaboutsOptions) {
    this.#o = options;
  }

  /** Looks anew. Rejects when it cannot be known, `approvers_unavailable` where that is whether anybody is enrolled. */
  here({ minAssurance }: Rules): Promise<Here> {
    return this.#here(minAssurance ? this.#look() : "same-user");
  }

  /** The same for each of many deliveries, of which not every one can afford a look: as it was a second ago at most. */
  lately({ minAssurance }: Rules): Promise<Here> {
    return this.#here(minAssurance ? this.#kept() : "same-user");
  }

  async #here(isolation: Isolation | Promise<Isolation>): Promise<Here> {
    return { isolation: await isolation, hasApprover: this.#o.approvers.all().length > 0 };
  }

  #kept(): Promise<Isolation> {
    const looked = this.#looked;
    return looked && this.#o.clock.mono() - looked.at < KEPT_MS ? looked.isolation : this.#look();
  }

  #look(): Promise<Isolation> {
    const looked = { at: this.#o.clock.mono(), isolation: this.#o.isolation() };
    this.#looked = looked;
    // A look that failed is none; whoever waits for it hears why.
    looked.isolation.catch(() => {
      if (this.#looked === looked) this.#looked = undefined;
    });
    return looked.isolation;
  }
}
