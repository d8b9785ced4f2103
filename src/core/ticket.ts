import { waitFor } from "./attendance.ts";
import type { Card, CardItem, Failure, Standing, Upstream } from "./card.ts";
import { Changes } from "./changes.ts";
import { twinOf } from "./choice.ts";
import type { Span } from "./clock.ts";
import { newToken } from "./ids.ts";
import type { Offer } from "./policy.ts";
import type { Link, Wait, Waiter } from "./ports.ts";
import { type AccessRequest, isEveryField, type Item, labelOf, placeOf } from "./request.ts";
import type { WaitingLine } from "./overview.ts";
import { type Chosen, type Statement, statementOf } from "./statement.ts";
import { visible } from "./text.ts";

type Settled = Exclude<Standing, { is: "waiting" }>;

export interface TicketContext {
  /** Until when an open window covers an item; undefined when the person is asked for it. */
  readonly openUntil: (item: Item) => number | undefined;
  readonly approvedBefore: number;
  /** Digest of the configuration. */
  readonly configuration: string;
  /** Epoch ms. */
  readonly since: number;
  /** How many requests of the same client have to be answered before it is put before a person. */
  readonly behind: (ticket: Ticket) => number;
  /** Told of every change. */
  readonly onChange: () => void;
}

/** One request at the desk: what the person sees of it, who waits for it, and how it ended. */
export class Ticket {
  readonly token = newToken();
  readonly request: AccessRequest;
  readonly offer: Offer;
  readonly span: Span;
  /** Settles once; rejects when the request could not be put before a person at all. */
  readonly settled: Promise<Settled>;
  /** Id of the approval that answered it: its own, or that of the window that came to cover it. */
  approval: string;
  /** True while an approval is being written to the log: nothing else may decide meanwhile. */
  deciding = false;
  /** Cancels the expiry timer. */
  stop: () => void = () => {};

  readonly #context: TicketContext;
  readonly #waiters = new Set<Waiter>();
  readonly #changes = new Changes();
  readonly #nonce = newToken();
  readonly #rang: string[] = [];
  readonly #troubles: string[] = [];
  readonly #resolve: (standing: Settled) => void;
  readonly #reject: (error: unknown) => void;
  #link: Link | undefined;
  #linkIsFinal = false;
  #over: AbortController | undefined;
  #standing: Standing = { is: "waiting" };
  #failed = false;
  #revision = 1;
  /** Who the requests that rest on its approval wait for, by request. */
  readonly #upstreams = new Map<string, Upstream>();
  #failure: Failure | undefined;
  #asked: readonly Item[];

  constructor(request: AccessRequest, offer: Offer, span: Span, context: TicketContext) {
    this.request = request;
    this.approval = request.id;
    this.offer = offer;
    this.span = span;
    this.#context = context;
    this.#asked = this.#askedNow();
    const { promise, resolve, reject } = promiseWithResolvers<Settled>();
    this.settled = promise;
    this.#resolve = resolve;
    this.#reject = reject;
    // Nobody may be attached when it fails; whoever is learns of it by awaiting.
    promise.catch(() => {});
  }

  /** Whether it still waits for a person. */
  get isOpen(): boolean {
    return this.#standing.is === "waiting" && !this.#failed;
  }

