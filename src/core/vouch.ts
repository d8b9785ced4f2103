import type { Claim } from "./claim.ts";
import { asVaultError, VaultError } from "./errors.ts";
import type { Warrant } from "./grant.ts";
import { type Approver, type Approvers, FRESH_MS } from "./proof.ts";
import { type AccessRequest, labelOf } from "./request.ts";
import { hashOf, permits } from "./statement.ts";
import { quoted } from "./text.ts";

export interface VouchOptions {
  readonly approvers: Approvers;
  /** Whether the rules want a signature, as things stand now. */
  readonly isSignatureNeeded: boolean;
  readonly now: number;
  /** Told of an approval whose proof counts no longer, and why: nothing may rest on it any more. */
  readonly disproved: (approval: string, why: VaultError) => void;
}

/**
 * Looks at the proof of a permission once more, right before it is used: what was signed, by an approver who still
 * counts, has to permit each item. Rejects with `not_proven`, or `approvers_unavailable` when that cannot be known.
 */
export async function vouch(request: AccessRequest, claim: Claim, options: VouchOptions): Promise<void> {
  const { warrants, leftOut, basis } = claim;
  for (const warrant of warrants) await vouchFor(warrant, options);
  if (warrants.some(({ proof }) => proof !== "link")) stillEnrolled(warrants, options);
  for (const item of request.items) {
    if (leftOut.has(item.handle.ref)) continue;
    const permitting = warrants.filter(({ statement }) => permits(statement, request, item, basis));
    if (permitting.length === 0) throw notProven(`no approval covers ${quoted(labelOf(item.handle))}`);
    if (basis === "window" && !permitting.some((warrant) => isInTime(warrant, options.now))) {
      throw notProven("its window is longer than what was approved");
    }
  }
}

/** Why a proof counts no longer, as far as that shows without looking at the signature; undefined: it may. */
export function outlived(
  { proof }: Pick<Warrant, "proof">,
  enrolled: readonly Approver[],
  isSignatureNeeded: boolean,
): VaultError | undefined {
  if (proof === "link") {
    return isSignatureNeeded ? notProven("it was given by the link alone, which no longer suffices") : undefined;
  }
  if (enrolled.some(({ id }) => id === proof.approver)) return undefined;
  return notProven("whoever signed it is not an approver any more");
}

async function vouchFor(warrant: Warrant, options: VouchOptions): Promise<void> {
  const { statement, proof } = warrant;
  const { approvers, isSignatureNeeded, disproved } = options;
  try {
    if (proof === "link") {
      const over = outlived(warrant, [], isSignatureNeeded);
      if (over) throw over;
      return;
    }
    const { decision, hashes } = proof.decision;
    if (decision !== "approve" || !hashes.includes(hashOf(statement))) throw notProven("something else was signed");
    await approvers.recheck(proof);
  } catch (error) {
    const known = asVaultError(error);
    // Where it cannot be known, nothing is used, and nothing is ended either.
    if (known.code === "not_proven") disproved(statement.request, known);
    throw known;
  }
}

/** Looking at a signature takes a moment, in which whoever gave it may have been removed. */
function stillEnrolled(warrants: readonly Warrant[], options: VouchOptions): void {
  const enrolled = options.approvers.all();
  for (const warrant of warrants) {
    const over = outlived(warrant, enrolled, options.isSignatureNeeded);
    if (!over) continue;
    options.disproved(warrant.statement.request, over);
    throw over;
  }
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
