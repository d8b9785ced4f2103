import type { Outcome, Reply } from "./asks.ts";
import type { Failure } from "./card.ts";
import { asVaultError, VaultError } from "./errors.ts";
import type { Event } from "./event.ts";
import type { Claim } from "./claim.ts";
import { Failures } from "./failures.ts";
import { errorOf } from "./outcomes.ts";
import { decide, type Here, needsSignature, type Rules } from "./policy.ts";
import type { Each, Provider, Vault, Waiter } from "./ports.ts";
import type { Approvers } from "./proof.ts";
import { Preparations, type PreparationsOptions } from "./preparations.ts";
import { aboutRequest } from "./records.ts";
import { type AccessRequest, type Item, labelOf } from "./request.ts";
import { NOTHING, type TurnedDown } from "./turned-down.ts";
import { vouch } from "./vouch.ts";

/** What the lines of one delivery share, once it has its first. */
type Begun = Omit<Event, "kind" | "at">;

export interface DeliveriesOptions extends Omit<PreparationsOptions, "failed"> {
  /** Told why nothing came of what an approval was given for; with undefined that something did, after all. */
  readonly came: (approval: string, failure: Failure | undefined) => void;
  readonly approvers: Approvers;
  /** What the rules need to know of this place, as it is or was a moment ago. */
  readonly here: (rules: Rules) => Promise<Here>;
  /** Told of an approval whose proof counts no longer. */
  readonly disproved: (approval: string, why: VaultError) => void;
}

/** Fetches or saves the items. The signal aborts when the call is cancelled; for several, or a save, also when its permission ends. */
export type Perform<T> = (provider: Provider, items: readonly Item[], signal: AbortSignal) => Promise<Each<T>>;

/** Where a delivery that is tried a second time goes on from. */
interface Earlier {
  readonly isRetry: boolean;
  /** What the vault has refused in this call already. */
  readonly refused: TurnedDown;
}

const AT_FIRST: Earlier = { isRetry: false, refused: NOTHING };

/** The last steps of a permitted request: prepare, record, fetch (or save), return. */
export class Deliveries {
  readonly preparations: Preparations;
  readonly #o: Pick<DeliveriesOptions, "clock" | "journal" | "approvers" | "here" | "disproved">;
  readonly #newId: () => string;
  readonly #failures: Failures;
  readonly #hasLine = new WeakSet<VaultError>();

  constructor(options: DeliveriesOptions, newId: () => string) {
    this.#o = options;
    this.#newId = newId;
    this.#failures = new Failures(options.came);
    this.preparations = new Preparations({ ...options, failed: (claim, error) => this.#failures.failed(claim, error) });
  }

  /**
   * No record, no release: the value is fetched only after `releasing` is durable. Making ready may take days, so it
   * comes before that. The claim is settled by this, however it ends.
   */
  async deliver<T>(
    request: AccessRequest,
    vault: Vault,
    claim: Claim,
    waiter: Waiter,
    perform: Perform<T>,
    { isRetry, refused: before }: Earlier = AT_FIRST,
  ): Promise<Reply<T>> {
    const { journal, clock } = this.#o;
    const release = this.#newId();
    // What a person left out is refused like what the vault turns down: the rest is read all the same.
    let refused = both(before, claim.leftOut);
    let begun: Begun | undefined;
    let ended = false;
    try {
      const provider = await vault.open();
      stopIfGone(waiter, claim);
      const prepare = request.action === "read" ? provider.prepare : undefined;
      if (prepare) {
        // The vault's people are bothered only for what is still approved.
        await this.#vouch(request, vault, claim);
        stopIfGone(waiter, claim);
        const prepared = await this.preparations.attend(request, prepare, claim, waiter, {
          before: refused,
          asks: isRetry,
        });
        if (prepared.is === "pending") return prepared;
        if (prepared.is === "failed") throw this.written(prepared.error);
        refused = both(prepared.refused, claim.leftOut);
        stopIfGone(waiter, claim);
      }
      await this.#vouch(request, vault, claim);
      stopIfGone(waiter, claim);
      const part = without(request, refused);
      const about = aboutDelivery(part, release, claim);
      await journal.record([{ ...about, kind: "releasing", at: clock.now() }]);
      begun = about;
      stopIfGone(waiter, claim);
      const work = (signal: AbortSignal): Promise<Each<T>> => perform(provider, part.items, signal);
      // A single read is over in one step, and kept back after it.
      const hasSteps = request.action === "write" || part.items.length > 1;
      const performed = await (hasSteps ? whilePermitted(waiter, claim, work) : work(waiter.signal));
      if (performed.length !== part.items.length) throw new RangeError("not one outcome for each item");
      if (request.action === "read") stopIfGone(waiter, claim);
      const wanting = prepare && !isRetry ? performed.find(isUpstreamRequired) : undefined;
      if (wanting) {
        this.#noteEnd(
          about,
          part,
          performed.map(() => wanting),
        );
        // Nothing of the batch is kept meanwhile, so this is not awaited: all of it is read again.
        return this.deliver(request, vault, claim, waiter, perform, { isRetry: true, refused });
      }
      this.#noteEnd(about, part, performed);
      ended = true;
      const results = part === request ? performed : inOrder(request, part, performed, refused);
      if (results.every((result) => result instanceof VaultError)) {
        const error = errorOf(
          results,
          request.items.map(({ handle }) => labelOf(handle)),
        );
        if (error) throw error;
      }
      claim.land();
      this.#failures.landed(claim);
      return { is: "done", results: results.map((result, at) => outcomeOf(request.items[at], result)) };
    } catch (error) {
      claim.giveBack();
      const known = asVaultError(error);
      if (begun && !ended) {
        journal.note({ ...begun, kind: "failed", at: clock.now(), code: known.code, detail: known.message });
      }
      if (!waiter.signal.aborted) this.#failures.failed(claim, known);
      throw begun ? this.written(known) : known;
    }
  }

  /** What permits it is looked at once more: its proof, and whether this place is still worth what the vault demands. */
  async #vouch(request: AccessRequest, vault: Vault, claim: Claim): Promise<void> {
    const { approvers, clock, here, disproved } = this.#o;
    const { rules } = vault;
    const place = rules.minAssurance && (await here(rules));
    const isSignatureNeeded = needsSignature(rules, approvers);
    await vouch(request, claim, { approvers, isSignatureNeeded, now: clock.now(), disproved });
    const ruling = decide(vault, request.action, place);
    if (ruling.kind === "deny") throw ruling.error;
  }