  /** The calls that wait at this moment. */
  get attached(): number {
    let count = 0;
    for (const waiter of this.#waiters) if (!waiter.signal.aborted) count += 1;
    return count;
  }

  /** The items that no open window covers: what the person is asked for. */
  get asked(): readonly Item[] {
    return this.#asked;
  }

  /** What is signed for what a person chose. */
  statement(chosen: Chosen): Statement {
    const { configuration } = this.#context;
    return statementOf(this.request, chosen, { nonce: this.#nonce, expiresAt: this.span.endsAt, configuration });
  }

  /** Aborted when it no longer waits: whoever would be rung after that finds nothing to answer. */
  get over(): AbortSignal {
    this.#over ??= new AbortController();
    if (!this.isOpen) this.#over.abort();
    return this.#over.signal;
  }

  /** Grows when `asked` changes. */
  get revision(): number {
    return this.#revision;
  }

  /** Looks again at what open windows cover, while it waits; a change is a new revision of the card. */
  refresh(): void {
    if (!this.isOpen) return;
    const asked = this.#askedNow();
    if (asked.length === this.#asked.length && asked.every((item, at) => item === this.#asked[at])) return;
    this.#asked = asked;
    this.#revision += 1;
    this.#bump();
  }

  attach(waiter: Waiter): void {
    this.#waiters.add(waiter);
    waiter.waiting(this.wait());
    this.#bump();
  }

  detach(waiter: Waiter): void {
    if (this.#waiters.delete(waiter)) this.#bump();
  }

  settle(standing: Settled): void {
    this.#standing = standing;
    this.#resolve(standing);
    this.#over?.abort();
    this.#bump();
  }

  /** The request could not be put before a person; everyone attached gets the error. */
  fail(error: unknown): void {
    if (!this.isOpen) return;
    this.#failed = true;
    this.#reject(error);
    this.#over?.abort();
    this.#bump();
  }

  /** Takes in what became known on the way to the person and tells the waiting calls. */
  learn(news: { link?: Link; linkIsFinal?: true; rang?: string; trouble?: string }): void {
    if (news.link) this.#link = news.link;
    if (news.linkIsFinal) this.#linkIsFinal = true;
    if (news.rang !== undefined) this.#rang.push(news.rang);
    if (news.trouble !== undefined && !this.#troubles.includes(news.trouble)) this.#troubles.push(news.trouble);
    for (const waiter of this.#waiters) waiter.waiting(this.wait());
  }

  /** Who a request that rests on its approval waits for: itself, or one that its window covers. Undefined: nobody any more. */
  waitsFor(request: string, upstream: Upstream | undefined): void {
    if (upstream) this.#upstreams.set(request, upstream);
    else this.#upstreams.delete(request);
    this.#bump();
  }

  /** Why nothing has come of its approval; undefined: something did. */
  cameTo(failure: Failure | undefined): void {
    // Each call that waited for it says the same.
    if (failure?.text === this.#failure?.text && failure?.byVault === this.#failure?.byVault) return;
    this.#failure = failure;
    this.#bump();
  }

  /** A window that is over can still be revoked, for what of it is on its way. */
  endWindow(ended: "revoked" | "over"): void {
    if (this.#standing.is !== "approved" || this.#standing.ended === "revoked" || this.#standing.ended === ended)
      return;
    this.#standing = { ...this.#standing, ended };
    this.#bump();
  }

  /** It is its turn: the calls that wait are told. */
  itsTurn(): void {
    for (const waiter of this.#waiters) waiter.waiting(this.wait());
    this.#bump();
  }

  wait(): Wait {
    return {
      ...waitFor(this.request, this.asked),
      ...(this.#link && { link: this.#link }),
      linkIsFinal: this.#linkIsFinal,
      linkApproves: this.offer.proof === undefined,
      behind: this.#context.behind(this),
      rang: [...this.#rang],
      troubles: [...this.#troubles],
      expiresAt: this.span.endsAt,
    };
  }

  card(pickupMs: number): Card {
    const { request } = this;
    const [upstream] = this.#upstreams.values();
    return {
      vault: request.vault,
      provider: request.provider,
      action: request.action,
      items: request.items.map((item) => this.#cardItem(item)),
      everyField: isEveryField(request.fields),
      reason: request.reason,
      requester: request.requester,
      offer: this.offer,
      configuration: this.#context.configuration,
      standing: this.#standing,
      ...(upstream && { upstream }),
      ...(this.#failure && { failure: this.#failure }),
      attached: this.attached,
      approvedBefore: this.#context.approvedBefore,
      expiresAt: this.span.endsAt,
      pickupMs,
      version: this.#changes.version,
      revision: this.#revision,
    };
  }

  changed(version: number, signal: AbortSignal): Promise<void> {
    return this.#changes.after(version, signal);
  }

  /** What an overview says of it while it waits. */
  line(): WaitingLine {
    const { id, vault, action, requester } = this.request;
    const twin = twinOf(this, this.#context.configuration);
    return {
      request: id,
      token: this.token,
      vault,
      action,
      names: this.asked.map(({ handle }) => visible(labelOf(handle))),
      client: requester.claims.client,
      folder: placeOf(requester),
      since: this.#context.since,
      expiresAt: this.span.endsAt,
      isBehind: this.#context.behind(this) > 0,
      ...(twin !== undefined && { twin }),
    };
  }

  #cardItem(item: Item): CardItem {
    const { handle, write } = item;
    const openUntil = this.asked.includes(item) ? undefined : this.#context.openUntil(item);
    return {
      name: visible(handle.name),
      ...(handle.title !== undefined && { title: visible(handle.title) }),
      checked: handle.checked,
      ...(handle.field !== undefined && { field: visible(handle.field) }),
      ...(openUntil !== undefined && { openUntil }),
      ...(write && { write: { effect: write.plan.effect, preview: write.preview } }),
    };
  }

  #askedNow(): readonly Item[] {
    return this.request.items.filter((item) => this.#context.openUntil(item) === undefined);
  }

  #bump(): void {
    this.#changes.bump();
    this.#context.onChange();
  }
}

/** Promise.withResolvers, which Node 20 lacks. */
function promiseWithResolvers<T>(): {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (error: unknown) => void;
} {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
