import { type Clock, Span } from "./clock.ts";
import { type Claim, closing, inDoubt, revoked, windowOver } from "./claim.ts";
import type { VaultError } from "./errors.ts";
import type { Offer } from "./policy.ts";
import type { AccessRequest, Item } from "./request.ts";

/** What one approval permits. Everything here dies with the process, and that is the point. */
interface Grant {
  readonly approval: string;
  readonly request: AccessRequest;
  /** Never over by time within reason; asked only whether the clock stepped back. */
  readonly doubt: Span;
  /** Deliveries owed to the calls that were attached when the person said yes. */
  owed: number;
  /** The one stretch in which an identical call may come for a use that nobody has had; begins when there first is one. */
  pickup: Span | undefined;
  /** Whether there is such a use. */
  held: boolean;
  /** The open window over what the person was asked for. */
  readonly window: OpenWindow | undefined;
  /** Deliveries on their way: a revocation still reaches them. */
  flights: number;
  ended: (() => VaultError) | undefined;
  /** Whether its window's end has been told. */
  told: boolean;
  stop: () => void;
  /** To be called when it is revoked or the process goes away. */
  readonly listeners: Set<() => void>;
}

interface OpenWindow {
  readonly scope: Offer["scope"];
  readonly span: Span;
  readonly refs: ReadonlySet<string>;
}

/** Why a permission ended without anybody ending it: its time ran out, or the clock became doubtful. */
export type Lapse = "time" | "clock";

export interface GrantsOptions {
  readonly clock: Clock;
  readonly pickupMs: number;
  /** Told of each window, and each "just this once" nobody came for, that ends by itself. */
  readonly lapsed: (approval: string, request: AccessRequest, what: "window" | "once", why: Lapse) => void;
  /** Told when a permission over secrets of a vault is gone, however it went. */
  readonly gone?: (vault: string) => void;
}

const LONGEST_MS = 366 * 24 * 3_600_000;

/** The open permissions of this process. */
export class Grants {
  readonly #o: GrantsOptions;
  readonly #grants = new Map<string, Grant>();

  constructor(options: GrantsOptions) {
    this.#o = options;
  }

  /**
   * Opens what an approval permits: a delivery for each attached call, or for the next identical call when none is
   * attached, and the window, if one was chosen, over what was asked for.
   */
  open(
    approval: string,
    request: AccessRequest,
    opened: { attached: number; window?: { scope: Offer["scope"]; span: Span; asked: readonly Item[] } },
  ): void {
    const { clock } = this.#o;
    const { window, attached } = opened;
    const grant: Grant = {
      approval,
      request,
      doubt: new Span(clock, LONGEST_MS),
      owed: attached,
      pickup: undefined,
      held: false,
      window: window && { ...window, refs: new Set(window.asked.map((item) => item.handle.ref)) },
      flights: 0,
      ended: undefined,
      told: false,
      stop: () => {},
      listeners: new Set(),
    };
    this.#grants.set(approval, grant);
    if (attached === 0) this.#offerPickup(grant);
    this.#watch(grant);
  }

  /** The request that was approved and that its agent may still come for, if the same call comes again. */
  heldFor(key: string): AccessRequest | undefined {
    return this.#pickupFor(key)?.request;
  }

