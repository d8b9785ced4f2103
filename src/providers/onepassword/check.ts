import type { Overviews } from "./overview.ts";
import { unseenPlace } from "./unseen.ts";

/** How the account stands: its vaults and how much is in them. Two calls at most, and no item is opened. */
export async function checkAccount(
  account: {
    readonly overviews: Overviews;
    /** Where new items would go. */
    readonly vaultId: string | undefined;
  },
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { overviews, vaultId } = account;
  const vaults = await overviews.vaults(signal);
  const total = vaults.reduce((sum, { count }) => sum + count, 0);
  if (vaultId !== undefined && !vaults.some(({ id }) => id === vaultId)) throw unseenPlace(vaultId, vaults);
  return [
    `1Password: ${counted(vaults.length, "vault")}, ${counted(total, "item")}`,
    ...vaults.map(({ id, title, count }) => `${title} (${id}): ${counted(count, "item")}`),
  ];
}

function counted(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? "" : "s"}`;
}
