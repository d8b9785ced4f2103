import type { Stats } from "node:fs";
import { access, constants, lstat } from "node:fs/promises";
import { dirname, isAbsolute, relative } from "node:path";
import { visible } from "../core/text.ts";
import { attempt } from "./checks.ts";
import type { Context } from "./command.ts";
import { finding, type Finding } from "./finding.ts";

const HINT = "without a log no secret is handed out: choose another place with audit.database or AGENT_VAULT_DB";

/**
 * The log: whether it is there or can be made, whether it will be accepted, who else may look into it. Looks only:
 * what the log itself would refuse is refused here in the same cases, without making a file to find out.
 */
export async function checkLog(file: string, { services, cwd }: Context): Promise<Finding[]> {
  const stats = await look(file);
  const refused = stats === undefined ? await refusedPlace(file) : await refusedFile(file, stats);
  if (refused !== undefined) return [finding("failed", "", visible(refused), HINT)];
  if (stats === undefined) {
    return [finding("ok", "", `${visible(file)}, made when an agent first asks for a secret`), ...nearAgent(file, cwd)];
  }
  let text = "";
  const broken = attempt("", () => {
    const state = services.inspectLog({ file });
    text = state.exists ? `${state.events} events, ${Math.ceil(state.bytes / 1024)} KB` : "empty";
  });
  if (broken.length > 0) return broken;
  return [finding("ok", "", `${visible(file)}: ${text}`), ...openToOthers(file, stats), ...nearAgent(file, cwd)];
}

/** Why an existing log would not be written, or undefined. */
async function refusedFile(file: string, stats: Stats): Promise<string | undefined> {
  if (stats.isSymbolicLink()) return `${file} is a symbolic link`;
  if (!stats.isFile()) return `${file} is not a file`;
  if (isForeign(stats)) return `${file} belongs to another user`;
  if (!(await isWritable(file))) return `${file} cannot be written`;
  const folder = await look(dirname(file));
  return folder === undefined ? undefined : refusedFolder(dirname(file), folder);
}

/** Why no log could be made there, or undefined. */
async function refusedPlace(file: string): Promise<string | undefined> {
  const folder = dirname(file);
  const own = await look(folder);
  if (own !== undefined) return refusedFolder(folder, own);
  const above = await nearestFolder(folder);
  const stats = await look(above);
  if (stats?.isDirectory() !== true) return `${file} cannot be made: ${above} is not a folder`;
  return (await isWritable(above)) ? undefined : `${file} cannot be made: ${above} is not writable`;
}

async function refusedFolder(folder: string, stats: Stats): Promise<string | undefined> {
  if (stats.isSymbolicLink()) return `${folder} is a symbolic link`;
  if (!stats.isDirectory()) return `${folder} is not a folder`;
  if (isForeign(stats)) return `${folder} belongs to another user`;
  if (process.platform !== "win32" && (stats.mode & 0o022) !== 0) return `${folder} can be changed by other users`;
  return (await isWritable(folder)) ? undefined : `${folder} is not writable`;
}

function isForeign(stats: Stats): boolean {
  return process.getuid !== undefined && stats.uid !== process.getuid();
}

function openToOthers(file: string, { mode }: Stats): Finding[] {
  if (process.platform === "win32" || (mode & 0o077) === 0) return [];
  return [finding("warning", "", "other users of this computer may open the log", `chmod 600 ${visible(file)}`)];
}

function nearAgent(file: string, cwd: string): Finding[] {
  const way = relative(cwd, file);
  if (way === "" || /^\.\.(?:[/\\]|$)/.test(way) || isAbsolute(way)) return [];
  const hint = "choose another place with audit.database or AGENT_VAULT_DB";
  return [finding("warning", "", "the log lies in the folder where the agent works: it could delete it", hint)];
}

async function nearestFolder(folder: string): Promise<string> {
  const there = await look(folder);
  return there !== undefined || dirname(folder) === folder ? folder : nearestFolder(dirname(folder));
}

function look(path: string): Promise<Stats | undefined> {
  return lstat(path).catch(() => undefined);
}

function isWritable(path: string): Promise<boolean> {
  return access(path, constants.W_OK).then(
    () => true,
    () => false,
  );
}
