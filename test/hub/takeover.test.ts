import { expect, it, onTestFinished } from "vitest";
import { buildPatched, type Plant } from "../support/patched.ts";
import { type Aftermath, expectNothingLost, killHosts } from "../support/takeover.ts";

const SEED = 4_711;

it("8 kills of the host at random moments: nothing lost, decided twice or without proof", async () => {
  expectNothingLost(await killHosts({ rounds: 8, sessions: 4, seed: SEED }));
}, 120_000);

const TWINS: readonly [string, keyof Aftermath, readonly Plant[]][] = [
  [
    "lost, if the others did not go on without the host",
    "lost",
    [{ file: "src/hub/hub.ts", from: "void taken.lost.then(() => moveOn(taken));", to: "" }],
  ],
  [
    "lost, if a new host did not know whose the page for pairing is",
    "lost",
    [{ file: "src/hub/sessions.ts", from: "const keys = [...kept, ", to: "const keys = [" }],
  ],
  [
    "decided without proof, if nobody asked for it",
    "unproven",
    [
      {
        file: "src/core/approving.ts",
        from: 'if (needed !== undefined) throw notProven("it has to be signed by the passkey of an approver");',
        to: "",
      },
      { file: "src/web/approve.ts", from: 'card.offer.proof === "passkey" && proof === "link"', to: "false" },
    ],
  ],
  [
    "decided twice, if what is decided could be decided once more",
    "decidedTwice",
    [
      {
        file: "src/core/desk.ts",
        from: "const ticket = this.#answerable(token);\n    if (!ticket) return false;",
        to: "const ticket = this.#tickets.at(token);\n    if (!ticket) return false;",
      },
    ],
  ],
];

it.each(TWINS)(
  "would be seen to be %s (planted bug)",
  async (_, wrong, plants) => {
    const twin = await buildPatched("src/main.ts", plants);
    onTestFinished(() => twin.remove());
    const aftermath = await killHosts({ rounds: 1, sessions: 3, seed: SEED, program: twin.file, giveUpMs: 1_500 });
    expect(aftermath[wrong]).not.toEqual([]);
  },
  60_000,
);
