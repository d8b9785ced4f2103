import { VaultError } from "./errors.ts";
import type { Action } from "./request.ts";
import { quoted } from "./text.ts";

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

/** What the rules need to know of a vault. */
export interface Ruled {
  readonly name: string;
  readonly provider: string;
  readonly rules: Rules;
  /** Whether its kind can be written to at all, whatever the rules say. */
  readonly canWrite: boolean;
}

/** What the rules say about an action on a vault. Pure; anything the rules do not clearly permit is denied. */
export function decide(vault: Ruled, action: Action): Ruling {
  const { name, rules, canWrite } = vault;
  if (action === "read") return { kind: "ask", offer: { windowMs: rules.ttlMs, scope: rules.ttlScope } };
  if (!canWrite) return { kind: "deny", error: cannotWrite(vault) };
  if (!rules.writable) {
    const error = new VaultError("not_writable", `vault ${quoted(name)} does not accept writes`, {
      hint: `a person can set "writable": true for vaults.${name} in the configuration and restart the client`,
    });
    return { kind: "deny", error };
  }
  return { kind: "ask", offer: { windowMs: 0, scope: "secret" } };
}

/** Nothing in the configuration can change it, so another vault is the only advice. */
export function cannotWrite({ name, provider }: Pick<Ruled, "name" | "provider">): VaultError {
  return new VaultError(
    "not_writable",
    `vault ${quoted(name)} is of type ${quoted(provider)}: vaults of that type cannot be written to`,
    { hint: "save it into another vault" },
  );
}
