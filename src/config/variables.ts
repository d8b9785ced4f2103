import { providerOf } from "../providers/registry.ts";
import { nearestWord } from "../core/near.ts";
import type { Variables } from "./places.ts";
import type { Problem } from "./problem.ts";
import type { Path } from "./tree.ts";
import { COMING_TYPES, DEFAULT_VAULT_TYPE } from "./words.ts";

const TYPE = "AGENT_VAULT_PROVIDER";

/** How a variable becomes an option: as it stands, as a list with commas, or as a reference, because it is a token. */
interface Origin {
  readonly option: string;
  readonly as: "text" | "list" | "token";
}

/** The types that variables alone can describe, and the variables that each of them takes. */
const ORIGINS: Readonly<Record<string, Readonly<Record<string, Origin>>>> = {
  env: { AGENT_VAULT_ENV_FILE: { option: "file", as: "text" } },
  "1password": {
    OP_SERVICE_ACCOUNT_TOKEN: { option: "serviceAccountToken", as: "token" },
    AGENT_VAULT_1P_VAULTS: { option: "vaultIds", as: "list" },
  },
};

/** The same types, as messages list them. */
const TYPES: readonly string[] = Object.keys(ORIGINS);

/**
 * The vault that variables describe where there is no file: its entry as it would stand in one, or what is wrong with
 * the variables. Undefined when none of them speaks of a vault.
 */
export function vaultOfVariables(
  variables: Variables,
): { readonly entry: Readonly<Record<string, unknown>> } | { readonly problems: readonly Problem[] } | undefined {
  const type = variables[TYPE] || (variables["AGENT_VAULT_ENV_FILE"] ? DEFAULT_VAULT_TYPE : undefined);
  if (type === undefined) return undefined;
  const origins = Object.hasOwn(ORIGINS, type) ? ORIGINS[type] : undefined;
  if (origins === undefined) return { problems: [wrongType(type)] };
  const options: Record<string, unknown> = {};
  const problems: Problem[] = [];
  for (const [name, { option, as }] of Object.entries(origins)) {
    const value = variables[name] || undefined;
    if (as === "token") {
      if (value === undefined) problems.push(noToken(name, type));
      options[option] = `env:${name}`;
    } else if (value !== undefined) {
      const list = value
        .split(",")
        .map((part) => part.trim())
        .filter((part) => part !== "");
      // A list that was meant to narrow and is empty must not come to mean everything.
      if (as === "list" && list.length === 0) problems.push(emptyList(name));
      options[option] = as === "list" ? list : value;
    }
  }
  return problems.length > 0 ? { problems } : { entry: { type, ...options } };
}

/** The variables that describe a vault of this type. */
export function variablesFor(type: string): readonly string[] {
  return [TYPE, ...Object.keys(ORIGINS[type] ?? {})];
}

/** The variable that an option of that vault came from. */
export function variableOf(type: string | undefined, path: Path): string {
  const origins = Object.entries(ORIGINS[type ?? DEFAULT_VAULT_TYPE] ?? {});
  return origins.find(([, { option }]) => option === path[2])?.[0] ?? TYPE;
}

function noToken(name: string, type: string): Problem {
  return {
    path: [name],
    message: "is not set",
    hint: `${TYPE}=${type} takes the token from there, and from nowhere else`,
  };
}

function emptyList(name: string): Problem {
  return { path: [name], message: "holds no id", hint: "write ids with commas between them, or remove it" };
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
