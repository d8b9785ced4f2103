import { VaultError } from "../../core/errors.ts";
import { glimpse, quoted } from "../../core/text.ts";
import type { Account } from "./account.ts";
import type { Catalog, ItemInfo } from "./catalog.ts";
import { closeTo } from "../../core/near.ts";
import { strange } from "./errors.ts";
import { openItems } from "./items.ts";
import type { Overviews } from "./overview.ts";
import { isReference, parseReference, type Query, splitTitled } from "./reference.ts";
import { type Shape, shapeOf } from "./shape.ts";

const MOST_SHOWN = 5;

/** The item a name means, as it is at this moment. */
export interface Located {
  readonly name: string;
  readonly shape: Shape;
  /** The field that an `op://` reference names, as it was written. */
  readonly field?: string;
  readonly query?: Query;
  /** What the item is called, and in which vault: where there are several, or the name is not the title. */
  readonly title?: string;
}

/** What became of names that were looked up, and the titles that decided it. */
export interface Lookup {
  readonly catalog: Catalog;
  /** Per name: `secret_not_found` with the likeliest, or `ambiguous` with what tells them apart. */
  readonly each: readonly (Located | VaultError)[];
}

/**
 * Finds items by name. Values pass through memory, since the SDK does not tell the fields without them, and are dropped.
 * What is known of titles may be a minute old: where that shows, they are looked at anew and the names once more.
 */
export async function locate(
  { account, overviews }: { readonly account: Account; readonly overviews: Overviews },
  names: readonly string[],
  signal: AbortSignal,
): Promise<Lookup> {
  const catalog = await overviews.current(signal);
  const looks = await look(account, catalog, names, signal);
  const stale = looks.flatMap((each) => each.stale ?? []);
  if (stale.length === 0) return lookup(catalog, looks);

  // A title that has changed is proof that what we know is old; one that is not there is only a hint.
  const newer = stale.includes("changed") ? await overviews.fresh(signal) : await overviews.newer(catalog, signal);
  if (newer === catalog) return lookup(catalog, looks);
  const again = await look(account, newer, names, signal);
  return lookup(newer, again.map(unlessMoving));
}

interface Look {
  readonly name: string;
  readonly outcome: Located | VaultError;
  /** Why what we know may be old. */
  readonly stale?: "missing" | "changed";
}

async function look(
  account: Account,
  catalog: Catalog,
  names: readonly string[],
  signal: AbortSignal,
): Promise<readonly Look[]> {
  const found = names.map((name) => ({ name, means: catalog.find(name) }));
  const items = found.flatMap(({ means }) => (means.is === "one" ? [means.item] : []));
  const missing = found.filter(({ means }) => means.is === "none").length;
  const shapes = await openItems(account, items, signal, shapeOf);
  return found.map(({ name, means }): Look => {
    if (means.is === "none") return { name, outcome: notFound(name, catalog, missing), stale: "missing" };
    if (means.is === "malformed") return { name, outcome: malformed(name) };
    if (means.is === "many") return { name, outcome: ambiguous(name, means.items, catalog) };
    const { item, field, query } = means;
    const shape = shapes.get(item.id) ?? strange("an item is missing from it");
    if (shape instanceof VaultError)
      return { name, outcome: shape, ...(shape.code === "secret_not_found" && { stale: "changed" }) };
    const outcome: Located = {
      name,
      shape,
      ...(field !== undefined && { field }),
      ...(query !== undefined && { query }),
      ...((name !== shape.title || catalog.vaults.length > 1) && {
        title: `${shape.title} (${catalog.vaultTitle(shape.vaultId)})`,
      }),
    };
    return { name, outcome, ...(shape.title !== item.title && { stale: "changed" }) };
  });
}

function lookup(catalog: Catalog, looks: readonly Look[]): Lookup {
  return { catalog, each: looks.map(({ outcome }) => outcome) };
}

function unlessMoving(look: Look): Look {
  if (look.stale !== "changed") return look;
  const outcome = new VaultError("conflict", `${quoted(look.name)} is being changed in 1Password at this moment`, {
    hint: "call again",
  });
  return { name: look.name, outcome };
}

function notFound(name: string, catalog: Catalog, asked: number): VaultError {
  const wanted = isReference(name) ? (parseReference(name)?.segments[1] ?? name) : (splitTitled(name)?.title ?? name);
  const close = closeTo(
    wanted,
    catalog.items.map(({ title }) => title),
    asked,
  );
  const meant = [...new Set(close)].map((title) => quoted(title)).join(" or ");
  return new VaultError("secret_not_found", `no item ${quoted(name)} in the 1Password vaults this token may use`, {
    hint:
      meant === ""
        ? "call list_secrets for the names there are"
        : `did you mean ${meant}? list_secrets shows all names`,
  });
}

function malformed(name: string): VaultError {
  return new VaultError("invalid_name", `${quoted(name)} is not a reference to something in 1Password`, {
    hint: 'write op://vault/item or op://vault/item/field; after "?" only attribute=otp or ssh-format=openssh',
  });
}

function ambiguous(name: string, items: readonly ItemInfo[], catalog: Catalog): VaultError {
  const shown = items
    .toSorted((a, b) => b.updatedAt - a.updatedAt)
    .slice(0, MOST_SHOWN)
    .map((item) => {
      const day = Number.isNaN(item.updatedAt) ? "?" : new Date(item.updatedAt).toISOString().slice(0, 10);
      const where = `in ${glimpse(catalog.vaultTitle(item.vaultId), 80)}, changed ${day}`;
      // Quotes stand around what can be asked for, and nothing else.
      return `"${glimpse(catalog.nameOf(item), 260)}" (${where})`;
    });
  const rest = items.length - shown.length;
  return new VaultError("ambiguous", `${quoted(name)} can mean ${items.length} items in 1Password`, {
    hint: `ask for one of them: ${shown.join(", ")}${rest > 0 ? ` and ${rest} more in list_secrets` : ""}`,
  });
}
