import type { Outcome, Reply } from "./asks.ts";
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

  /**
   * No record, no release: the value is fetched only after `releasing` is durable. Making ready may take days, so it
   * comes before that. The claim is settled by this, however it ends.
   */
  async deliver<T>(
    request: AccessRequest,
    vault: Vault,
    claim: Claim,
    waiter: Waiter,
    perform: (provider: Provider, items: readonly Item[]) => Promise<Each<T>>,
    { isRetry }: { isRetry: boolean } = { isRetry: false },
  ): Promise<Reply<T>> {
    const { journal, clock } = this.#o;
    const names = request.items.map((item) => item.handle.name);
    const release = this.#newId();
    const { approval, basis, until } = claim;
    const about = { ...aboutRequest(request), release, approval, basis, ...(until !== undefined && { until }) };
    let recorded = false;
    let ended = false;
    try {
      const provider = await vault.open();
      stopIfGone(waiter, claim);
      const prepare = request.action === "read" ? provider.prepare : undefined;
      if (prepare) {
        this.preparations.refuse(request);
        if (isRetry && !this.preparations.find(request.key)) this.preparations.refuseFull();
        const prepared = await this.preparations.attend(request, prepare, claim, waiter);
        if (prepared.is === "pending") return prepared;
        if (prepared.is === "failed") throw this.written(prepared.error);
        stopIfGone(waiter, claim);
      }
      await journal.record([{ ...about, kind: "releasing", at: clock.now() }]);
      recorded = true;
      stopIfGone(waiter, claim);
      const results = await perform(provider, request.items);
      if (request.action === "read") stopIfGone(waiter, claim);
      const wanting = prepare && !isRetry ? results.find(isUpstreamRequired) : undefined;
      if (wanting) {
        this.#noteEnd(
          about,
          request,
          results.map(() => wanting),
        );
        // Nothing of the batch is kept meanwhile, so this is not awaited: all of it is read again.
        return this.deliver(request, vault, claim, waiter, perform, { isRetry: true });
      }
      this.#noteEnd(about, request, results);
      ended = true;
      const error = errorOf(results, names);
      if (error && results.every((result) => result instanceof VaultError)) throw error;
      claim.land();
      return { is: "done", results: results.map((result, at) => outcomeOf(request.items[at], result)) };
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

function isUpstreamRequired(result: unknown): result is VaultError {
  return result instanceof VaultError && result.code === "upstream_required";
}

function outcomeOf<T>(item: Item | undefined, result: T | VaultError): Outcome<T> {
  const { name = "", field } = item?.handle ?? {};
  return { name, ...(field !== undefined && { field }), result };
}
