import type { Claim } from "./claim.ts";
import { VaultError } from "./errors.ts";
import type { Warrant } from "./grant.ts";
import { type Approvers, FRESH_MS } from "./proof.ts";
import { type AccessRequest, labelOf } from "./request.ts";
import { hashOf, permits } from "./statement.ts";
import { quoted } from "./text.ts";

/**
 * Looks at the proof of a permission once more, right before it is used: what was signed, by an approver who still
 * counts, has to permit each item. Rejects with `not_proven`, or `revoked` where an approver no longer counts.
 */
export async function vouch(request: AccessRequest, claim: Claim, approvers: Approvers, now: number): Promise<void> {
  const { warrants, leftOut, basis } = claim;
  for (const warrant of warrants) await vouchFor(warrant, approvers);
  for (const item of request.items) {
    if (leftOut.has(item.handle.ref)) continue;
    const permitting = warrants.filter(({ statement }) => permits(statement, request, item, basis));
    if (permitting.length === 0) throw notProven(`no approval covers ${quoted(labelOf(item.handle))}`);
    if (basis === "window" && !permitting.some((warrant) => isInTime(warrant, now))) {
      throw notProven("its window is longer than what was approved");
    }
  }
}

async function vouchFor({ statement, proof }: Warrant, approvers: Approvers): Promise<void> {
  if (proof === "link") return;
  if (!proof.decision.hashes.includes(hashOf(statement))) throw notProven("something else was signed");
  await approvers.recheck(proof);
}

/** A window lasts no longer than it was approved for, counted from its approval; and that came right after the signature. */
function isInTime({ statement, proof, at }: Warrant, now: number): boolean {
  const begun = proof === "link" ? at : Math.min(at, proof.decision.at + FRESH_MS);
  return statement.windowMs > 0 && now < begun + statement.windowMs;
}

/** An approval that does not prove what it should. Nothing was handed over under it. */
export function notProven(why: string): VaultError {
  return new VaultError("not_proven", `the approval does not hold: ${why}`, {
    hint: "call again: a person will be asked; if this comes back, tell the user",
  });
}
