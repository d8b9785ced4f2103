import { visible } from "../../core/text.ts";
import { isReference, parseReference, type Query, SCHEME } from "./reference.ts";

/** The longest name that a tool takes. */
const LONGEST_NAME = 256;

/** A vault of 1Password, not one of the configuration. */
export interface VaultInfo {
  readonly id: string;
  readonly title: string;
  /** How many items 1Password says are in it. */
  readonly count: number;
}

/** What is known of an item without opening it. */
export interface ItemInfo {
  readonly id: string;
  readonly vaultId: string;
  readonly title: string;
  /** Epoch ms. */
  readonly updatedAt: number;
}

/** What a name was found to be. */
export type Found =
  | { readonly is: "one"; readonly item: ItemInfo; readonly field?: string; readonly query?: Query }
  | { readonly is: "many"; readonly items: readonly ItemInfo[] }
  | { readonly is: "none" };

/** The titles of one moment, and which item a name means. */
export interface Catalog {
  readonly vaults: readonly VaultInfo[];
  readonly items: readonly ItemInfo[];
  /**
   * A title, an id or an `op://` reference. Capitals count where that decides, and do not where it does not; one text
   * that can mean two items means neither.
   */
  readonly find: (name: string) => Found;
  /** The shortest name that means exactly this item: its title, else a reference that a person can read, else ids. */
  readonly nameOf: (item: ItemInfo) => string;
  readonly vaultTitle: (vaultId: string) => string;
}

/** Upper and lower case, and the two ways to write an accent, are the same here. */
export function fold(text: string): string {
  return text.normalize("NFC").toLowerCase();
}

export function catalogOf(vaults: readonly VaultInfo[], items: readonly ItemInfo[]): Catalog {
  const byId = groupBy(items, (item) => item.id);
  const byTitle = groupBy(items, (item) => item.title);
  const byFold = groupBy(items, (item) => fold(item.title));
  const byPlace = groupBy(items, (item) => place(item.vaultId, item.title));
  const byFoldPlace = groupBy(items, (item) => place(item.vaultId, fold(item.title)));
  const titles = new Map(vaults.map(({ id, title }) => [id, title]));

  const byName = (name: string): readonly ItemInfo[] => {
    const exact = new Set([...(byTitle.get(name) ?? []), ...(byId.get(name) ?? [])]);
    return exact.size > 0 ? [...exact] : (byFold.get(fold(name)) ?? []);
  };

  const inVault = (vaultId: string, text: string, strict: boolean): readonly ItemInfo[] => {
    const titled = strict ? byPlace.get(place(vaultId, text)) : byFoldPlace.get(place(vaultId, fold(text)));
    const known = (byId.get(text) ?? []).filter((item) => item.vaultId === vaultId);
    return [...new Set([...known, ...(titled ?? [])])];
  };

  // Titles may hold slashes, so every way to cut the path is tried.
  const readings = (segments: readonly string[], strict: boolean): { item: ItemInfo; field?: string }[] => {
    const found: { item: ItemInfo; field?: string }[] = [];
    for (let end = 1; end < segments.length; end++) {
      const text = segments.slice(0, end).join("/");
      const meant = vaults.filter(({ id, title }) =>
        strict ? id === text || title === text : id === text || fold(title) === fold(text),
      );
      for (let stop = end + 1; meant.length > 0 && stop <= segments.length; stop++) {
        const title = segments.slice(end, stop).join("/");
        const field = segments.slice(stop).join("/");
        for (const vault of meant) {
          for (const item of inVault(vault.id, title, strict))
            found.push({ item, ...(stop < segments.length && { field }) });
        }
      }
    }
    return found;
  };

  const find = (name: string): Found => {
    if (!isReference(name)) return decided(byName(name).map((item) => ({ item })));
    const written = parseReference(name);
    if (!written) return { is: "none" };
    const { segments, query } = written;
    const strict = readings(segments, true);
    return decided(strict.length > 0 ? strict : readings(segments, false), query);
  };

  const nameOf = (item: ItemInfo): string => {
    const vault = titles.get(item.vaultId) ?? item.vaultId;
    const ids = `${SCHEME}${item.vaultId}/${item.id}`;
    const names = [item.title, `${SCHEME}${vault}/${item.title}`, `${SCHEME}${vault}/${item.id}`];
    const good = names.find((name) => {
      if (name.length > LONGEST_NAME || name === "" || name !== visible(name)) return false;
      const found = find(name);
      return found.is === "one" && found.item === item && found.field === undefined && found.query === undefined;
    });
    return good ?? ids;
  };

  return { vaults, items, find, nameOf, vaultTitle: (id) => titles.get(id) ?? id };
}

function decided(readings: readonly { item: ItemInfo; field?: string }[], query?: Query): Found {
  const [first, ...more] = readings;
  if (!first) return { is: "none" };
  if (more.length > 0) return { is: "many", items: [...new Set(readings.map(({ item }) => item))] };
  return { is: "one", ...first, ...(query !== undefined && { query }) };
}

function place(vaultId: string, title: string): string {
  return `${vaultId}/${title}`;
}

function groupBy(items: readonly ItemInfo[], keyOf: (item: ItemInfo) => string): Map<string, ItemInfo[]> {
  const groups = new Map<string, ItemInfo[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group) group.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return groups;
}
