import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { execFileSync } from "node:child_process";
import { buildPatched } from "../test/support/patched.ts";
import { makeAccounts } from "./accounts.ts";
import { type Attack, type Level, LEVELS } from "./attack.ts";
import { attacks } from "./attacks/all.ts";
import { type Install, install } from "./install.ts";
import { judge, type Verdict } from "./judge.ts";
import type { Ground } from "./world.ts";
import { type Result, resultsText } from "./results.ts";

const say = (line: string): void => void process.stdout.write(`${line}\n`);
// Whoever reads this may have gone; what was made for the run is removed all the same.
process.stdout.on("error", () => {});

/** Runs the attacks and compares. Resolves to the exit status: 1 when anything is not as it is said to be. */
export async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: "string", multiple: true, default: [] },
      level: { type: "string", multiple: true, default: [] },
      write: { type: "boolean", default: false },
      list: { type: "boolean", default: false },
      show: { type: "boolean", default: false },
    },
  });
  const wanted = attacks.filter(({ id }) => values.only.length === 0 || values.only.includes(id));
  const levels = LEVELS.filter((level) => values.level.length === 0 || values.level.includes(level));
  if (wanted.length === 0 || levels.length === 0) return (say("there is no such attack or level"), 2);
  if (values.list) return (wanted.forEach(({ id, title }) => say(`${id.padEnd(28)} ${title}`)), 0);

  const root = repository();
  const accounts = makeAccounts();
  if (!accounts) say("not as root on Linux: attacks from another account are left out");
  let installed: Install | undefined;
  const end = (): void => {
    accounts?.remove();
    installed?.remove();
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => (end(), process.exit(1)));
  const results: Result[] = [];
  const troubles: string[] = [];
  const started = performance.now();
  try {
    installed = install(root);
    const ground: Ground = {
      program: { folder: installed.folder },
      tools: join(root, "redteam/tools"),
      ...(accounts && { accounts }),
      ...(values.show && { onEnd: say }),
    };
    for (const attack of wanted) results.push(await tryOut(attack, levels, ground, troubles));
  } finally {
    end();
  }
  const count = results.flatMap(({ outcomes }) => Object.values(outcomes)).length;
  say(`\n${results.length} attacks, ${count} runs, ${Math.round((performance.now() - started) / 1_000)} s`);
  for (const trouble of troubles) say(`DIFFERENT: ${trouble}`);
  if (troubles.length === 0) say("everything is as it is said to be");
  if (values.write) write(root, results, levels.length === LEVELS.length && accounts !== undefined);
  return troubles.length === 0 ? 0 : 1;
}

/** Puts the results of these attacks in the place of their older ones; those of attacks that are no more go. */
function write(root: string, results: readonly Result[], isEveryLevel: boolean): void {
  const file = join(root, "redteam/results.json");
  const before = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as { results: Result[] }).results : [];
  const now = attacks.map(({ id }) => [...results, ...before].find((result) => result.id === id));
  const isBroken = now.some((result, at) => {
    const { expected = {} } = attacks[at] ?? {};
    return Object.keys(expected).length !== Object.keys(result?.outcomes ?? {}).length;
  });
  if (!isEveryLevel || isBroken) return say("nothing is written: that takes every level, and no attack that is broken");
  writeFileSync(file, resultsText(now.filter((result) => result !== undefined)));
  execFileSync(process.execPath, [join(root, "scripts/generate.mjs")], { cwd: root, stdio: "inherit" });
}

async function tryOut(attack: Attack, levels: readonly Level[], ground: Ground, troubles: string[]): Promise<Result> {
  const { id, title, about, why, expected } = attack;
  const outcomes: Partial<Record<Level, Verdict["outcome"]>> = {};
  const missing = attack.needs?.();
  let control: Result["control"];
  for (const level of levels) {
    const hoped = expected[level];
    if (hoped === undefined) continue;
    if (missing !== undefined || (level.endsWith("/other-user") && !ground.accounts)) {
      say(`left out     ${level.padEnd(19)} ${id}${missing === undefined ? "" : `: ${missing}`}`);
      continue;
    }
    const verdict = await attempt(() => judge(attack, level, ground));
    const isAsSaid = typeof verdict !== "string" && verdict.outcome === hoped;
    const outcome = typeof verdict === "string" ? "broken" : verdict.outcome;
    const more = typeof verdict === "string" ? verdict : `${(verdict.ms / 1_000).toFixed(1)} s ${explain(verdict)}`;
    say(`${outcome.padEnd(12)} ${level.padEnd(19)} ${id} ${more}`);
    if (typeof verdict !== "string") outcomes[level] = verdict.outcome;
    if (!isAsSaid) troubles.push(`${id} at ${level}: ${outcome} instead of ${hoped}: ${more}`);
  }
  const first = LEVELS.find((level) => expected[level] !== undefined);
  if (attack.control && first && levels.includes(first) && missing === undefined) {
    const weak = await attempt(() => withWeakened(attack, first, ground));
    const works = typeof weak !== "string" && weak.outcome !== "stopped";
    control = works ? "works" : "fails";
    const more = typeof weak === "string" ? weak : explain(weak);
    say(`${works ? "works" : "FAILS"}        weakened program    ${id} ${more}`);
    if (!works) troubles.push(`${id} fails even against the program that was weakened for it: ${more}`);
  }
  return { id, title, about, why, outcomes, ...(control && { control }) };
}

/** The same attack against a copy of the program with a bug planted in it, everybody under one account. */
async function withWeakened(attack: Attack, level: Level, ground: Ground): Promise<Verdict> {
  const twin = await buildPatched("src/main.ts", attack.control ?? []);
  try {
    const { tools } = ground;
    return await judge(attack, level, { program: { file: twin.file }, tools });
  } finally {
    twin.remove();
  }
}

async function attempt(run: () => Promise<Verdict>): Promise<Verdict | string> {
  try {
    return await run();
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
}

function explain({ got, seen }: Verdict): string {
  return [got, seen].filter((part) => part !== undefined).join("; ");
}

/** The top of the repository, from wherever this file was bundled to. */
export function repository(): string {
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    const file = join(folder, "package.json");
    if (existsSync(file) && /"name": "agent-vault"/.test(readFileSync(file, "utf8"))) return folder;
    if (dirname(folder) === folder) throw new Error("this is not in the repository of agent-vault");
  }
}