  /** The delivery that a call, attached when the person said yes, has coming to it. */
  claimOwed(approval: string): Claim | undefined {
    const grant = this.#grants.get(approval);
    if (!grant || grant.owed === 0 || this.#isOver(grant)) return undefined;
    grant.owed -= 1;
    return this.#claimOf([grant], "asked");
  }

  /** Takes the permission for the whole request, or nothing: a batch is never half permitted. */
  claim(request: AccessRequest): Claim | undefined {
    const held = this.#pickupFor(request.key);
    if (held && sameRefs(held.request, request)) {
      held.held = false;
      return this.#claimOf([held], "asked");
    }
    const covering = this.#covering(request);
    return covering && this.#claimOf(covering, "window");
  }

  /** Until when an open window already covers an item; undefined when it does not. */
  openUntil(request: AccessRequest, item: Item): number | undefined {
    return this.#windowOver(request, item)?.window?.span.endsAt;
  }

  /** The window or windows that cover a whole request: their approvals and their nearest end. */
  coverOf(request: AccessRequest): { approval: string; until: number } | undefined {
    const covering = this.#covering(request);
    return covering && { approval: approvalsOf(covering), until: endOf(covering) };
  }

  /** Whether anything this approval opened is still open or on its way. */
  isOpen(approval: string): boolean {
    return approval.split(",").some((id) => {
      const grant = this.#grants.get(id);
      if (!grant || this.#isOver(grant)) return false;
      return grant.owed > 0 || grant.flights > 0 || (grant.held && isLive(grant.pickup)) || isLive(grant.window?.span);
    });
  }

  /** Whether anything at all is open. */
  get anyOpen(): boolean {
    return [...this.#grants.keys()].some((approval) => this.isOpen(approval));
  }

  /** Whether anything still permits, or is just delivering, this secret of a vault, to whatever session. */
  permits(vault: string, ref: string): boolean {
    return [...this.#grants.values()].some(({ approval, request, window }) => {
      if (request.vault !== vault || !this.isOpen(approval)) return false;
      return window?.scope === "vault" || request.items.some((item) => item.handle.ref === ref);
    });
  }

  /** Ends all that an approval opened, deliveries on their way included. False when there was nothing to end. */
  revoke(approval: string): boolean {
    if (!this.isOpen(approval)) return false;
    for (const id of approval.split(",")) this.#end(this.#grants.get(id), revoked);
    return true;
  }

  /** Forgets everything without telling anyone: the process is going away. */
  clear(): void {
    for (const grant of this.#grants.values()) this.#end(grant, closing);
  }

  #pickupFor(key: string): Grant | undefined {
    for (const grant of this.#grants.values()) {
      if (grant.held && grant.request.key === key && !this.#isOver(grant) && isLive(grant.pickup)) return grant;
    }
    return undefined;
  }

  #covering(request: AccessRequest): readonly Grant[] | undefined {
    const covering: Grant[] = [];
    for (const item of request.items) {
      const grant = this.#windowOver(request, item);
      if (!grant) return undefined;
      covering.push(grant);
    }
    return covering;
  }

  #windowOver(request: AccessRequest, item: Item): Grant | undefined {
    if (request.action !== "read") return undefined;
    for (const grant of this.#grants.values()) {
      const { window } = grant;
      if (!window || grant.request.session !== request.session || grant.request.vault !== request.vault) continue;
      if (window.scope === "secret" && !window.refs.has(item.handle.ref)) continue;
      if (!this.#isOver(grant) && isLive(window.span)) return grant;
    }
    return undefined;
  }

  #claimOf(grants: readonly Grant[], basis: Claim["basis"]): Claim {
    const uses = new Set(grants);
    for (const grant of uses) grant.flights += 1;
    let flying = true;
    const settle = (then?: (grant: Grant) => void): void => {
      if (!flying) return;
      flying = false;
      for (const grant of uses) {
        grant.flights -= 1;
        then?.(grant);
        this.#tidy(grant);
      }
    };
    return {
      approval: approvalsOf(grants),
      basis,
      ...(basis === "window" && { until: endOf(grants) }),
      broken: () => {
        const over = [...uses].filter((grant) => this.#isOver(grant));
        if (over.length > 0) return over[0]?.ended?.();
        // A window ends on time, also for what is on its way.
        return basis === "window" && [...uses].some(({ window }) => !isLive(window?.span)) ? windowOver() : undefined;
      },
      land: () => settle(),
      share: () => this.#claimOf(grants, basis),
      onBroken: (run) => {
        for (const { listeners } of uses) listeners.add(run);
        return () => {
          for (const { listeners } of uses) listeners.delete(run);
        };
      },
      giveBack: () =>
        settle((grant) => {
          if (basis === "asked" && !grant.ended) this.#offerPickup(grant);
        }),
    };
  }

  /**
   * Holds a use for the next identical call. However often it is given back, it is held no longer than from the first
   * time on; and as an open window serves the next call by itself, never longer than that.
   */
  #offerPickup(grant: Grant): void {
    const { clock, pickupMs } = this.#o;
    if (!grant.pickup) {
      grant.pickup = new Span(clock, Math.min(pickupMs, grant.window?.span.leftMs() ?? pickupMs));
      clock.after(grant.pickup.leftMs(), () => this.#checkPickup(grant));
    }
    grant.held = isLive(grant.pickup);
  }

  #checkPickup(grant: Grant): void {
    if (grant.ended || !grant.pickup) return;
    if (isLive(grant.pickup)) {
      this.#o.clock.after(Math.max(1, grant.pickup.leftMs()), () => this.#checkPickup(grant));
      return;
    }
    if (grant.held && !grant.window) this.#o.lapsed(grant.approval, grant.request, "once", "time");
    grant.held = false;
    this.#tidy(grant);
  }

  /** Tells of a window's end at its end, and not only when somebody asks for it. */
  #watch(grant: Grant): void {
    const { window } = grant;
    if (!window) return;
    grant.stop = this.#o.clock.after(Math.max(1, window.span.leftMs()), () => {
      if (grant.ended || this.#isOver(grant)) return;
      if (isLive(window.span)) this.#watch(grant);
      else {
        this.#lapse(grant);
        this.#tidy(grant);
      }
    });
  }

  /** True once a person revoked it or the clock stepped back; the time of its parts is their own. */
  #isOver(grant: Grant): boolean {
    if (grant.ended) return true;
    if (grant.doubt.over() !== "clock") return false;
    this.#end(grant, inDoubt);
    grant.told = true;
    this.#o.lapsed(grant.approval, grant.request, grant.window ? "window" : "once", "clock");
    return true;
  }

  #end(grant: Grant | undefined, why: () => VaultError): void {
    if (!grant || grant.ended) return;
    grant.ended = why;
    grant.stop();
    this.#grants.delete(grant.approval);
    for (const run of [...grant.listeners]) run();
    this.#o.gone?.(grant.request.vault);
  }

  /** Drops a grant that can serve nobody any more. */
  #tidy(grant: Grant): void {
    if (grant.owed > 0 || grant.flights > 0 || grant.held || isLive(grant.window?.span)) return;
    grant.stop();
    this.#grants.delete(grant.approval);
    if (grant.ended) return;
    this.#lapse(grant);
    this.#o.gone?.(grant.request.vault);
  }

  /** Tells of a window's end once, whoever notices it first. */
  #lapse(grant: Grant): void {
    if (!grant.window || grant.told) return;
    grant.told = true;
    this.#o.lapsed(grant.approval, grant.request, "window", grant.window.span.over() ?? "time");
  }
}

function isLive(span: Span | undefined): boolean {
  return span !== undefined && span.over() === undefined;
}

function approvalsOf(grants: readonly Grant[]): string {
  return [...new Set(grants.map(({ approval }) => approval))].join(",");
}

function endOf(grants: readonly Grant[]): number {
  return Math.min(...grants.map(({ window }) => window?.span.endsAt ?? Number.POSITIVE_INFINITY));
}

function sameRefs(a: AccessRequest, b: AccessRequest): boolean {
  const refs = (request: AccessRequest): string[] => request.items.map((item) => item.handle.ref).toSorted();
  return JSON.stringify(refs(a)) === JSON.stringify(refs(b));
}
