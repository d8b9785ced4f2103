import { dirname, join, parse } from "node:path";
import { VaultError } from "../core/errors.ts";
import { clip, visible } from "../core/text.ts";
import type { LoadResult, Source } from "./config.ts";
import { candidates, readTextFile } from "./file.ts";
import { databasePath, lookAround, withoutVariables, type Around, type Variables, workingFolder } from "./places.ts";
import { problemText, type Problem } from "./problem.ts";
import { CONFIG_FILE, DEFAULT_VAULT_TYPE } from "./words.ts";

/** The world as a test sees it; left out, it is this process. */
export interface World {
  readonly variables?: Variables;
  readonly cwd?: string;
  readonly platform?: NodeJS.Platform;
}

/**
 * Finds, reads and checks the configuration. Whatever a person can have done wrong comes back as data, all of it at
 * once; nothing is written, opened or contacted. Call it when the configuration is first needed, and once.
 */
export async function loadConfig(world: World = {}): Promise<LoadResult> {
  const cwd = world.cwd ?? workingFolder();
  const variables = world.variables ?? process.env;
  const around = lookAround(variables, cwd ?? parse(process.execPath).root, world.platform ?? process.platform);
  if (cwd === undefined) return missing("the folder that agent-vault was started in is gone", around);
  const { paths, named } = candidates(around);
  for (const path of paths) {
    const file = await readTextFile(path);
    if (file.is === "read") return check({ is: "file", path }, dirname(path), file.text, file.mode, around);
    // A configuration that is there and cannot be read must not make way for another one, with other rules.
    if (file.is === "unusable") return invalid(path, [{ path: [], message: file.why, hint: file.hint }], around);
    if (named) return missing(`AGENT_VAULT_CONFIG names ${visible(path)}, which is not there`, around);
  }
  const written = fromVariables(around.variables);
  if (written === undefined)
    return missing(`there is no ${CONFIG_FILE} in ${visible(around.cwd)} or your home folder`, around);
  return check({ is: "environment" }, around.cwd, JSON.stringify(written), undefined, around);
}

/** The one vault that variables alone can describe. */
function fromVariables(variables: Variables): unknown {
  const type = variables["AGENT_VAULT_PROVIDER"] || undefined;
  const file = variables["AGENT_VAULT_ENV_FILE"] || undefined;
  if (type === undefined && file === undefined) return undefined;
  return { vaults: { default: { type: type ?? DEFAULT_VAULT_TYPE, ...(file === undefined ? {} : { file }) } } };
}

async function check(
  source: Source,
  folder: string,
  text: string,
  mode: number | undefined,
  around: Around,
): Promise<LoadResult> {
  // Loaded here and not above: a server that is only probed never pays for the schema.
  const { interpret } = await import("./interpret.ts");
  const beside = (): Promise<Variables> => dotenvBeside(folder);
  const found = await interpret({ source, folder, text, mode, around, beside });
  if ("config" in found) return { ok: true, config: found.config };
  if (source.is === "file") return invalid(source.path, found.problems, around);
  return invalid(undefined, found.problems.map(inVariables), around);
}

/** The same problem at the variable that the person set: there is no file, and no line in it. */
function inVariables({ path, message, hint }: Problem): Problem {
  const variable = path[2] === "file" ? "AGENT_VAULT_ENV_FILE" : "AGENT_VAULT_PROVIDER";
  return { path: [variable], message, ...(hint === undefined ? {} : { hint }) };
}

/** The `.env` beside the configuration; one that is not there or cannot be read sets nothing. */
async function dotenvBeside(folder: string): Promise<Variables> {
  const file = await readTextFile(join(folder, ".env"));
  if (file.is !== "read") return {};
  // Bundled CommonJS has a default export only.
  const { parse } = (await import("dotenv")).default;
  return parse(file.text);
}

function missing(message: string, around: Around): LoadResult {
  const hint = "run agent-vault init in your project, then restart the client";
  return failure(new VaultError("config_missing", message, { hint }), [], around);
}

/** How much of a long list of problems one line can carry; doctor shows them all. */
const IN_ONE_LINE = 3;

function invalid(path: string | undefined, problems: readonly Problem[], around: Around): LoadResult {
  const place = path === undefined ? "the configuration in the environment" : visible(path);
  const shown = problems.slice(0, IN_ONE_LINE).map((problem) => clip(problemText(problem), 300));
  const rest = problems.length - shown.length;
  const list = [...shown, ...(rest > 0 ? [`and ${rest} more`] : [])].join("; ");
  const hint = "correct it (agent-vault doctor shows every problem), then restart the client";
  return failure(new VaultError("config_invalid", `${place}: ${list}`, { hint }), problems, around, path);
}

function failure(error: VaultError, problems: readonly Problem[], around: Around, path?: string): LoadResult {
  return {
    ok: false,
    error,
    problems,
    surroundings: withoutVariables(around),
    database: databasePath(around),
    ...(path === undefined ? {} : { path }),
  };
}
