import { describe, expect, it } from "vitest";
import { loadPatched, type Plant } from "../support/patched.ts";
import { share } from "../support/share.ts";
import { play } from "../support/signed-race.ts";

const GAMES = share(250);

/** How often each kind of line came in a number of games, or what broke first. */
async function playAll(game: typeof play): Promise<{ fault?: string; lines: Record<string, number> }> {
  const lines: Record<string, number> = {};
  for (let seed = 0; seed < GAMES; seed++) {
    try {
      for (const { kind, code } of await game(seed)) {
        const line = code === undefined ? kind : `${kind} ${code}`;
        lines[line] = (lines[line] ?? 0) + 1;
      }
    } catch (error) {
      return { fault: `game ${seed}: ${String(error)}`, lines };
    }
  }
  return { lines };
}

const BUGS: readonly (readonly [what: string, fault: RegExp, plants: readonly Plant[]])[] = [
  [
    "a link were enough",
    /approved without a signature/,
    [{ file: "src/core/approving.ts", from: "if (needed !== undefined) throw", to: "if (Boolean(0)) throw" }],
  ],
  [
    "nobody looked whether an approver still counts",
    /for an approver who is gone/,
    [
      { file: "src/core/vouch.ts", from: "await approvers.recheck(proof);", to: "" },
      { file: "src/core/vouch.ts", from: "stillEnrolled(warrants, options);", to: "{}" },
    ],
  ],
  [
    "what was unticked were read all the same",
    /what was not signed for/,
    [
      { file: "src/core/approvals.ts", from: "leftOut: this.#leaveOut(ticket, out, proven)", to: "leftOut: NOTHING" },
      { file: "src/core/vouch.ts", from: "if (permitting.length === 0) throw", to: "if (Boolean(0)) throw" },
    ],
  ],
  [
    "a no during the writing of a yes did not count",
    /outcomes of one request|handed out after it was revoked/,
    [{ file: "src/core/approvals.ts", from: "if (why !== undefined) {", to: "if (Boolean(0)) {" }],
  ],
];

describe("signatures, answers, approvers, the clock and the log at the same moment", () => {
  it("leave one outcome for each request, and no value that was not signed for", async () => {
    const { fault, lines } = await playAll(play);
    expect(fault).toBeUndefined();
    const seen = ["approved", "released", "denied", "revoked", "withdrawn", "covered"];
    const refusals = ["refused not_proven", "refused denied", "refused assurance_unmet"];
    expect([...seen, ...refusals].filter((line) => (lines[line] ?? 0) === 0)).toEqual([]);
  });

  it.each(BUGS)("would be seen if %s", async (_, fault, plants) => {
    const twin = (await loadPatched("test/support/signed-race.ts", plants)) as { play: typeof play };
    expect((await playAll(twin.play)).fault).toMatch(fault);
  });
});
