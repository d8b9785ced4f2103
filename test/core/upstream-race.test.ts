import { describe, expect, it } from "vitest";
import type { Plant } from "../support/patched.ts";
import { loadPatched } from "../support/patched.ts";
import { play } from "../support/upstream-race.ts";

const GAMES = 400;

/** How often each kind of line came in a number of games, or what broke first. */
async function playAll(game: typeof play): Promise<{ fault?: string; lines: Record<string, number> }> {
  const lines: Record<string, number> = {};
  for (let seed = 0; seed < GAMES; seed++) {
    try {
      const events = await game(seed);
      const served = new Set(events.filter(({ kind }) => kind === "released").map(({ request }) => request));
      for (const { kind, code, request } of events) {
        const why = code === undefined ? kind : `${kind} ${code}`;
        const line = code === "upstream_denied" && served.has(request) ? `${why}, the rest released` : why;
        lines[line] = (lines[line] ?? 0) + 1;
      }
    } catch (error) {
      return { fault: `game ${seed}: ${String(error)}`, lines };
    }
  }
  return { lines };
}

const file = "src/core/preparations.ts";
const one = "src/core/preparation.ts";
const BUGS: readonly (readonly [what: string, fault: RegExp, plants: readonly Plant[]])[] = [
  [
    "a value were handed out after it was revoked during the wait",
    /without an approval in force/,
    [
      { file: one, from: "if (broken) return this.stop(broken);", to: "" },
      { file: one, from: "      if (broken) this.stop(broken);", to: "" },
      { file, from: "if (!broken) return preparation;", to: "return preparation;" },
      {
        file: "src/core/deliveries.ts",
        from: "const broken = claim.broken();\n  if (broken) throw broken;",
        to: "",
      },
    ],
  ],
  [
    "a call joined without a permission",
    /without an approval in force/,
    [
      {
        file,
        from: "sameSecrets(preparation.request, request) ? preparation.claim.share() : undefined;",
        to: "sameSecrets(preparation.request, request) ? { ...preparation.claim, approval: 'nobody', basis: 'asked' as const, until: undefined, broken: () => undefined, land: () => {}, giveBack: () => {}, begunAnew: () => {}, onBroken: () => () => {}, warrants: preparation.claim.warrants, leftOut: preparation.claim.leftOut, share() { return this; } } : undefined;",
      },
    ],
  ],
  [
    "a vault were told to make ready twice at a time",
    /twice at a time/,
    [
      {
        file,
        from: "known ?? this.#start(request, prepare, claim.share(), { before, asks })",
        to: "this.#start(request, prepare, claim.share(), { before, asks })",
      },
    ],
  ],
  [
    "what the vault refused of a batch were read with the rest of it",
    /read what it never called ready/,
    [
      {
        file: "src/core/deliveries.ts",
        from: "if (refused.size === 0) return request;",
        to: "if (refused.size >= 0) return request;",
      },
    ],
  ],
  [
    "the second reading were not recorded",
    /read without a line/,
    [
      {
        file: "src/core/deliveries.ts",
        from: 'await journal.record([{ ...about, kind: "releasing", at: clock.now() }]);',
        to: 'if (!isRetry) await journal.record([{ ...about, kind: "releasing", at: clock.now() }]);',
      },
    ],
  ],
];

describe("calls, answers, the vault's people, the clock and the log at the same moment", () => {
  it("leave one outcome for each request, and every value with its lines under a permission in force", async () => {
    const { fault, lines } = await playAll(play);
    expect(fault).toBeUndefined();
    // What the games are about does happen in them.
    const codes = [
      "upstream_required",
      "upstream_denied",
      "upstream_denied, the rest released",
      "provider_unavailable",
      "revoked",
      "cancelled",
    ];
    const kinds = ["released", "upstream_waiting", "revoked", "window_ended", "covered"];
    const rare = [...kinds, ...codes.map((code) => `failed ${code}`)].filter((line) => (lines[line] ?? 0) <= 10);
    expect(rare).toEqual([]);
  });

  it.each(BUGS)("would be seen if %s", async (_, fault, plants) => {
    const twin = (await loadPatched("test/support/upstream-race.ts", plants)) as { play: typeof play };
    expect((await playAll(twin.play)).fault).toMatch(fault);
  });
});
