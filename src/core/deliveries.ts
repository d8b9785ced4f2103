import type { Reply } from "./asks.ts";
import type { Clock } from "./clock.ts";
import { asVaultError, VaultError } from "./errors.ts";
import type { Event } from "./event.ts";
import type { Claim } from "./claim.ts";
import { errorOf } from "./outcomes.ts";
import type { Each, Journal, Provider, Vault, Waiter } from "./ports.ts";
import { aboutRequest } from "./records.ts";
import type { AccessRequest, Item } from "./request.ts";

/** The last steps of a permitted request: record, fetch (or save), return. */
export class Deliveries {
  readonly #o: { readonly clock: Clock; readonly journal: Journal };
  readonly #newId: () => string;
  readonly #hasLine = new WeakSet<VaultError>();

  constructor(options: { readonly clock: Clock; readonly journal: Journal }, newId: () => string) {
    this.#o = options;
    this.#newId = newId;
  }

  /** No record, no release: the value is fetched only after `releasing` is durable. */
  async deliver<T>(
    request: AccessRequest,
    vault: Vault,
    claim: Claim,
    waiter: Waiter,
    perform: (provider: Provider, items: readonly Item[]) => Promise<Each<T>>,
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
      await journal.record([{ ...about, kind: "releasing", at: clock.now() }]);
      recorded = true;
      stopIfGone(waiter, claim);
      const results = await perform(provider, request.items);
      if (request.action === "read") stopIfGone(waiter, claim);
      this.#noteEnd(about, request, results);
      ended = true;
      const error = errorOf(results, names);
      if (error && results.every((result) => result instanceof VaultError)) throw error;
      claim.land();
      return { is: "done", results: results.map((result, at) => ({ name: names[at] ?? "", result })) };
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
