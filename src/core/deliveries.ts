import type { Reply } from "./asks.ts";
import type { Clock } from "./clock.ts";
import { asVaultError, VaultError } from "./errors.ts";
import type { Event } from "./event.ts";
import type { Claim } from "./claim.ts";
import { errorOf } from "./outcomes.ts";
import type { Each, Journal, Provider, Vault, Waiter } from "./ports.ts";
import { Preparations, type PreparationsOptions } from "./preparations.ts";
import { aboutRequest } from "./records.ts";
import type { AccessRequest, Item } from "./request.ts";

export type DeliveriesOptions = PreparationsOptions;

/** What one try at handing over came to; "unprepared" when the vault wants its own people asked first. */
type Handed<T> = Reply<T> | { readonly is: "unprepared"; readonly claim: Claim };

/** The last steps of a permitted request: prepare, record, fetch (or save), return. */
export class Deliveries {
  readonly preparations: Preparations;
  readonly #o: { readonly clock: Clock; readonly journal: Journal };
  readonly #newId: () => string;
  readonly #hasLine = new WeakSet<VaultError>();

  constructor(options: DeliveriesOptions, newId: () => string) {
    this.#o = options;
    this.#newId = newId;
    this.preparations = new Preparations(options);
  }

  /** The claim is settled by this, however it ends. */
  async deliver<T>(
    request: AccessRequest,
    vault: Vault,
    claim: Claim,
    waiter: Waiter,
    perform: (provider: Provider, items: readonly Item[]) => Promise<Each<T>>,
  ): Promise<Reply<T>> {
    const provider = await this.#open(vault, claim);
    const first = await this.#prepareAndHand(request, provider, claim, waiter, perform, { mayAskUpstream: true });
    if (first.is !== "unprepared") return first;
    const second = await this.#prepareAndHand(request, provider, first.claim, waiter, perform, {
      mayAskUpstream: false,
    });
    if (second.is === "unprepared") throw new RangeError("a vault cannot be made ready twice for one call");
    return second;
  }

  async #open(vault: Vault, claim: Claim): Promise<Provider> {
    try {
      return await vault.open();
    } catch (error) {
      claim.giveBack();
      throw error;
    }
  }

  /** Making ready may take days, so it comes before the record: `releasing` means that the value is fetched now. */
  async #prepareAndHand<T>(
    request: AccessRequest,
    provider: Provider,
    claim: Claim,
    waiter: Waiter,
    perform: (provider: Provider, items: readonly Item[]) => Promise<Each<T>>,
    how: { mayAskUpstream: boolean },
  ): Promise<Handed<T>> {
    const { prepare } = provider;
    if (!prepare || request.action !== "read") return this.#hand(request, provider, claim, waiter, perform, how);
    try {
      this.preparations.refuseDenied(request);
    } catch (error) {
      claim.land();
      throw error;
    }
    let prepared;
    try {
      prepared = await this.preparations.attend(request, prepare, claim, waiter);
    } catch (error) {
      throw this.written(asVaultError(error));
    }
    if (prepared.is === "pending") return prepared;
    return this.#hand(request, provider, prepared.claim, waiter, perform, how);
  }

  /** No record, no release: the value is fetched only after `releasing` is durable. */
  async #hand<T>(
    request: AccessRequest,
    provider: Provider,
    claim: Claim,
    waiter: Waiter,
    perform: (provider: Provider, items: readonly Item[]) => Promise<Each<T>>,
    { mayAskUpstream }: { mayAskUpstream: boolean },
  ): Promise<Handed<T>> {
    const { journal, clock } = this.#o;
    const names = request.items.map((item) => item.handle.name);
    const release = this.#newId();
    const { approval, basis, until } = claim;
    const about = { ...aboutRequest(request), release, approval, basis, ...(until !== undefined && { until }) };
    let recorded = false;
    let ended = false;
    try {
      stopIfGone(waiter, claim);
      await journal.record([{ ...about, kind: "releasing", at: clock.now() }]);
      recorded = true;
      stopIfGone(waiter, claim);
      const results = await perform(provider, request.items);
      if (request.action === "read") stopIfGone(waiter, claim);
      const wanting = results.find((result) => result instanceof VaultError && result.code === "upstream_required");
      if (wanting instanceof VaultError && mayAskUpstream) {
        // Nothing of the batch is kept meanwhile: all of it is read again once the vault's people have agreed.
        this.#noteEnd(
          about,
          request,
          results.map(() => wanting),
        );
        return { is: "unprepared", claim };
      }
      this.#noteEnd(about, request, results);
      ended = true;
      const error = errorOf(results, names);
      if (error && results.every((result) => result instanceof VaultError)) throw error;
      claim.land();
      return {
        is: "done",
        results: results.map((result, at) => {
          const { name = "", field } = request.items[at]?.handle ?? {};
          return { name, ...(field !== undefined && { field }), result };
        }),
      };
    } catch (error) {
      claim.giveBack();
      const known = asVaultError(error);
      if (recorded && !ended) {
        journal.note({ ...about, kind: "failed", at: clock.now(), code: known.code, detail: known.message });
      }
      throw recorded ? this.written(known) : known;
    }
  }

  #noteEnd(about: Omit<Event, "kind" | "at">, request: AccessRequest, results: Each<unknown>): void {
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

function stopIfGone(waiter: Waiter, claim: Claim): void {
  if (waiter.signal.aborted)
    throw new VaultError("cancelled", "the call was cancelled before the value was handed over");
  const broken = claim.broken();
  if (broken) throw broken;
}
