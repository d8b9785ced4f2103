import { describe, expect, it } from "vitest";
import { loadPatched, type Plant } from "../support/patched.ts";
import { ATTACKS } from "../support/signing.ts";

type Attack = keyof typeof ATTACKS;

const PROOF = "src/core/proof.ts";
const APPROVING = "src/core/approving.ts";
const VOUCH = "src/core/vouch.ts";
const anything: Plant = { file: PROOF, from: "|| !hashes.includes(hash)", to: "" };
const noReuse: readonly Plant[] = [
  {
    file: APPROVING,
    from: 'if (this.#used.find(use)) throw notProven("its signature was used already");\n    const',
    to: "const",
  },
  {
    file: APPROVING,
    from: 'if (this.#used.find(use)) throw notProven("its signature was used already");\n    this',
    to: "this",
  },
];
const unlooked: readonly Plant[] = [
  { file: VOUCH, from: "await approvers.recheck(proof);", to: "" },
  { file: VOUCH, from: "stillEnrolled(warrants, options);", to: "{}" },
];
const anybody: readonly Plant[] = [
  {
    file: APPROVING,
    from: "await this.#approvers.accept(proof);",
    to: 'await Promise.resolve({ id: proof.approver, name: "", origin: "", addedAt: 0 });',
  },
  ...unlooked,
];

/** What has to be broken for each attack to get through, and no more than that. */
const BUGS: Record<Attack, readonly Plant[]> = {
  "a yes by the link alone": [
    { file: APPROVING, from: "if (needed !== undefined) throw", to: 'if (needed === "passkey" && false) throw' },
  ],
  "a signature sent once more after the log failed": noReuse,
  "a signature over two requests used twice for the one": noReuse,
  "the signature of an earlier, identical request": [anything],
  "the signature of another request": [anything],
  "a window where just once was signed": [anything],
  "a longer window than was signed": [anything],
  "a secret that was unticked": [anything],
  "a signature made to sign in": [{ file: PROOF, from: "decision.decision !== purpose ||", to: "" }],
  "a signature made to sign in, said to be a yes": [
    {
      file: PROOF,
      from: 'digestOf("decision", { v, decision, at, hashes })',
      to: 'digestOf("decision", { v, at, hashes })',
    },
  ],
  "a signature that is too old": [{ file: PROOF, from: "now - at <= FRESH_MS &&", to: "" }],
  "a signature from the future": [{ file: PROOF, from: "&& at - now <= AHEAD_MS", to: "" }],
  "the signature of a phone that is not enrolled": anybody,
  "the signature of a phone that was removed in between": anybody,
  "a stranger's key in the name of one who is enrolled": anybody,
  "the window of an approver who was removed": unlooked,
  "the link, after somebody was enrolled while it waited": [
    { file: "src/core/ticket.ts", from: "this.#offer.proof === undefined && this.needsSignature", to: "false" },
    { file: APPROVING, from: "ticket.offer.proof ?? (ticket.needsSignature", to: "ticket.offer.proof ?? (Boolean(0)" },
    { file: VOUCH, from: "return isSignatureNeeded ?", to: "return false ?" },
  ],
  "a window opened by the link before anybody was enrolled": [
    { file: VOUCH, from: "return isSignatureNeeded ?", to: "return false ?" },
  ],
  "a yes while the clock is set back": [
    { file: "src/core/approvals.ts", from: 'ticket.span.over() === "clock"', to: "false" },
  ],
};

const EACH = Object.keys(ATTACKS) as Attack[];

describe("with a phone enrolled", () => {
  it.each(EACH)("%s gets nothing", async (attack) => {
    expect(await ATTACKS[attack]()).toBe(false);
  });

  it.each(EACH)("%s would be seen to get something if what stops it were broken", async (attack) => {
    const twin = (await loadPatched("test/support/signing.ts", BUGS[attack])) as { ATTACKS: typeof ATTACKS };
    expect(await twin.ATTACKS[attack]()).toBe(true);
  });
});
