import { clip, visible } from "../../core/text.ts";
import { isReference, parseReference, type Query, SCHEME, splitTitled } from "./reference.ts";

/** The longest name that a tool takes. */
const LONGEST_NAME = 256;
/** How much of a title stands before a reference, characters. */
const LONGEST_LABEL = 80;

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

/** What a name means. */
export type Meaning =
  | { readonly is: "one"; readonly item: ItemInfo; readonly field?: string; readonly query?: Query }
  | { readonly is: "many"; readonly items: readonly ItemInfo[] }
  | { readonly is: "none" }
  /** It begins as a reference and is none. */
  | { readonly is: "malformed" };

/** The titles of one moment, and which item a name means. */
export interface Catalog {
  readonly vaults: readonly VaultInfo[];
  readonly items: readonly ItemInfo[];
  /**
   * A title, an id, an `op://` reference, or a title with a reference behind it in brackets. Capitals count where that
   * decides, and do not where it does not; one text that can mean two items means neither.
   */
  readonly find: (name: string) => Meaning;
  /**
   * A name that means exactly this item and holds its title, if that can be seen: the title, else a reference, else
   * `title (op://vault/id)`.
   */
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

  // The title is there to be read, and still has to be the item's: nobody is shown one name and gets another's secret.
  const byTitled = (name: string): readonly ItemInfo[] => {
    const titled = splitTitled(name);
    const segments = titled && parseReference(titled.reference)?.segments;
    if (!segments) return [];
    return readings(segments, true).flatMap(({ item, field }) =>
      field === undefined && item.id === segments.at(-1) && labelOf(item) === titled.title ? [item] : [],
    );
  };

  const find = (name: string): Meaning => {
    const titled = byTitled(name);
    if (titled.length > 0 || !isReference(name)) {
      const items = new Set([...titled, ...(isReference(name) ? [] : byName(name))]);
      return decided([...items].map((item) => ({ item })));
    }
    const written = parseReference(name);
    if (!written) return { is: "malformed" };
    const { segments, query } = written;
    const strict = readings(segments, true);
    return decided(strict.length > 0 ? strict : readings(segments, false), query);
  };

  const nameOf = (item: ItemInfo): string => {
    const vault = titles.get(item.vaultId) ?? item.vaultId;
    const ids = `${SCHEME}${item.vaultId}/${item.id}`;
    const label = labelOf(item);
    const titled = [`${label} (${SCHEME}${vault}/${item.id})`, `${label} (${ids})`];
    // Thousands of one title are not all looked at for each of them.
    const names = [
      ...(isAlone(byTitle.get(item.title)) ? [item.title] : []),
      ...(isAlone(byPlace.get(place(item.vaultId, item.title))) ? [`${SCHEME}${vault}/${item.title}`] : []),
      ...(label === "" ? [] : titled),
    ];
    const good = names.find((name) => {
      if (name.length > LONGEST_NAME || name === "" || name !== visible(name)) return false;
      const found = find(name);
      return found.is === "one" && found.item === item && found.field === undefined && found.query === undefined;
    });
    return good ?? ids;
  };

  return { vaults, items, find, nameOf, vaultTitle: (id) => titles.get(id) ?? id };
}

/** The part of a title that can be seen. */
function labelOf({ title }: ItemInfo): string {
  return clip(visible(title).replace(/⟦U\+[0-9A-F]+⟧/g, ""), LONGEST_LABEL).trim();
}

function decided(readings: readonly { item: ItemInfo; field?: string }[], query?: Query): Meaning {
  const [first, ...more] = readings;
  if (!first) return { is: "none" };
  if (more.length > 0) return { is: "many", items: [...new Set(readings.map(({ item }) => item))] };
  return { is: "one", ...first, ...(query !== undefined && { query }) };
}

function isAlone(group: readonly ItemInfo[] | undefined): boolean {
  return group?.length === 1;
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
