/** How a decision is proven: somebody had the link, a channel vouches for an account, an enrolled passkey signed it. */
export const PROOFS = ["link", "channel", "passkey"] as const;
/** What stands between the agent and this program: nothing, another user account, another computer. */
export const ISOLATIONS = ["same-user", "other-user", "other-host"] as const;

export type ProofLevel = (typeof PROOFS)[number];
export type Isolation = (typeof ISOLATIONS)[number];

/** How much an approval is worth: how it is proven, and how far the agent is from what checks the proof. */
export interface Assurance {
  readonly proof: ProofLevel;
  readonly isolation: Isolation;
}

/** Every level, weakest first, as configurations and `doctor` write it: `passkey/other-user`. */
export const ASSURANCES: readonly string[] = ISOLATIONS.flatMap((isolation) =>
  PROOFS.map((proof) => assuranceText({ proof, isolation })),
);

/** The level a text names, as `assuranceText` writes it; undefined when it names none. */
export function parseAssurance(text: string): Assurance | undefined {
  const [first, second, ...more] = text.split("/");
  const proof = PROOFS.find((level) => level === first);
  const isolation = ISOLATIONS.find((level) => level === second);
  return proof && isolation && more.length === 0 ? { proof, isolation } : undefined;
}

export function assuranceText({ proof, isolation }: Assurance): string {
  return `${proof}/${isolation}`;
}

/** Whether one kind of isolation keeps at least as much apart as another. */
export function isAtLeast(isolation: Isolation, least: Isolation): boolean {
  return ISOLATIONS.indexOf(isolation) >= ISOLATIONS.indexOf(least);
}
