import { VaultError } from "./errors.ts";
import type { Action } from "./request.ts";

/** The rules of one vault, as configured. */
export interface Rules {
  /** How long an approval may stay open, in ms; 0 means every single use is asked for. */
  readonly ttlMs: number;
  /** What an open window covers: the secrets that were shown, or everything in the vault. */
  readonly ttlScope: "secret" | "vault";
  readonly writable: boolean;
}

/** What a person may open with one tap besides "just this once". */
export interface Offer {
  /** 0: there is no window to offer. */
  readonly windowMs: number;
  readonly scope: "secret" | "vault";
}

export type Ruling =
  | { readonly kind: "deny"; readonly error: VaultError }
  | { readonly kind: "ask"; readonly offer: Offer };

/** What the rules say about an action on a vault. Pure; anything the rules do not clearly permit is denied. */
export function decide(vault: { name: string; rules: Rules }, action: Action): Ruling {
  const { rules } = vault;
  if (action === "read") return { kind: "ask", offer: { windowMs: rules.ttlMs, scope: rules.ttlScope } };
  if (!rules.writable) {
    const error = new VaultError("not_writable", `vault "${vault.name}" does not accept writes`, {
      hint: `a person can set "writable": true for vaults.${vault.name} in the configuration and restart the client`,
    });
    return { kind: "deny", error };
  }
  return { kind: "ask", offer: { windowMs: 0, scope: "secret" } };
}
