import type { Client, ItemOverview, VaultOverview } from "@1password/sdk";
import { type Clock, Span } from "../../core/clock.ts";
import { VaultError } from "../../core/errors.ts";
import { refuseAborted, untilAborted } from "../abort.ts";
import { type Account, WHO } from "./account.ts";
import { vaultIdsHint } from "./unseen.ts";
import { type Catalog, catalogOf, type ItemInfo, type VaultInfo } from "./catalog.ts";

/** For how long titles are taken to be what they were. */
const FRESH_MS = 60_000;
/** A name that is not there makes us look again, but not more often than this. */
const LOOK_AGAIN_MS = 5_000;

/** The titles of vaults and items, kept for a minute. Values and fields never come by here. */
export interface Overviews {
  readonly current: (signal: AbortSignal) => Promise<Catalog>;
  /** One that is newer than this one, unless that was made only a moment ago. */
  readonly newer: (than: Catalog, signal: AbortSignal) => Promise<Catalog>;
  /** One that is made now, whatever is known. */
  readonly fresh: (signal: AbortSignal) => Promise<Catalog>;
  /** We have changed something ourselves: nothing that is known counts any more. */
  readonly forget: () => void;
  /** The vaults as they are now; one call, and nothing is kept. */
  readonly vaults: (signal: AbortSignal) => Promise<readonly VaultInfo[]>;
}

interface Kept {
  readonly catalog: Catalog;
  readonly fresh: Span;
  readonly young: Span;
}

/** Whose vaults, which of them, and who is told what is amiss. */
export interface OverviewOptions {
  readonly account: Account;
  /** Ids of the vaults that may be looked at; `undefined` allows all that the service account can see. */
  readonly allowed: readonly string[] | undefined;
  readonly clock: Clock;
  /** Told at each look of what is allowed and not there, a line each. */
  readonly warn: (line: string) => void;
}

/** Overviews of the allowed vaults. Opening looks at nothing. */
export function openOverviews({ account, allowed, clock, warn }: OverviewOptions): Overviews {
  const nobody = new AbortController().signal;
  let kept: Kept | undefined;
  let flight: Promise<Catalog> | undefined;

  const isAllowed = (id: string): boolean => allowed === undefined || allowed.includes(id);

  async function listVaults(client: Client): Promise<VaultInfo[]> {
    // Without being asked to, the SDK need not decrypt their titles.
    const listed = await client.vaults.list({ decryptDetails: true });
    const vaults = listed.filter(({ id }) => isAllowed(id)).map(vaultInfo);
    const unseen = (allowed ?? []).filter((id) => !vaults.some((vault) => vault.id === id));
    if (vaults.length === 0) throw nothingToSee(unseen, listed);
    for (const id of unseen)
      warn(`1Password: the service account cannot see vault ${id} of vaultIds; ${vaultIdsHint([id], listed)}`);
    return vaults;
  }

  /** n vaults + 1 calls. If one vault cannot be listed, what is unique is not known: all of it fails. */
  function load(): Promise<Catalog> {
    return account.call(nobody, async (client) => {
      const vaults = await listVaults(client);
      const lists = await Promise.all(vaults.map(({ id }) => listItems(client, id)));
      return catalogOf(vaults, lists.flat());
    });
  }

  function fetch(): Promise<Catalog> {
    const mine = load().then((catalog) => {
      if (flight === mine) kept = { catalog, fresh: new Span(clock, FRESH_MS), young: new Span(clock, LOOK_AGAIN_MS) };
      return catalog;
    });
    flight = mine;
    const landed = (): void => {
      if (flight === mine) flight = undefined;
    };
    mine.finally(landed).catch(() => {});
    return mine;
  }

  return {
    current: async (signal) => {
      refuseAborted(signal, WHO);
      if (kept && !kept.fresh.over()) return kept.catalog;
      return untilAborted(flight ?? fetch(), signal, WHO);
    },
    newer: async (than, signal) => {
      refuseAborted(signal, WHO);
      if (kept && kept.catalog !== than && !kept.fresh.over()) return kept.catalog;
      if (kept && !kept.young.over()) return kept.catalog;
      return untilAborted(flight ?? fetch(), signal, WHO);
    },
    fresh: async (signal) => {
      refuseAborted(signal, WHO);
      // One that is under way may have looked before the moment that matters.
      return untilAborted(fetch(), signal, WHO);
    },
    forget: () => {
      kept = undefined;
      flight = undefined;
    },
    vaults: (signal) => account.call(signal, (client) => listVaults(client)),
  };
}

async function listItems(client: Client, vaultId: string): Promise<ItemInfo[]> {
  const items = await client.items.list(vaultId, { type: "ByState", content: { active: true, archived: false } });
  return items.filter((item) => item.vaultId === vaultId && isActive(item)).map(itemInfo);
}

function isActive({ state }: ItemOverview): boolean {
  const known: `${typeof state}` = state;
  return known !== "archived";
}

function vaultInfo({ id, title, activeItemCount }: VaultOverview): VaultInfo {
  return { id, title, count: activeItemCount };
}

function itemInfo({ id, vaultId, title, updatedAt }: ItemOverview): ItemInfo {
  return { id, vaultId, title, updatedAt: new Date(updatedAt).getTime() };
}

function nothingToSee(unseen: readonly string[], listed: readonly VaultOverview[]): VaultError {
  return unseen.length === 0
    ? new VaultError("provider_forbidden", "the service account of 1Password can see no vault", {
        hint: "tell the user to make another service account and choose its vaults: this is only done when it is made",
      })
    : new VaultError("provider_forbidden", "the service account of 1Password can see none of the vaults in vaultIds", {
        hint: vaultIdsHint(unseen, listed),
      });
}
