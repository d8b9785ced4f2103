import { VaultError } from "../../core/errors.ts";
import type { Overviews } from "./overview.ts";

/** How the account stands: its vaults and how much is in them. Two calls at most, and no item is opened. */
export async function checkAccount(
  account: {
    readonly overviews: Overviews;
    readonly vaultIds: readonly string[] | undefined;
    /** Where new items would go. */
    readonly vaultId: string | undefined;
  },
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { overviews, vaultIds = [], vaultId } = account;
  const vaults = await overviews.vaults(signal);
  const missing = vaultIds.filter((id) => !vaults.some((vault) => vault.id === id));
  const total = vaults.reduce((sum, { count }) => sum + count, 0);
  if (vaultId !== undefined && !vaults.some(({ id }) => id === vaultId)) {
    throw new VaultError("provider_forbidden", `the service account cannot see the 1Password vault ${vaultId}`, {
      hint: "correct write.vaultId, or give the service account that vault",
    });
  }
  return [
    `1Password: ${counted(vaults.length, "vault")}, ${counted(total, "item")}`,
    ...vaults.map(({ id, title, count }) => `${title} (${id}): ${counted(count, "item")}`),
    ...missing.map((id) => `vault ${id} of vaultIds cannot be seen by this service account`),
  ];
}

function counted(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? "" : "s"}`;
}
