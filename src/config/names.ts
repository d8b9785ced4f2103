/** What a vault may be called. No `/`, so that the log's `vault/name` can be read in one way only. */
export const VAULT_NAME = /^[A-Za-z0-9](?:[A-Za-z0-9 ._@+-]{0,62}[A-Za-z0-9._@+-])?$/;

/** The same in words. */
export const VAULT_NAME_HINT =
  "1 to 64 letters, digits and . _ - + @ or spaces between them, beginning with a letter or digit";

export function isVaultName(name: string): boolean {
  return VAULT_NAME.test(name);
}
