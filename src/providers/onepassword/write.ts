import type { Client, Item, ItemCreateParams } from "@1password/sdk";
import { asVaultError, VaultError } from "../../core/errors.ts";
import type { Each, PlannedEntry, Saved } from "../../core/ports.ts";
import { quoted } from "../../core/text.ts";
import type { Account } from "./account.ts";
import type { Category } from "./categories.ts";
import type { Sdk } from "./errors.ts";
import type { Overviews } from "./overview.ts";
import { refOfNew } from "./plan.ts";
import { type Address, parseAddress } from "./reference.ts";
import { NOTES_ID, type Place, placesIn } from "./shape.ts";

export interface Writing {
  readonly account: Account;
  readonly overviews: Overviews;
  readonly isAllowed: (vaultId: string) => boolean;
  /** Where new items go, and as what. */
  readonly vaultId: string | undefined;
  readonly category: Category;
}

const SAVED: Saved = { saved: true };

/**
 * Does what was planned, item by item. An item that was changed since it was shown is a `conflict`, as is a new name
 * that exists by now. Saved means that 1Password's answer holds the value. When the signal aborts, the change that was
 * sent is waited for and the names after it are `cancelled`. Callers run one at a time.
 */
export async function writeAll(
  writing: Writing,
  entries: readonly PlannedEntry[],
  signal: AbortSignal,
): Promise<Each<Saved>> {
  const outcomes = new Map<PlannedEntry, Saved | VaultError>();
  try {
    for (const group of byItem(entries)) {
      // One after the other: what fails for the whole account fails for the rest without another try.
      const outcome = await attempt(() => writeGroup(writing, group, signal));
      // What was sent has run to its end; what had not been sent when the signal aborted never is.
      const left = outcome instanceof VaultError && outcome.code === "cancelled";
      for (const entry of group) outcomes.set(entry, left ? leftOut(entry.plan.name) : outcome);
    }
  } finally {
    writing.overviews.forget();
  }
  return entries.map((entry) => outcomes.get(entry) ?? new VaultError("internal", "a write was left out"));
}

async function attempt(run: () => Promise<Saved>): Promise<Saved | VaultError> {
  try {
    return await run();
  } catch (error) {
    return asVaultError(error);
  }
}

/** Several fields of one item are one change of it. */
function byItem(entries: readonly PlannedEntry[]): PlannedEntry[][] {
  const groups = new Map<string, PlannedEntry[]>();
  for (const entry of entries) {
    const address = entry.plan.effect === "replace" ? parseAddress(entry.plan.ref) : undefined;
    const key = address ? `${address.vaultId}/${address.itemId}` : entry.plan.ref;
    const group = groups.get(key);
    if (group) group.push(entry);
    else groups.set(key, [entry]);
  }
  return [...groups.values()];
}

function writeGroup(writing: Writing, group: readonly PlannedEntry[], signal: AbortSignal): Promise<Saved> {
  const [first] = group;
  if (!first) throw new RangeError("an empty group");
  return first.plan.effect === "create" ? create(writing, first, signal) : replace(writing, group, signal);
}

async function replace(
  { account, isAllowed }: Writing,
  group: readonly PlannedEntry[],
  signal: AbortSignal,
): Promise<Saved> {
  const changes = group.map(({ plan, value }) => {
    const address = parseAddress(plan.ref);
    if (!address) throw new RangeError("a plan of another vault");
    return { address, value: value.reveal(), plan };
  });
  const [first] = changes;
  if (!first) throw new RangeError("an empty group");
  const { address, plan } = first;
  if (!isAllowed(address.vaultId))
    throw new VaultError("provider_forbidden", `${quoted(plan.name)} lies in a vault that is not in vaultIds`);
  const item = await account
    .call(signal, (client) => client.items.get(address.vaultId, address.itemId))
    .catch((error: unknown) => {
      const known = asVaultError(error);
      throw known.code === "secret_not_found" ? conflict(plan.name, "the item has gone") : known;
    });
  if (item.id !== address.itemId || item.vaultId !== address.vaultId)
    throw conflict(plan.name, "its id now leads to another item");
  for (const { plan, address, value } of changes) {
    if (String(item.version) !== plan.version) throw conflict(plan.name, "the item was changed");
    if (!put(item, address, value)) throw conflict(plan.name, "the field has gone");
  }
  const saved = await changing(plan.name, account, signal, (client) => client.items.put(item));
  for (const { plan, address, value } of changes) {
    if (saved.id !== item.id || valueOf(saved, address) !== value) throw unlike(plan.name);
  }
  return SAVED;
}

