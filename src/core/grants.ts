import { type Clock, Span } from "./clock.ts";
import { type Claim, closing, inDoubt, revoked, sessionOver } from "./claim.ts";
import type { VaultError } from "./errors.ts";
import { Flight, type Keeper } from "./flight.ts";
import { approvalsOf, endOf, type Grant, isFor, isLive, isServing, type Warrant } from "./grant.ts";
import type { Offer } from "./policy.ts";
import { type AccessRequest, type Item, sameSecrets } from "./request.ts";
import { NOTHING, type Permitted, type TurnedDown } from "./turned-down.ts";

/** Why a permission ended without anybody ending it: its time ran out, the clock became doubtful, its session is over. */
export type Lapse = "time" | "clock" | "session";

export interface GrantsOptions {
  readonly clock: Clock;
  readonly pickupMs: number;
  /** Told of each window, and each "just this once" nobody came for, that ends by itself. */
  readonly lapsed: (approval: string, request: AccessRequest, what: "window" | "once", why: Lapse) => void;
  /** Told once when a permission over secrets of a vault is gone, however it went. The process going away is not told. */
  readonly gone?: (vault: string) => void;
}

const LONGEST_MS = 366 * 24 * 3_600_000;

/** The open permissions of this process. */
export class Grants {
  readonly #o: GrantsOptions;
  readonly #grants = new Map<string, Grant>();
  readonly #watchers = new Set<() => void>();
  readonly #keeper: Keeper = {
    isOver: (grant) => this.#isOver(grant),
    offerPickup: (grant) => this.#offerPickup(grant),
    tidy: (grant) => this.#tidy(grant),
  };

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
    opened: {
      attached: number;
      warrant: Warrant;
      leftOut?: TurnedDown;
      window?: { scope: Offer["scope"]; span: Span; asked: readonly Item[] };
    },
  ): void {
    const { clock } = this.#o;
    const { window, attached, warrant, leftOut = NOTHING } = opened;
    const grant: Grant = {
      approval,
      request,
      warrant,
      leftOut,
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
  heldFor(key: string): Permitted | undefined {
    return this.#pickupFor(key);
  }

  /** The delivery that a call, attached when the person said yes to this very request, has coming to it. */
  claimOwed({ id }: AccessRequest): Claim | undefined {
    const grant = this.#grants.get(id);
    if (!grant || grant.owed === 0 || this.#isOver(grant)) return undefined;
    grant.owed -= 1;
    return new Flight(new Set([grant]), "asked", this.#keeper);
  }

  /** Takes the permission for the whole request, or nothing: a batch is never half permitted. */
  claim(request: AccessRequest): Claim | undefined {
    const held = this.#pickupFor(request.key);
    if (held && sameSecrets(held.request, request)) {
      held.held = false;
      return new Flight(new Set([held]), "asked", this.#keeper);
    }
    const covering = this.#covering(request);
    return covering && new Flight(covering, "window", this.#keeper);
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
      return grant !== undefined && !this.#isOver(grant) && isServing(grant);
    });
  }

  /** Whether anything at all is open. */
  get anyOpen(): boolean {
    return this.serving.length > 0;
  }

  /** Everything that permits something, or is just delivering it. */
  get serving(): readonly Grant[] {
    return [...this.#grants.values()].filter(({ approval }) => this.isOpen(approval));
  }

  /** Whether a window over any secret of a vault is open to a session. */
  hasWindow(session: string, vault: string): boolean {
    return [...this.#grants.values()].some(
      ({ request, window }) => request.session === session && request.vault === vault && isLive(window?.span),
    );
  }

  /** Whether anything still permits, or is just delivering, this secret of a vault, to whatever session. */
  permits(vault: string, ref: string): boolean {
    return [...this.#grants.values()].some(
      (grant) => grant.request.vault === vault && !this.#isOver(grant) && isFor(grant, ref),
    );
  }

  /** Ends all that an approval opened, deliveries on their way included. False when there was nothing to end. */
  revoke(approval: string, why: () => VaultError = revoked): boolean {
    if (!this.isOpen(approval)) return false;
    const ended = approval
      .split(",")
      .map((id) => this.#grants.get(id))
      .filter((grant) => this.#end(grant, why));
    // Only when all of it has ended: whoever is told asks what is still open.
    for (const grant of ended) if (grant) this.#gone(grant);
    return true;
  }

  /** Ends all that a session was permitted: nobody can come for it any more. */
  endSession(session: string): void {
    const theirs = [...this.#grants.values()].filter(({ request }) => request.session === session);
    for (const grant of theirs) {
      // A use on its way has a line of its own to say so.
      const wasOpen = !this.#isOver(grant) && (isLive(grant.window?.span) || (grant.held && isLive(grant.pickup)));
      if (!this.#end(grant, sessionOver) || !wasOpen || grant.told) continue;
      grant.told = true;
      this.#o.lapsed(grant.approval, grant.request, grant.window ? "window" : "once", "session");
    }
    for (const grant of theirs) this.#gone(grant);
  }

  /** Calls `look` whenever something is open no longer, if only because its one use was handed over. */
  watch(look: () => void): void {
    this.#watchers.add(look);
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

  #covering(request: AccessRequest): ReadonlySet<Grant> | undefined {
    // A request for nothing is covered by nothing.
    if (request.items.length === 0) return undefined;
    const covering = new Set<Grant>();
    for (const item of request.items) {
      const grant = this.#windowOver(request, item);
      if (!grant) return undefined;
      covering.add(grant);
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
        this.#tellFlights(grant);
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
    this.#gone(grant);
    return true;
  }

  /** False when it had ended before. */
  #end(grant: Grant | undefined, why: () => VaultError): boolean {
    if (!grant || !this.#grants.delete(grant.approval)) return false;
    grant.ended = why;
    grant.stop();
    this.#tellFlights(grant);
    return true;
  }

  #gone({ request }: Grant): void {
    this.#o.gone?.(request.vault);
    for (const look of this.#watchers) look();
  }

  #tellFlights(grant: Grant): void {
    for (const look of grant.listeners) look();
  }

  /** Drops a grant that can serve nobody any more. */
  #tidy(grant: Grant): void {
    // A use that is held is told to be over before it goes.
    if (grant.held || isServing(grant) || !this.#grants.delete(grant.approval)) return;
    grant.stop();
    this.#lapse(grant);
    this.#gone(grant);
  }

  /** Tells of a window's end once, whoever notices it first. */
  #lapse(grant: Grant): void {
    if (!grant.window || grant.told) return;
    grant.told = true;
    this.#o.lapsed(grant.approval, grant.request, "window", grant.window.span.over() ?? "time");
  }
}
