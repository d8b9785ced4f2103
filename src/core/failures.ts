import type { Failure } from "./card.ts";
import type { Claim } from "./claim.ts";
import type { Code, VaultError } from "./errors.ts";
import { whyOf } from "./outcomes.ts";
import { isRefusal, shown } from "./turned-down.ts";

/** The page has its own words for these, or nobody waits for them any more. */
const NO_FAILURE: readonly Code[] = ["cancelled", "revoked"];

/** Which approved requests have come to nothing so far: the person who approved learns it. */
export class Failures {
  readonly #tell: (approval: string, failure: Failure | undefined) => void;
  readonly #told = new Set<string>();

  constructor(tell: (approval: string, failure: Failure | undefined) => void) {
    this.#tell = tell;
  }

  /** Nothing came of a delivery. What only rests on an open window is no news to the person who opened it. */
  failed(claim: Claim, error: VaultError): void {
    if (claim.basis !== "asked" || NO_FAILURE.includes(error.code) || claim.broken()) return;
    this.#told.add(claim.approval);
    this.#tell(claim.approval, { text: shown(whyOf(error)), ...(isRefusal(error) && { byVault: true }) });
  }

  /** A delivery succeeded, at least in part. */
  landed({ approval }: Claim): void {
    if (this.#told.size === 0) return;
    for (const id of approval.split(",")) if (this.#told.delete(id)) this.#tell(id, undefined);
  }
}
