import { providerOf } from "../providers/registry.ts";
import type { Config, Source } from "./config.ts";
import { build } from "./build.ts";
import { explain, NOT_FROM_VARIABLE } from "./explain.ts";
import { configJsonSchema } from "./fields.ts";
import { judgeVaults } from "./judge.ts";
import { readJsonc, type Jsonc } from "./jsonc.ts";
import type { Problem } from "./problem.ts";
import { referencedNames, referenceIn, resolveReferences, type Reference } from "./references.ts";
import { configSchema, ruleNames, rulesSchema, type ConfigFile } from "./schema.ts";
import type { Part, Text } from "./text.ts";
import { isObject, samePath, valueAt, type Path } from "./tree.ts";
import { COMING_TYPES } from "./words.ts";

/** Checks a text and builds the configuration from it, or names everything that is wrong with it. */
export async function interpret(text: Text): Promise<{ config: Config } | { problems: readonly Problem[] }> {
  const jsonc = readJsonc(text.text);
  if ("broken" in jsonc) return { problems: [jsonc.broken] };

  const parts = partsOf(jsonc.value, await lookupFor(jsonc.value, text));
  const schema = configSchema();
  const whole = schema.safeParse(assemble(jsonc.value, parts, { all: true }));
  const problems = [
    ...jsonc.problems,
    ...parts.flatMap((part) => part.resolved.problems),
    ...explainAll([...(whole.error?.issues ?? []), ...rulesOfComing(parts)], jsonc, parts, text.source),
  ];
  if (problems.length > 0) return { problems: inOrder(problems.map((problem) => withLine(problem, jsonc))) };

  // A reference that stands unresolved can look right or wrong; what depends on one is left out, not judged.
  const file: ConfigFile = schema.parse(assemble(jsonc.value, parts, { all: false }));
  return { config: build(text, file, parts) };
}

type Lookup = (name: string) => string | undefined;
type Issues = Parameters<typeof explain>[0];

async function lookupFor(written: unknown, { around, beside }: Text): Promise<Lookup> {
  const own: Lookup = (name) => around.variables[name] || undefined;
  if (referencedNames(written).every((name) => own(name) !== undefined)) return own;
  const more = await beside();
  return (name) => own(name) ?? (Object.hasOwn(more, name) ? more[name] || undefined : undefined);
}

/** Everything that may hold references, each part by itself. */
function partsOf(written: unknown, lookup: Lookup): Part[] {
  const part = (path: Path, fixed: readonly string[]): Part => ({
    path,
    resolved: resolveReferences(valueAt(written, path), path, fixed, lookup),
    ...(path[0] === "vaults" && isComing(valueAt(written, [...path, "type"])) ? { coming: true } : {}),
  });
  const keys = (name: string): string[] => {
    const value = valueAt(written, [name]);
    return isObject(value) ? Object.keys(value) : [];
  };
  const indexes = (name: string): number[] => {
    const value = valueAt(written, [name]);
    return Array.isArray(value) ? value.map((_, i) => i) : [];
  };
  return [
    ...keys("vaults").map((name) => part(["vaults", name], ["type", ...ruleNames])),
    ...indexes("webhooks").map((i) => part(["webhooks", i], ["events"])),
    ...indexes("channels").map((i) => part(["channels", i], ["type"])),
    ...["tunnel", "ngrokAuthToken"].map((name) => part([name], ["type"])),
  ].filter(({ path }) => mayHoldReferences(path, valueAt(written, path)));
}

/** A reference stands for one option; it never stands for a whole vault, webhook, channel or tunnel. */
function mayHoldReferences(path: Path, value: unknown): boolean {
  return isObject(value) || (path[0] === "ngrokAuthToken" && typeof value === "string");
}

function isComing(type: unknown): boolean {
  return typeof type === "string" && COMING_TYPES.includes(type) && providerOf(type) === undefined;
}

/**
 * The configuration with its references resolved, without the vaults whose type is still to come; without `all`, the
 * parts that lack a variable are gone from it as well.
 */
