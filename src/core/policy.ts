import { type Assurance, assuranceText, isAtLeast, type Isolation } from "./assurance.ts";
import { VaultError } from "./errors.ts";
import type { Approvers } from "./proof.ts";
import type { Action } from "./request.ts";
import { quoted } from "./text.ts";

/** The rules of one vault, as configured. */
export interface Rules {
  /** How long an approval may stay open, in ms; 0 means every single use is asked for. */
  readonly ttlMs: number;
  /** What an open window covers: the secrets that were shown, or everything in the vault. */
  readonly ttlScope: "secret" | "vault";
  readonly writable: boolean;
  /** The least proof an approval needs; absent: a passkey as soon as an approver is enrolled, else the link. */
  readonly require?: "link" | "passkey";
  /** The least an approval must be worth here; below it nobody is asked. */
  readonly minAssurance?: Assurance;
}

/** What is true where this process runs. */
export interface Here {
  readonly hasApprover: boolean;
  readonly isolation: Isolation;
}

/** What a person may open with one tap besides "just this once". */
export interface Offer {
  /** 0: there is no window to offer. */
  readonly windowMs: number;
  readonly scope: "secret" | "vault";
  /** Set when an enrolled passkey has to sign the yes; absent: the link is enough. */
  readonly proof?: "passkey";
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

/**
 * What the rules say about an action on a vault. Pure; anything the rules do not clearly permit is denied. Without
 * `here` it says only what holds everywhere.
 */
export function decide(vault: Ruled, action: Action, here?: Here): Ruling {
  const { name, rules, canWrite } = vault;
  if (action === "write" && !canWrite) return { kind: "deny", error: cannotWrite(vault) };
  if (action === "write" && !rules.writable) {
    const error = new VaultError("not_writable", `vault ${quoted(name)} does not accept writes`, {
      hint: `a person can set "writable": true for vaults.${name} in the configuration and restart the client`,
    });
    return { kind: "deny", error };
  }
  const unmet = here && unmetIn(vault, here);
  if (unmet) return { kind: "deny", error: unmet };
  const proof = here && needsPasskey(rules, here) ? ({ proof: "passkey" } as const) : {};
  if (action === "write") return { kind: "ask", offer: { windowMs: 0, scope: "secret", ...proof } };
  return { kind: "ask", offer: { windowMs: rules.ttlMs, scope: rules.ttlScope, ...proof } };
}

/** Whether a yes counts only with the signature of an enrolled passkey; undefined: as soon as there is one. */
function demandsPasskey({ require, minAssurance }: Rules): boolean | undefined {
  // No channel vouches for who answers yet, so what asks for more than the link asks for the passkey.
  if (minAssurance !== undefined && minAssurance.proof !== "link") return true;
  return require === undefined ? undefined : require === "passkey";
}

function needsPasskey(rules: Rules, { hasApprover }: Pick<Here, "hasApprover">): boolean {
  return demandsPasskey(rules) ?? hasApprover;
}

/**
 * Whether a yes counts only with the signature of an enrolled passkey, as things stand at this moment. Throws
 * `approvers_unavailable` where that rests on who is enrolled and cannot be known: then nothing counts.
 */
export function needsSignature(rules: Rules, approvers: Pick<Approvers, "all">): boolean {
  return demandsPasskey(rules) ?? approvers.all().length > 0;
}

/** What the vault demands and is not to be had here: all of it at once, so that a person mends it once. */
function unmetIn({ name, rules }: Ruled, here: Here): VaultError | undefined {
  const { minAssurance } = rules;
  const lacksApprover = needsPasskey(rules, here) && !here.hasApprover;
  const isTooNear = minAssurance !== undefined && !isAtLeast(here.isolation, minAssurance.isolation);
  const unmet = (message: string, hint: string): VaultError =>
    new VaultError("assurance_unmet", `vault ${quoted(name)} needs ${message}`, { hint });
  if (isTooNear) {
    const wanted = quoted(assuranceText(minAssurance));
    const runs = `agent-vault runs as ${here.isolation} here`;
    const apart = "agent-vault has to run apart from the agent for this vault";
    const missing = "agent-vault doctor says what is missing";
    return lacksApprover
      ? unmet(
          `${wanted}: nobody is enrolled, and ${runs}`,
          `tell the user that ${apart}, and then a phone has to be paired with agent-vault pair; ${missing}`,
        )
      : unmet(`${wanted}, and ${runs}`, `tell the user that ${apart}; ${missing}`);
  }
  if (!lacksApprover) return undefined;
  return unmet("approvals signed by a passkey, and none is enrolled", "tell the user to run: agent-vault pair");
}

/** Nothing in the configuration can change it, so another vault is the only advice. */
export function cannotWrite({ name, provider }: Pick<Ruled, "name" | "provider">): VaultError {
  return new VaultError(
    "not_writable",
    `vault ${quoted(name)} is of type ${quoted(provider)}: vaults of that type cannot be written to`,
    { hint: "save it into another vault" },
  );
}