async function create(writing: Writing, { plan, value }: PlannedEntry, signal: AbortSignal): Promise<Saved> {
  const { account, overviews, vaultId, category } = writing;
  if (vaultId === undefined || plan.ref !== refOfNew(vaultId, plan.name))
    throw new RangeError("a plan of another vault");
  const catalog = await overviews.fresh(signal);
  if (catalog.find(plan.name).is !== "none") throw conflict(plan.name, "it has come into being");
  const text = value.reveal();
  const made = await changing(plan.name, account, signal, (client, sdk) =>
    client.items.create(newItem(sdk, { vaultId, category, title: plan.name, text })),
  );
  const fieldId = category.field === "notes" ? NOTES_ID : category.field;
  const holds = valueOf(made, { fieldId }) ?? made.fields.find(({ id }) => id === fieldId)?.value;
  // An empty field may be left out.
  if (made.vaultId !== vaultId || made.title !== plan.name || (holds ?? "") !== text) throw unlike(plan.name);
  return SAVED;
}

function newItem(
  sdk: Sdk,
  { vaultId, category, title, text }: { vaultId: string; category: Category; title: string; text: string },
): ItemCreateParams {
  const base = { category: sdk.ItemCategory[category.sdk], vaultId, title };
  if (category.field === "notes") return { ...base, notes: text };
  const { field } = category;
  return { ...base, fields: [{ id: field, title: field, fieldType: sdk.ItemFieldType.Concealed, value: text }] };
}

/** A call that changes something: once begun it is waited for, and what became of it is said as far as it is known. */
async function changing(
  name: string,
  account: Account,
  signal: AbortSignal,
  run: (client: Client, sdk: Sdk) => Promise<Item>,
): Promise<Item> {
  let begun = false;
  try {
    return await account.call(
      signal,
      (client, sdk) => {
        begun = true;
        return run(client, sdk);
      },
      { finish: true },
    );
  } catch (error) {
    const known = asVaultError(error);
    if (!begun || known.code !== "provider_unavailable") throw known;
    throw new VaultError("provider_unavailable", `whether ${quoted(name)} was saved is not known: ${known.message}`, {
      hint: "tell the user to look at the item in 1Password before you try again",
    });
  }
}

/** False when the item has no such field. */
function put(item: Item, address: Address, value: string): boolean {
  const there = placesIn(item)(address);
  if (there === "none" || there === "many") return false;
  if (there === "notes") item.notes = value;
  else there.value = value;
  return true;
}

function valueOf(item: Item, place: Place): string | undefined {
  const there = placesIn(item)(place);
  if (there === "none" || there === "many") return undefined;
  return there === "notes" ? item.notes : there.value;
}

function conflict(name: string, what: string): VaultError {
  return new VaultError("conflict", `${quoted(name)} was not saved: ${what} since the write was asked for`, {
    hint: "look at what is there now, then ask again",
  });
}

function leftOut(name: string): VaultError {
  return new VaultError("cancelled", `${quoted(name)} was not saved: the call or its approval ended before its turn`);
}

function unlike(name: string): VaultError {
  return new VaultError("provider_unavailable", `1Password answered the write of ${quoted(name)} with something else`, {
    hint: "tell the user to look at the item in the 1Password app: it may not hold what was to be saved",
  });
}
