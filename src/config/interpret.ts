import type { Config } from "./config.ts";
import { build } from "./build.ts";
import { explain } from "./explain.ts";
import { configJsonSchema } from "./fields.ts";
import { readJsonc, type Jsonc } from "./jsonc.ts";
import type { Problem } from "./problem.ts";
import { referencedNames, referenceIn, resolveReferences, type Reference } from "./references.ts";
import { configSchema, ruleNames, rulesSchema, type ConfigFile } from "./schema.ts";
import type { Part, Text } from "./text.ts";
import { isObject, samePath, valueAt, type Path } from "./tree.ts";

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
    ...explainAll(whole.error?.issues ?? [], jsonc, parts),
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

/** The configuration with its references resolved; without `all`, the parts that lack a variable are gone from it. */
function assemble(written: unknown, parts: readonly Part[], { all }: { all: boolean }): unknown {
  if (!isObject(written)) return written;
  const whole: Record<string, unknown> = { ...written };
  const kept = (name: string): Part[] =>
    parts.filter(({ path, resolved }) => path[0] === name && (all || resolved.unset.length === 0));
  for (const [name, value] of Object.entries(whole)) {
    if (!parts.some(({ path }) => path[0] === name)) continue;
    if (Array.isArray(value)) whole[name] = kept(name).map((part) => part.resolved.value);
    else if (name === "vaults") whole[name] = Object.fromEntries(kept(name).map((p) => [p.path[1], p.resolved.value]));
    else if (kept(name)[0] === undefined) delete whole[name];
    else whole[name] = kept(name)[0]?.resolved.value;
  }
  return whole;
}

function explainAll(issues: Issues, jsonc: Jsonc, parts: readonly Part[]): Problem[] {
  const unset = parts.flatMap((part) => part.resolved.unset);
  const taken = parts.flatMap((part) => part.resolved.taken);
  // What an unset variable would hold cannot be judged; that it is missing is data, not a mistake.
  const judged = issues.filter(({ path }) => !unset.some((reference) => samePath(reference.path, path.map(stepOf))));
  const own = hasNoVault(jsonc.value) ? [NO_VAULT] : [];
  if (judged.length === 0) return [...own, ...misplaced(jsonc.value)];
  const more = judged.flatMap((issue) => rulesBehind(issue, jsonc.value));
  const context = { written: jsonc.value, schema: configJsonSchema() };
  const found = explain([...judged, ...more], context).map((problem) => fromVariable(problem, taken));
  return [...found, ...own, ...misplaced(jsonc.value)];
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
  const rules = rulesSchema().safeParse(valueAt(written, path));
  return (rules.error?.issues ?? []).map((inner) => ({ ...inner, path: [...path, ...inner.path] }));
}

function fromVariable(problem: Problem, taken: readonly Reference[]): Problem {
  const reference = taken.find(({ path }) => samePath(path, problem.path));
  if (reference === undefined) return problem;
  return {
    ...problem,
    message: `${problem.message} (it comes from the variable ${reference.name})`,
    hint: `correct ${reference.name} in the environment or in the .env beside the file`,
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
