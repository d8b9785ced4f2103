import type { Listing } from "./asks.ts";
import { asVaultError } from "./errors.ts";
import type { Vault } from "./ports.ts";

/** The names in a vault, never values; the error in their place when it cannot be reached. */
export async function listingOf(vault: Vault, signal: AbortSignal): Promise<Listing[number]> {
  const about = { vault: vault.name, writable: vault.canWrite && vault.rules.writable };
  try {
    const provider = await vault.open();
    return { ...about, names: await provider.list?.(signal) };
  } catch (error) {
    return { ...about, names: asVaultError(error) };
  }
}
