import { VaultError } from "../../core/errors.ts";
import type { Provider } from "../../core/ports.ts";
import { Secret } from "../../core/secret.ts";
import type { ProviderContext } from "../define.ts";
import { openAccount } from "./account.ts";
import { CATEGORIES, type CategoryName } from "./categories.ts";
import { checkAccount } from "./check.ts";
import type { Sdk } from "./errors.ts";
import { handleOf, handlesOf } from "./handles.ts";
import { locate } from "./locate.ts";
import { openOverviews } from "./overview.ts";
import { planAll } from "./plan.ts";
import { readAll } from "./read.ts";
import { NOTES_ID } from "./shape.ts";
import { writeAll } from "./write.ts";

/** The options as the schema makes them. */
export interface OnePasswordOptions {
  readonly serviceAccountToken: string;
  readonly vaultIds?: readonly string[] | undefined;
  readonly write?: { readonly vaultId?: string | undefined; readonly category: CategoryName } | undefined;
}

/** Where new items go: where it is said, else the only vault there may be. */
export function placeOf({ vaultIds, write }: Pick<OnePasswordOptions, "vaultIds" | "write">): string | undefined {
  return write?.vaultId ?? (vaultIds?.length === 1 ? vaultIds[0] : undefined);
}

/**
 * The vaults of a 1Password service account as one vault: a secret is one field of an item. Opening loads nothing and
 * connects nowhere; tests hand in another loader.
 */
export function openOnePassword(
  options: OnePasswordOptions,
  { clock, version, warn }: Pick<ProviderContext, "clock" | "version" | "warn">,
  loadSdk: () => Promise<Sdk> = () => import("@1password/sdk"),
): Promise<Provider> {
  const { serviceAccountToken, vaultIds, write } = options;
  const account = openAccount({ token: new Secret(serviceAccountToken), clock, version, loadSdk });
  const overviews = openOverviews({ account, allowed: vaultIds, clock, warn: once(warn) });
  const isAllowed = (vaultId: string): boolean => vaultIds === undefined || vaultIds.includes(vaultId);
  const vaultId = placeOf(options);
  const category = CATEGORIES[write?.category ?? "login"];
  const fieldId = category.field === "notes" ? NOTES_ID : category.field;
  const tools = { account, overviews, place: { vaultId, fieldId } };
  const inTurn = queue();

  return Promise.resolve({
    list: async (signal) => {
      const catalog = await overviews.current(signal);
      return catalog.items.map((item) => catalog.nameOf(item));
    },

    resolve: async (names, signal) => {
      const { each } = await locate(tools, names, signal);
      return each.map((located) => (located instanceof VaultError ? located : handleOf(located)));
    },

    fields: async (name, wanted, signal) => {
      const { each } = await locate(tools, [name], signal);
      const [located] = each;
      if (!located) throw new RangeError("one name, one outcome");
      if (located instanceof VaultError) throw located;
      return handlesOf(located, wanted);
    },

    read: (handles, signal) => readAll({ account, isAllowed }, handles, signal),

    planWrite: (entries, signal) => planAll(tools, entries, signal),

    write: (entries, signal) =>
      inTurn(() => writeAll({ account, overviews, isAllowed, vaultId, category }, entries, signal)),

    check: (signal) => checkAccount({ overviews, vaultId }, signal),
  });
}

/** Says each line the first time only. */
function once(warn: (line: string) => void): (line: string) => void {
  const said = new Set<string>();
  return (line) => {
    if (said.has(line)) return;
    said.add(line);
    warn(line);
  };
}

/** Runs one after the other what is handed to it, in that order. */
function queue(): <T>(run: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (run) => {
    const mine = last.then(run, run);
    last = mine.catch(() => {});
    return mine;
  };
}
