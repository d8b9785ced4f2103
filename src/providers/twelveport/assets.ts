import type { Clock } from "../../core/clock.ts";
import { VaultError } from "../../core/errors.ts";
import type { Each } from "../../core/ports.ts";
import { closeTo } from "../../core/near.ts";
import { quoted } from "../../core/text.ts";
import { refuseAborted, untilAborted } from "../abort.ts";
import { faultOf } from "../http-faults.ts";
import { type Api, PAGE_SIZE } from "./api.ts";
import { WHO } from "./options.ts";
import { type Asset, canonicalId, isUuid } from "./replies.ts";

/** An asset that a name stands for. */
export interface Found {
  readonly id: string;
  /** What the vault calls it; undefined when nobody told us. */
  readonly called: string | undefined;
  /** Whether the vault has shown that it exists. */
  readonly checked: boolean;
}

export interface Assets {
  /** Every name, those of the configuration first. Kept for a minute; calls that come together share one look. */
  readonly list: (signal: AbortSignal) => Promise<readonly string[]>;
  readonly find: (names: readonly string[], signal: AbortSignal) => Promise<Each<Found>>;
  /** How a message calls an asset that is known by its id. */
  readonly label: (id: string) => string;
  /** The name that the configuration gives to an id. */
  readonly ownName: (id: string) => string | undefined;
}

const MOST_PAGES = 40;
/** As many as that many pages hold of the size that is asked for. */
const MOST_FOUND = MOST_PAGES * PAGE_SIZE;
const MOST_MET = 10_000;
const KEPT_MS = 60_000;
const AT_ONCE = 6;
const MOST_CANDIDATES = 5;

/** The assets of a tenant, by name and by id. */
export function createAssets(api: Api, own: Readonly<Record<string, string>>, clock: Clock): Assets {
  const ownNames = new Map(Object.entries(own).map(([name, id]) => [name, canonicalId(id)]));
  const namedByUs = new Map([...ownNames].map(([name, id]) => [id, name]));
  /** The last name each id was met under. Good enough for messages; a person who decides is shown no old name. */
  const met = new Map<string, string>();
  let looking: Promise<readonly string[]> | undefined;
  let kept: { readonly names: readonly string[]; readonly endsAt: number } | undefined;

  function meet({ id, name }: Asset): void {
    if (met.size >= MOST_MET) met.clear();
    met.set(id, name);
  }

  /** All that the search has for a text. It looks for parts of names, so most of it is something else. */
  async function search(text: string, signal: AbortSignal): Promise<{ assets: readonly Asset[]; isAll: boolean }> {
    const found = new Map<string, Asset>();
    let seen = 0;
    for (let page = 0; page < MOST_PAGES; page++) {
      const { assets, size, total } = await api.search(text, page, signal);
      const before = found.size;
      for (const asset of assets) found.set(asset.id, asset);
      seen += size;
      // A server that knows no pages gives the same one for ever.
      const isLast = size === 0 || found.size === before || (size < PAGE_SIZE && seen >= (total ?? 0));
      if (isLast) return { assets: [...found.values()], isAll: true };
      if (found.size > MOST_FOUND) break;
    }
    return { assets: [...found.values()], isAll: false };
  }

  async function find(name: string, signal: AbortSignal): Promise<Found> {
    const configured = ownNames.get(name);
    if (configured !== undefined) return { id: configured, called: name, checked: false };
    if (isUuid(name)) return { id: canonicalId(name), called: namedByUs.get(canonicalId(name)), checked: false };
    const { assets, isAll } = await search(name, signal);
    const exact = assets.filter((asset) => asset.name === name);
    const close = exact.length > 0 ? exact : assets.filter((asset) => folded(asset.name) === folded(name));
    const [only, ...more] = close;
    if (more.length > 0) throw ambiguous(name, close);
    if (!isAll) throw tooMany(name);
    if (only === undefined) throw notFound(name, assets);
    meet(only);
    return { id: only.id, called: only.name, checked: true };
  }

  async function look(signal: AbortSignal): Promise<readonly string[]> {
    const { assets } = await search("", signal).catch((error: unknown) => {
      // Whether a search for nothing finds everything is documented nowhere; one that is refused finds nothing.
      if (ownNames.size > 0 && faultOf(error)?.kind === "error") return { assets: [] };
      throw error;
    });
    for (const asset of assets) meet(asset);
    const names = [...new Set([...ownNames.keys(), ...assets.map(({ name }) => name)])];
    kept = { names, endsAt: clock.mono() + KEPT_MS };
    return names;
  }

  return {
    list: async (signal) => {
      refuseAborted(signal, WHO);
      if (kept && clock.mono() < kept.endsAt) return kept.names;
      if (looking === undefined) {
        // Nobody's own signal: the one who looks first may be the first to go.
        looking = look(new AbortController().signal).finally(() => (looking = undefined));
        looking.catch(() => {}); // Whoever waits for it hears of it.
      }
      return untilAborted(looking, signal, WHO);
    },

    find: (wanted, signal) =>
      eachOf(wanted, async (name) => {
        try {
          return await find(name, signal);
        } catch (error) {
          if (error instanceof VaultError && PER_NAME.includes(error.code)) return error;
          throw error;
        }
      }),

    label: (id) => namedByUs.get(id) ?? met.get(id) ?? id,
    ownName: (id) => namedByUs.get(id),
  };
}

/** What is wrong with a name, and not with the vault. */
const PER_NAME: readonly string[] = ["secret_not_found", "ambiguous"];

/** The same for every entry, a few at a time, in their order. */
export async function eachOf<T, R>(entries: readonly T[], run: (entry: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const queue = entries.entries();
  const worker = async (): Promise<void> => {
    for (const [at, entry] of queue) results[at] = await run(entry);
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, entries.length) }, worker));
  return results;
}

function folded(name: string): string {
  return name.toLowerCase();
}

function ambiguous(name: string, assets: readonly Asset[]): VaultError {
  const ids = assets
    .slice(0, 2 * MOST_CANDIDATES)
    .map(({ id, name: called }) => (called === name ? id : `${quoted(called)} (${id})`));
  return new VaultError(
    "ambiguous",
    `${assets.length} assets in 12Port are called ${quoted(name)}: ${ids.join(", ")}`,
    {
      hint: "call again with the id of the one that is meant, as the name",
    },
  );
}

function tooMany(name: string): VaultError {
  return new VaultError("ambiguous", `12Port finds more than ${MOST_FOUND} assets for ${quoted(name)}`, {
    hint: "call again with the asset's id as the name, or put name and id into the vault's assets option",
  });
}

/** What the search found instead is offered and never taken: an agent that asks for "db" must not get "prod-db". */
function notFound(name: string, assets: readonly Asset[]): VaultError {
  const names = assets.map((asset) => asset.name);
  // What the vendor's own partial match finds comes after what looks alike.
  const close = [...new Set([...closeTo(name, names), ...names])].slice(0, MOST_CANDIDATES).map(quoted);
  return new VaultError("secret_not_found", `there is no asset called ${quoted(name)} in 12Port`, {
    hint:
      close.length === 0
        ? "call list_secrets for the names there are"
        : `did you mean ${close.join(" or ")}? only exact names are taken`,
  });
}
