import { dirname, join, parse } from "node:path";
import { VaultError } from "../core/errors.ts";
import { clip, visible } from "../core/text.ts";
import type { LoadResult } from "./config.ts";
import { candidates, readTextFile } from "./file.ts";
import { databasePath, lookAround, withoutVariables, type Around, type Variables, workingFolder } from "./places.ts";
import { problemText, type Problem } from "./problem.ts";
import type { Text } from "./text.ts";
import { CONFIG_FILE } from "./words.ts";

/** The world as a test sees it; left out, it is this process. */
export interface World {
  readonly variables?: Variables;
  readonly cwd?: string;
  readonly platform?: NodeJS.Platform;
}

/**
 * Finds, reads and checks the configuration. Whatever a person can have done wrong comes back as data, all of it at
 * once; nothing is written, opened or contacted. Call it when the configuration is first needed, and once: tokens are
 * taken out of the environment of this process.
 */
export async function loadConfig(world: World = {}): Promise<LoadResult> {
  const cwd = world.cwd ?? workingFolder();
  const variables = world.variables ?? process.env;
  const around = lookAround(variables, cwd ?? parse(process.execPath).root, world.platform ?? process.platform);
  if (cwd === undefined) return missing("the folder that agent-vault was started in is gone", around);
  const { paths, named } = candidates(around);
  for (const path of paths) {
    const file = await readTextFile(path);
    if (file.is === "read") {
      const { text, mode } = file;
      return check({ source: { is: "file", path }, folder: dirname(path), text, mode, around });
    }
    // A configuration that is there and cannot be read must not make way for another one, with other rules.
    if (file.is === "unusable") return invalid(path, [{ path: [], message: file.why, hint: file.hint }], around);
    if (named) return missing(`AGENT_VAULT_CONFIG names ${visible(path)}, which is not there`, around);
  }
  return fromVariables(around);
}

/** The one vault that variables alone can describe. */
async function fromVariables(around: Around): Promise<LoadResult> {
  const { variableOf, vaultOfVariables } = await import("./variables.ts");
  const found = vaultOfVariables(around.variables);
  if (found === undefined)
    return missing(`there is no ${CONFIG_FILE} in ${visible(around.cwd)} or your home folder`, around);
  if ("problems" in found) return invalid(undefined, found.problems, around);
  const text = JSON.stringify({ vaults: { default: found.entry } });
  // The same problem at the variable that the person set: there is no file, and no line in it.
  const there = ({ path, message, hint }: Problem): Problem => ({
    path: [variableOf(around.variables["AGENT_VAULT_PROVIDER"] || undefined, path)],
    message,
    ...(hint === undefined ? {} : { hint }),
  });
  const source = { is: "environment", variables: found.variables } as const;
  return check({ source, folder: around.cwd, text, mode: undefined, around }, there);
}

async function check(
  written: Omit<Text, "beside">,
  there: (problem: Problem) => Problem = (problem) => problem,
): Promise<LoadResult> {
  const { source, folder, around } = written;
  // Loaded here and not above: a server that is only probed never pays for the schema.
  const { interpret } = await import("./interpret.ts");
  // A folder that has no configuration has no say in which token is used either.
  const beside = async (): Promise<Variables> => (source.is === "file" ? dotenvBeside(folder) : {});
  const found = await interpret({ ...written, beside });
  if ("config" in found) {
    if (around.variables === process.env) forget(found.config.tokenVariables);
    return { ok: true, config: found.config };
  }
  return invalid(source.is === "file" ? source.path : undefined, found.problems.map(there), around);
}

/**
 * Takes tokens out of this process's environment once they are read, so that no program started from here, no library
 * and no report of a crash comes by them. What the system keeps of the environment at the start, it keeps.
 */
function forget(names: readonly string[]): void {
  for (const name of names) delete process.env[name];
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
