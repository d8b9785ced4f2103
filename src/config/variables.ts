import type { OptionVariable } from "../providers/define.ts";
import { PROVIDERS, providerOf } from "../providers/registry.ts";
import { nearestWord } from "../core/near.ts";
import type { Variables } from "./places.ts";
import type { Problem } from "./problem.ts";
import type { Path } from "./tree.ts";
import { COMING_TYPES, DEFAULT_VAULT_TYPE } from "./words.ts";

const TYPE = "AGENT_VAULT_PROVIDER";

/** The types that variables alone can describe. */
const TYPES: readonly string[] = PROVIDERS.filter(({ variables }) => variables !== undefined).map(({ type }) => type);

/** A vault as variables describe it. */
interface DescribedVault {
  /** As it would stand in a file. */
  readonly entry: Readonly<Record<string, unknown>>;
  /** The names of those that are set. */
  readonly variables: readonly string[];
}

/**
 * The vault that variables describe where there is no file, or what is wrong with them. Undefined when none of them
 * speaks of a vault.
 */
export function vaultOfVariables(
  variables: Variables,
): DescribedVault | { readonly problems: readonly Problem[] } | undefined {
  const byDefault = Object.keys(originsOf(DEFAULT_VAULT_TYPE) ?? {}).some((name) => variables[name]);
  const type = variables[TYPE] || (byDefault ? DEFAULT_VAULT_TYPE : undefined);
  if (type === undefined) return undefined;
  const origins = originsOf(type);
  if (origins === undefined) return { problems: [wrongType(type)] };
  const read = Object.entries(origins).map(([name, { option, as }]) => ({
    option,
    ...taken(name, as, variables[name]),
  }));
  const problems = read.flatMap(({ problem }) => problem ?? []);
  if (problems.length > 0) return { problems };
  const options = read.flatMap(({ option, value }) => (value === undefined ? [] : [[option, value] as const]));
  return {
    entry: { type, ...Object.fromEntries(options) },
    variables: [TYPE, ...Object.keys(origins)].filter((name) => variables[name]),
  };
}

/** The variable that an option of that vault came from. */
export function variableOf(type: string | undefined, path: Path): string {
  const origins = Object.entries(originsOf(type ?? DEFAULT_VAULT_TYPE) ?? {});
  return origins.find(([, { option }]) => option === path[2])?.[0] ?? TYPE;
}

function originsOf(type: string): Readonly<Record<string, OptionVariable>> | undefined {
  return providerOf(type)?.variables;
}

/** What a variable is taken for; nothing where it does not speak. */
function taken(
  name: string,
  as: OptionVariable["as"],
  text: string | undefined,
): { readonly value?: string | readonly string[]; readonly problem?: Problem } {
  if (as === "token") return text ? { value: `env:${name}` } : { problem: noToken(name) };
  if (as === "text") return text ? { value: text } : {};
  if (text === undefined) return {};
  const value = text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
  // A list that was meant to narrow and is empty must not come to mean everything.
  return value.length > 0 ? { value } : { problem: emptyList(name) };
}

function noToken(name: string): Problem {
  const hint = "set it in the environment of the MCP server; without a configuration file no .env is read";
  return { path: [name], message: "is not set", hint };
}

function emptyList(name: string): Problem {
  return { path: [name], message: "is set and lists nothing", hint: "write ids with commas between them, or unset it" };
}

function wrongType(type: string): Problem {
  const choice = `it can be ${TYPES.join(" or ")}`;
  const at = (message: string, hint: string): Problem => ({ path: [TYPE], message, hint });
  if (providerOf(type) !== undefined) {
    return at(
      `is ${type}, which takes a configuration file`,
      `${choice}; agent-vault providers --type ${type} shows what to write into a file`,
    );
  }
  if (COMING_TYPES.includes(type)) return at(`is ${type}, which this version does not have yet`, choice);
  const near = nearestWord(type, TYPES);
  return at("is not a type this version knows", near === undefined ? choice : `did you mean ${near}? ${choice}`);
}
