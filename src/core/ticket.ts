import { waitFor } from "./attendance.ts";
import type { Card, CardItem, Failure, Standing, Upstream } from "./card.ts";
import { Changes } from "./changes.ts";
import { twinOf } from "./choice.ts";
import type { Span } from "./clock.ts";
import { newKey, tokenOf } from "./ids.ts";
import type { Offer } from "./policy.ts";
import type { Wait, Waiter } from "./ports.ts";
import { promiseWithResolvers } from "./promise-with-resolvers.ts";
import { type AccessRequest, isEveryField, type Item, labelOf, placeOf } from "./request.ts";
import type { WaitingLine } from "./overview.ts";
import { type Chosen, type Statement, statementOf } from "./statement.ts";
import { visible } from "./text.ts";
import { type News, Waiters } from "./waiters.ts";

export type Settled = Exclude<Standing, { is: "waiting" }>;
export type Approved = Extract<Standing, { is: "approved" }>;

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
  /** Whether a yes counts only when it is signed, as things stand at this moment. Throws where that cannot be known. */
  readonly needsSignature: () => boolean;
  /** Told of every change. */
  readonly onChange: () => void;
}

/** One request at the desk: what the person sees of it, who waits for it, and how it ended. */
export class Ticket {
  /** Proves to the host of the page that the token is this process's. */
  readonly key = newKey();
  readonly token = tokenOf(this.key);
  readonly request: AccessRequest;
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
  readonly #waiters: Waiters;
  readonly #changes = new Changes();
  readonly #nonce = newKey();
  readonly #resolve: (standing: Settled) => void;
  readonly #reject: (error: unknown) => void;
  #over: AbortController | undefined;
  #standing: Standing = { is: "waiting" };
  #failed = false;
  #revision = 1;
  /** Who the requests that rest on its approval wait for, by request. */
  readonly #upstreams = new Map<string, Upstream>();
  #failure: Failure | undefined;
  #asked: readonly Item[];
  #offer: Offer;

  constructor(request: AccessRequest, offer: Offer, span: Span, context: TicketContext) {
    this.request = request;
    this.approval = request.id;
    this.#offer = offer;
    this.#waiters = new Waiters(() => ({
      ...waitFor(request, this.#asked),
      linkApproves: this.#offer.proof === undefined,
      behind: context.behind(this),
      expiresAt: span.endsAt,
    }));
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
    return this.#waiters.count;
  }

  /** The items that no open window covers: what the person is asked for. */
  get asked(): readonly Item[] {
    return this.#asked;
  }

  /** What a yes may open, and how it has to be proven. */
  get offer(): Offer {
    return this.#offer;
  }

  /** Whether a yes counts only when it is signed, as things stand at this moment. Throws where that cannot be known. */
  get needsSignature(): boolean {
    return this.#context.needsSignature();
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

  /** Grows when `asked` changes, or the proof that a yes needs. */
  get revision(): number {
    return this.#revision;
  }

  /**
   * Looks again, while it waits, at what open windows cover and whether somebody has been enrolled who can sign; a change
   * is a new revision of the card. What had to be signed when it was asked has to be signed for good.
   */
  refresh(): void {
    if (!this.isOpen) return;
    const asked = this.#askedNow();
    const isSame = asked.length === this.#asked.length && asked.every((item, at) => item === this.#asked[at]);
    const needsMore = this.#needsMore();
    if (isSame && !needsMore) return;
    this.#asked = asked;
    if (needsMore) this.#offer = { ...this.#offer, proof: "passkey" };
    this.#revision += 1;
    this.#waiters.tell();
    this.#bump();
  }

  attach(waiter: Waiter): void {
    this.#waiters.add(waiter);
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
  learn(news: News): void {
    this.#waiters.learn(news);
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

  /** Fewer are before it, or it is its turn: the calls that wait are told. */
  cameForward(): void {
    this.#waiters.tell();
    this.#bump();
  }

  wait(): Wait {
    return this.#waiters.wait();
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
      key: this.key,
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

  #needsMore(): boolean {
    try {
      return this.#offer.proof === undefined && this.needsSignature;
    } catch {
      // What cannot be known for a moment changes no card; each yes looks again.
      return false;
    }
  }

  #askedNow(): readonly Item[] {
    return this.request.items.filter((item) => this.#context.openUntil(item) === undefined);
  }

  #bump(): void {
    this.#changes.bump();
    this.#context.onChange();
  }
}
