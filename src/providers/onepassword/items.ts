import type { Client, Item } from "@1password/sdk";
import { VaultError } from "../../core/errors.ts";
import type { Account } from "./account.ts";
import { type Sdk, strange, translate } from "./errors.ts";

/** The SDK's own limit. */
const BATCH = 50;

/** Where an item is, by ids. */
export interface ItemPlace {
  readonly id: string;
  readonly vaultId: string;
}

/**
 * Opens items, each once, and gives what `use` makes of each, by item id: what is not used is forgotten at once. What is
 * not there is `secret_not_found`; what goes wrong for all of them is thrown.
 */
export async function openItems<T>(
  account: Account,
  places: readonly ItemPlace[],
  signal: AbortSignal,
  use: (item: Item) => T,
): Promise<ReadonlyMap<string, T | VaultError>> {
  const results = new Map<string, T | VaultError>();
  const take = ({ id, vaultId }: ItemPlace, item: Item | VaultError): void => {
    if (item instanceof VaultError) results.set(id, item);
    else if (item.id !== id || item.vaultId !== vaultId) results.set(id, strange("it is about another item"));
    else results.set(id, use(item));
  };
  const all = batches(places);
  if (all.length === 0) return results;
  const opened = await account.call(signal, (client, sdk) =>
    Promise.all(all.map((batch) => openBatch(client, sdk, batch))),
  );
  all.forEach((batch, at) =>
    batch.forEach((place, i) => take(place, opened[at]?.[i] ?? strange("an item is missing from it"))),
  );
  return results;
}

async function openBatch(
  client: Client,
  sdk: Sdk,
  batch: readonly ItemPlace[],
): Promise<readonly (Item | VaultError)[]> {
  const [first, ...more] = batch;
  if (!first) return [];
  if (more.length === 0) {
    const one = await client.items.get(first.vaultId, first.id).catch((error: unknown) => {
      const known = translate(error, sdk);
      if (known.code === "secret_not_found") return known;
      throw error;
    });
    return [one];
  }
  const ids = batch.map(({ id }) => id);
  const { individualResponses } = await client.items.getAll(first.vaultId, ids);
  if (individualResponses.length !== ids.length) throw strange("it has another number of items");
  return individualResponses.map(({ content, error }) => {
    if (content) return content;
    return translate(error?.type === "itemNotFound" ? "item couldn't be found" : (error?.message ?? ""), undefined);
  });
}

/** At most fifty of one vault each. */
function batches(places: readonly ItemPlace[]): ItemPlace[][] {
  const open = new Map<string, ItemPlace[]>();
  const all: ItemPlace[][] = [];
  for (const place of new Map(places.map((each) => [each.id, each])).values()) {
    const batch = open.get(place.vaultId);
    if (batch && batch.length < BATCH) {
      batch.push(place);
      continue;
    }
    const begun = [place];
    open.set(place.vaultId, begun);
    all.push(begun);
  }
  return all;
}
