import { dirname, join } from "node:path";
import { VaultError } from "../core/errors.ts";
import { clip, visible } from "../core/text.ts";
import type { LoadResult, Source } from "./config.ts";
import { candidates, readTextFile } from "./file.ts";
import { lookAround, type Surroundings, type Variables } from "./places.ts";
import { problemText, type Problem } from "./problem.ts";
import { CONFIG_FILE, DEFAULT_VAULT_TYPE } from "./words.ts";

/** The world as a test sees it; left out, it is this process. */
export interface World {
  readonly variables?: Variables;
  readonly cwd?: string;
  readonly platform?: NodeJS.Platform;
}

/** What is around this process, whether or not there is a configuration. */
export function surroundings(world: World = {}): Surroundings {
  return lookAround(world.variables ?? process.env, world.cwd ?? process.cwd(), world.platform ?? process.platform);
}

/**
 * Finds, reads and checks the configuration. Whatever a person can have done wrong comes back as data, all of it at
 * once; nothing is written, opened or contacted. Call it when the configuration is first needed, and once.
 */
export async function loadConfig(world: World = {}): Promise<LoadResult> {
  const around = surroundings(world);
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
  around: Surroundings,
): Promise<LoadResult> {
  // Loaded here and not above: a server that is only probed never pays for the schema.
  const { interpret } = await import("./interpret.ts");
  const beside = (): Promise<Variables> => dotenvBeside(folder);
  const found = await interpret({ source, folder, text, mode, around, beside });
  if ("config" in found) return { ok: true, config: found.config };
  return invalid(source.is === "file" ? source.path : undefined, found.problems, around);
}

/** The `.env` beside the configuration; one that is not there or cannot be read sets nothing. */
async function dotenvBeside(folder: string): Promise<Variables> {
  const file = await readTextFile(join(folder, ".env"));
  if (file.is !== "read") return {};
  const { parse } = await import("dotenv");
  return parse(file.text);
}

function missing(message: string, around: Surroundings): LoadResult {
  const hint = "run agent-vault init in your project, then restart the client";
  return { ok: false, error: new VaultError("config_missing", message, { hint }), problems: [], surroundings: around };
}

/** How much of a long list of problems one line can carry; doctor shows them all. */
const IN_ONE_LINE = 3;

function invalid(path: string | undefined, problems: readonly Problem[], around: Surroundings): LoadResult {
  const place = path === undefined ? "the configuration in the environment" : visible(path);
  const shown = problems.slice(0, IN_ONE_LINE).map((problem) => clip(problemText(problem), 300));
  const rest = problems.length - shown.length;
  const list = [...shown, ...(rest > 0 ? [`and ${rest} more`] : [])].join("; ");
  const error = new VaultError("config_invalid", `${place}: ${list}`, {
    hint: "correct it (agent-vault doctor shows every problem), then restart the client",
  });
  return { ok: false, error, problems, surroundings: around, ...(path === undefined ? {} : { path }) };
}
