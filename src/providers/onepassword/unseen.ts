import { VaultError } from "../../core/errors.ts";
import { glimpse } from "../../core/text.ts";
import { fold } from "./catalog.ts";

const MOST_SHOWN = 10;

interface Named {
  readonly id: string;
  readonly title: string;
}

/** What to do about ids of `vaultIds` that lead nowhere. Agents read it: of the other vaults only one that is meant is named. */
export function vaultIdsHint(unseen: readonly string[], listed: readonly Named[]): string {
  const meant = unseen.flatMap((id) => calledLike(id, listed));
  const remedy = meant.length > 0 ? didYouMean(meant) : "remove it, run agent-vault doctor, copy the ids it lists";
  return `vaultIds takes ids, not titles: ${remedy}`;
}

/** The vault for new items is none of those that may be used. */
export function unseenPlace(vaultId: string, vaults: readonly Named[]): VaultError {
  const meant = calledLike(vaultId, vaults);
  const takes = meant.length > 0 ? `ids, not titles: ${didYouMean(meant)}` : `an id such as ${named(vaults)}`;
  const text = `the service account cannot see the 1Password vault "${glimpse(vaultId, 80)}" of write.vaultId`;
  return new VaultError("provider_forbidden", text, {
    hint: `write.vaultId takes ${takes}; or make a service account that has that vault`,
  });
}

function calledLike(text: string, vaults: readonly Named[]): readonly Named[] {
  return vaults.filter(({ title }) => fold(title) === fold(text));
}

function didYouMean(vaults: readonly Named[]): string {
  return `did you mean ${named(vaults)}?`;
}

function named(vaults: readonly Named[]): string {
  return vaults
    .slice(0, MOST_SHOWN)
    .map(({ id, title }) => `${id} (${glimpse(title, 80)})`)
    .join(" or ");
}