  #noteEnd(about: Begun, request: AccessRequest, results: Each<unknown>): void {
    const { journal, clock } = this.#o;
    const shown = about.names ?? [];
    const part = (wanted: (result: unknown) => boolean): Pick<Event, "names" | "refs"> => ({
      names: shown.filter((_, at) => wanted(results[at])),
      refs: request.items.filter((_, at) => wanted(results[at])).map((item) => item.handle.ref),
    });
    const failures = results.filter((result) => result instanceof VaultError);
    const [first] = failures;
    if (failures.length < results.length) {
      journal.note({
        ...about,
        ...part((result) => !(result instanceof VaultError)),
        kind: "released",
        at: clock.now(),
      });
    }
    if (first) {
      const why = { code: first.code, detail: first.message };
      journal.note({
        ...about,
        ...part((result) => result instanceof VaultError),
        ...why,
        kind: "failed",
        at: clock.now(),
      });
    }
  }

  /** Marks an error whose line is in the log already. */
  written(error: VaultError): VaultError {
    this.#hasLine.add(error);
    return error;
  }

  isWritten(error: VaultError): boolean {
    return this.#hasLine.has(error);
  }
}

/** What was refused before, and what a person left out. */
function both(refused: TurnedDown, leftOut: TurnedDown): TurnedDown {
  return leftOut.size === 0 ? refused : new Map([...refused, ...leftOut]);
}

function aboutDelivery(request: AccessRequest, release: string, { approval, basis, until }: Claim): Begun {
  return { ...aboutRequest(request), release, approval, basis, ...(until !== undefined && { until }) };
}

/** The request for what the vault has not refused; itself where that is all of it. */
function without(request: AccessRequest, refused: TurnedDown): AccessRequest {
  if (refused.size === 0) return request;
  const items = request.items.filter(({ handle }) => !refused.has(handle.ref));
  return items.length === request.items.length ? request : { ...request, items };
}

/** The outcome of each item of a request, of which a part was tried and the rest refused before. */
function inOrder<T>(request: AccessRequest, part: AccessRequest, performed: Each<T>, refused: TurnedDown): Each<T> {
  const results = new Map(part.items.map((item, at) => [item, performed[at]]));
  return request.items.map((item) => {
    const result = refused.get(item.handle.ref) ?? results.get(item);
    if (result === undefined) throw new RangeError("an item without an outcome");
    return result;
  });
}

/**
 * Has the work told when the call is cancelled or its permission is revoked: what has not been done by then stays undone,
 * and says so with the reason.
 */
async function whilePermitted<T>(
  waiter: Waiter,
  claim: Claim,
  work: (signal: AbortSignal) => Promise<Each<T>>,
): Promise<Each<T>> {
  const stop = new AbortController();
  const abort = (): void => stop.abort();
  const unlisten = claim.onBroken(abort);
  waiter.signal.addEventListener("abort", abort, { once: true });
  if (waiter.signal.aborted) abort();
  try {
    const results = await work(stop.signal);
    const broken = stop.signal.aborted ? claim.broken() : undefined;
    return broken ? results.map((result) => (isCancelled(result) ? broken : result)) : results;
  } catch (error) {
    throw (isCancelled(error) && claim.broken()) || error;
  } finally {
    unlisten();
    waiter.signal.removeEventListener("abort", abort);
  }
}

function isCancelled(result: unknown): boolean {
  return result instanceof VaultError && result.code === "cancelled";
}

function stopIfGone(waiter: Waiter, claim: Claim): void {
  if (waiter.signal.aborted)
    throw new VaultError("cancelled", "the call was cancelled before the value was handed over");
  const broken = claim.broken();
  if (broken) throw broken;
}

function isUpstreamRequired(result: unknown): result is VaultError {
  return result instanceof VaultError && result.code === "upstream_required";
}

function outcomeOf<T>(item: Item | undefined, result: T | VaultError): Outcome<T> {
  const { name = "", field } = item?.handle ?? {};
  return { name, ...(field !== undefined && { field }), result };
}