function assemble(written: unknown, parts: readonly Part[], { all }: { all: boolean }): unknown {
  if (!isObject(written)) return written;
  /** What becomes of the value at a path: one value, or none. */
  const kept = (path: Path): unknown[] => {
    const part = parts.find((part) => samePath(part.path, path));
    if (part === undefined) return [valueAt(written, path)];
    return part.coming === true || (!all && part.resolved.unset.length > 0) ? [] : [part.resolved.value];
  };
  const whole: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(written)) {
    if (name === "vaults" && isObject(value)) {
      const entries = Object.keys(value).flatMap((key) => kept([name, key]).map((kept) => [key, kept] as const));
      whole[name] = Object.fromEntries(entries);
    } else if (Array.isArray(value)) whole[name] = value.flatMap((_, i) => kept([name, i]));
    else for (const one of kept([name])) whole[name] = one;
  }
  return whole;
}

function explainAll(issues: Issues, jsonc: Jsonc, parts: readonly Part[], source: Source): Problem[] {
  const unset = parts.flatMap((part) => part.resolved.unset);
  const taken = parts.flatMap((part) => part.resolved.taken);
  // What an unset variable would hold cannot be judged, unless no text could stand there; that it is missing is data.
  const judged = issues.filter(
    ({ code, path }) =>
      code === "invalid_type" || !unset.some((reference) => samePath(reference.path, path.map(stepOf))),
  );
  const more = judged.flatMap((issue) => rulesBehind(issue, jsonc.value));
  const found = judged.length === 0 ? [] : explain([...judged, ...more], contextOf(jsonc));
  // Where variables are the whole configuration, each problem stands at its variable already.
  const said = source.is === "environment" ? [] : taken;
  const all = [...found, ...judgeVaults(parts)].map((problem) => fromVariable(problem, said));
  return [...all, ...(hasNoVault(jsonc.value) ? [NO_VAULT] : []), ...misplaced(jsonc.value)];
}

function contextOf(jsonc: Jsonc): Parameters<typeof explain>[1] {
  return { written: jsonc.value, schema: configJsonSchema() };
}

function stepOf(step: PropertyKey): string | number {
  return typeof step === "symbol" ? String(step) : step;
}

/** A reference where none is followed would quietly become a file of that name. */
function misplaced(written: unknown): Problem[] {
  const path = ["audit", "database"];
  if (referenceIn(valueAt(written, path)) === undefined) return [];
  return [{ path, message: "cannot come from a variable of your choice", hint: "set AGENT_VAULT_DB instead" }];
}

const NO_VAULT: Problem = {
  path: ["vaults"],
  message: "has no vault",
  hint: 'add one: "vaults": { "local": { "type": "env", "file": ".env.secrets" } }',
};

function hasNoVault(written: unknown): boolean {
  const vaults = valueAt(written, ["vaults"]);
  return isObject(vaults) && Object.keys(vaults).length === 0;
}

/** Where the type is unknown, zod looks no further; the rules every vault has can be checked all the same. */
function rulesBehind(issue: Issues[number], written: unknown): Issues[number][] {
  if (issue.code !== "invalid_union" || issue.path[0] !== "vaults" || issue.path[2] !== "type") return [];
  const path = ["vaults", String(issue.path[1])];
  return ruleIssues(path, valueAt(written, path));
}

/** What is wrong with the rules of vaults whose type is still to come; nobody knows their options yet. */
function rulesOfComing(parts: readonly Part[]): Issues[number][] {
  return parts.flatMap(({ path, coming, resolved }) => (coming === true ? ruleIssues(path, resolved.value) : []));
}

function ruleIssues(path: Path, vault: unknown): Issues[number][] {
  const rules = rulesSchema().safeParse(vault);
  return (rules.error?.issues ?? []).map((inner) => ({ ...inner, path: [...path, ...inner.path] }));
}

function fromVariable(problem: Problem, taken: readonly Reference[]): Problem {
  const reference = taken.find(({ path }) => samePath(path, problem.path));
  if (reference === undefined || problem.ofKey || problem.hint === NOT_FROM_VARIABLE) return problem;
  const where = `correct ${reference.name} in the environment or in the .env beside the file`;
  return {
    ...problem,
    message: `${problem.message} (it comes from the variable ${reference.name})`,
    hint: problem.hint === undefined ? where : `${where}: ${problem.hint}`,
  };
}

function withLine(problem: Problem, jsonc: Jsonc): Problem {
  if (problem.line !== undefined) return problem;
  const line = jsonc.lineOf(problem.path);
  return line === undefined ? problem : { ...problem, line };
}

function inOrder(problems: readonly Problem[]): Problem[] {
  return problems.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0));
}
