import type { Card } from "../core/card.ts";
import { VaultError } from "../core/errors.ts";
import type { Approvers } from "../core/proof.ts";
import { signersOn } from "./passkey.ts";

/** How a yes to a card can be proven on the page it is shown on. */
export type Proving =
  /** Whoever has the link can give it. */
  | { readonly is: "link" }
  /** A passkey signs it here; `by` is what those are called who can. */
  | { readonly is: "passkey"; readonly by: readonly string[] }
  /** Passkeys were paired, and another address of this very page is where they work. */
  | { readonly is: "elsewhere"; readonly origin: string; readonly by: readonly string[] }
  /** No passkey works here or can be led to. `onHost`: in a browser on the computer itself one would. */
  | { readonly is: "nowhere"; readonly by: readonly string[]; readonly onHost: boolean }
  /** Whose passkeys count cannot be known just now. */
  | { readonly is: "unknown" };

/** `origin` is that of the page; `ours` are all that lead to it, the best known one first. */
export function provingOf(
  { offer }: Card,
  approvers: Pick<Approvers, "all">,
  origin: string,
  ours: readonly string[],
): Proving {
  if (offer.proof === undefined) return { is: "link" };
  try {
    const all = approvers.all();
    const by = (at: string): readonly string[] => signersOn(at, all).map(({ name }) => name);
    if (by(origin).length > 0) return { is: "passkey", by: by(origin) };
    // Nobody's phone finds this computer under the name that is its own.
    const isPublic = origin.startsWith("https:");
    const other = ours.find((at) => by(at).length > 0 && (!isPublic || at.startsWith("https:")));
    if (other !== undefined) return { is: "elsewhere", origin: other, by: by(other) };
    const onHost = ours.some((at) => by(at).length > 0);
    return { is: "nowhere", by: all.map(({ name }) => name), onHost };
  } catch (error) {
    if (error instanceof VaultError && error.code === "approvers_unavailable") return { is: "unknown" };
    throw error;
  }
}
