import { type Clock, Span } from "./clock.ts";
import type { Offer } from "./policy.ts";
import type { AccessRequest, Item } from "./request.ts";

/** What a person's yes permits. Everything here dies with the process, and that is the point. */
interface Grant {
  /** Id of the approval this rests on. */
  readonly approval: string;
  readonly request: AccessRequest;
  /** "once" serves the identical request only; the others serve reads of the session in that vault. */
  readonly reach: "once" | "secret" | "vault";
  readonly refs: ReadonlySet<string>;
  readonly span: Span;
  uses: number;
  revoked: boolean;
  stop: () => void;
}

/** Permission taken for one delivery. */
export interface Claim {
  /** Id of the approval this rests on; several, with commas, where a batch rests on several windows. */
  readonly approval: string;
  readonly basis: "asked" | "window";
  /** End of the nearest window, epoch ms; absent when the use was approved just once. */
  readonly until?: number;
  /** False as soon as a person revoked what this rests on, or the clock became doubtful. */
  readonly holds: () => boolean;
  /** Returns an unused "just this once". */
  readonly giveBack: () => void;
}

/** Why a permission ended without anybody ending it: its time ran out, or the clock became doubtful. */
export type Lapse = "time" | "clock";

export interface GrantsOptions {
  readonly clock: Clock;
  readonly pickupMs: number;
  /** Told of each window, and each "just this once" nobody came for, that ends by itself. */
  readonly lapsed: (approval: string, request: AccessRequest, what: "window" | "once", why: Lapse) => void;
}

/** The open permissions of this process. */
export class Grants {
  readonly #clock: Clock;
  readonly #pickupMs: number;
  readonly #lapsed: GrantsOptions["lapsed"];
  readonly #once = new Map<string, Grant>();
  readonly #windows = new Set<Grant>();

  constructor(options: GrantsOptions) {
    this.#clock = options.clock;
    this.#pickupMs = options.pickupMs;
    this.#lapsed = options.lapsed;
  }

  /**
   * Opens what an approval permits: this request once for each attached call (once for the next identical call when
   * none is attached), and the window, if one was chosen, over the items that were asked for.
   */
  open(
    approval: string,
    request: AccessRequest,
    opened: { uses: number; window?: { offer: Offer; span: Span; asked: readonly Item[] } },
  ): void {
    const { window } = opened;
    this.#add(this.#once, approval, request, "once", new Set(), new Span(this.#clock, this.#pickupMs), opened.uses);
    if (!window || request.action !== "read") return;
    const refs = new Set(window.asked.map((item) => item.handle.ref));
    this.#add(this.#windows, approval, request, window.offer.scope, refs, window.span, Number.POSITIVE_INFINITY);
  }

  /** The request that was approved but not yet served, if the same call comes again. */
  heldFor(key: string): AccessRequest | undefined {
    const grant = this.#once.get(key);
    return grant && this.#live(grant) ? grant.request : undefined;
  }

  /** Takes the permission for the whole request, or nothing: a batch is never half permitted. */
  claim(request: AccessRequest): Claim | undefined {
    const once = this.#once.get(request.key);
    if (once && this.#live(once) && sameRefs(once.request, request)) {
      once.uses -= 1;
      return this.#claimOf([once], "asked", () => {
        once.uses += 1;
      });
    }
    const covering: Grant[] = [];
    for (const item of request.items) {
      const grant = this.#windowOver(request, item);
      if (!grant) return undefined;
      covering.push(grant);
    }
    return this.#claimOf(covering, "window", () => {});
  }

  /** Until when an open window already covers an item; undefined when it does not. */
  openUntil(request: AccessRequest, item: Item): number | undefined {
    return this.#windowOver(request, item)?.span.endsAt;
  }

  /** Whether anything this approval opened is still open. */
  isOpen(approval: string): boolean {
    return [...this.#once.values(), ...this.#windows].some((grant) => grant.approval === approval && this.#live(grant));
  }

  /** Ends all that an approval opened. False when nothing of it was open. */
  revoke(approval: string): boolean {
    const open = [...this.#once.values(), ...this.#windows].filter(
      (grant) => grant.approval === approval && this.#live(grant),
    );
    for (const grant of open) this.#end(grant);
    return open.length > 0;
  }

  /** Forgets everything without telling anyone: the process is going away. */
  clear(): void {
    for (const grant of [...this.#once.values(), ...this.#windows]) {
      grant.revoked = true;
      grant.stop();
    }
    this.#once.clear();
    this.#windows.clear();
  }

  #add(
    home: Map<string, Grant> | Set<Grant>,
    approval: string,
    request: AccessRequest,
    reach: Grant["reach"],
    refs: ReadonlySet<string>,
    span: Span,
    uses: number,
  ): void {
    const grant: Grant = { approval, request, reach, refs, span, uses, revoked: false, stop: () => {} };
    const check = (): void => {
      const over = span.over();
      if (over) this.#end(grant, over);
      // The wall clock may end a span before the timer's monotonic one, never after it.
      else grant.stop = this.#clock.after(Math.max(1, span.leftMs()), check);
    };
    grant.stop = this.#clock.after(span.leftMs(), check);
    if (home instanceof Map) {
      this.#once.get(request.key)?.stop();
      home.set(request.key, grant);
    } else home.add(grant);
  }

  #windowOver(request: AccessRequest, item: Item): Grant | undefined {
    if (request.action !== "read") return undefined;
    for (const grant of this.#windows) {
      if (grant.request.session !== request.session || grant.request.vault !== request.vault) continue;
      if (grant.reach === "secret" && !grant.refs.has(item.handle.ref)) continue;
      if (this.#live(grant)) return grant;
    }
    return undefined;
  }

  #live(grant: Grant): boolean {
    if (grant.revoked || grant.uses <= 0) return false;
    const over = grant.span.over();
    if (over) this.#end(grant, over);
    return !over;
  }

  /** Ends a grant; with a reason when it ended by itself. */
  #end(grant: Grant, lapse?: Lapse): void {
    if (grant.revoked) return;
    grant.revoked = true;
    grant.stop();
    const once = grant.reach === "once";
    if (once && this.#once.get(grant.request.key) === grant) this.#once.delete(grant.request.key);
    if (!once) this.#windows.delete(grant);
    if (lapse && grant.uses > 0) this.#lapsed(grant.approval, grant.request, once ? "once" : "window", lapse);
  }

  #claimOf(grants: readonly Grant[], basis: Claim["basis"], giveBack: () => void): Claim {
    if (grants.length === 0) throw new RangeError("a claim rests on at least one grant");
    const until = Math.min(...grants.map((grant) => grant.span.endsAt));
    let taken = true;
    return {
      approval: [...new Set(grants.map(({ approval }) => approval))].join(","),
      basis,
      ...(basis === "window" && { until }),
      holds: () => grants.every((grant) => !grant.revoked && grant.span.over() !== "clock"),
      giveBack: () => {
        if (taken) giveBack();
        taken = false;
      },
    };
  }
}

function sameRefs(a: AccessRequest, b: AccessRequest): boolean {
  const refs = (request: AccessRequest): string[] => request.items.map((item) => item.handle.ref).toSorted();
  return JSON.stringify(refs(a)) === JSON.stringify(refs(b));
}
