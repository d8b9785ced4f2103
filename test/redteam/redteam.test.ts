import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { type Attack, LEVELS } from "../../redteam/attack.ts";
import { attacks } from "../../redteam/attacks/all.ts";
import { judge } from "../../redteam/judge.ts";
import type { Result } from "../../redteam/results.ts";
import type { Ground } from "../../redteam/world.ts";
import { buildPatched } from "../support/patched.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const TOOLS = join(ROOT, "redteam/tools");
const { results } = JSON.parse(readFileSync(join(ROOT, "redteam/results.json"), "utf8")) as { results: Result[] };

/** The built program, and everybody under the account that runs the tests. */
const ground: Ground = { program: { file: join(ROOT, "dist/agent-vault.js") }, tools: TOOLS };

const light = attacks
  .filter(({ isLight, needs }) => isLight && needs?.() === undefined)
  .flatMap((attack) =>
    LEVELS.slice(0, 2).flatMap((level) => {
      const expected = attack.expected[level];
      return expected === undefined ? [] : [{ id: attack.id, level, expected, attack }];
    }),
  );

describe.skipIf(process.platform !== "linux")("an agent's attack", () => {
  it.concurrent.each(light)("$id, at $level, is $expected", async ({ attack, level, expected }) => {
    expect(await judge(attack, level, ground)).toMatchObject({ outcome: expected });
  });

  it("is found to work where the program is weakened for it", async () => {
    const attack = named("page-link-previews");
    const twin = await buildPatched("src/main.ts", attack.control ?? []);
    try {
      const verdict = await judge(attack, "link/same-user", { ...ground, program: { file: twin.file } });
      expect(verdict.outcome).not.toBe("stopped");
    } finally {
      twin.remove();
    }
  });
});

describe("the table in SECURITY.md", () => {
  it("is of the attacks there are, each at every level it says something of, with the outcome it should have", () => {
    const told = results.map(({ id, title, about, why, outcomes }) => ({ id, title, about, why, outcomes }));
    const said = attacks.map(({ id, title, about, why, expected }) => ({ id, title, about, why, outcomes: expected }));
    expect(told).toEqual(said);
  });

  it("has a control for every attack that was given one, and each of them works", () => {
    const controlled = results.filter(({ control }) => control === "works").map(({ id }) => id);
    expect(controlled).toEqual(attacks.filter(({ control }) => control !== undefined).map(({ id }) => id));
    expect(controlled.length).toBeGreaterThan(15);
  });

  it("holds every one of them", () => {
    const document = readFileSync(join(ROOT, "SECURITY.md"), "utf8");
    const table = document.slice(document.indexOf("<!-- redteam:start -->"), document.indexOf("<!-- redteam:end -->"));
    const missing = attacks.filter(({ title }) => !table.includes(`| ${title.replaceAll("|", "\\|")}`));
    expect(missing.map(({ id }) => id)).toEqual([]);
    expect(attacks.length).toBeGreaterThanOrEqual(40);
  });

  it("does not leave out what is not stopped", () => {
    const outcomes = results.flatMap((result) => Object.values(result.outcomes));
    expect(new Set(outcomes)).toEqual(new Set(["stopped", "noticed", "not stopped"]));
  });
});

function named(id: string): Attack {
  const attack = attacks.find((each) => each.id === id);
  if (!attack) throw new Error(`there is no attack ${id}`);
  return attack;
}
