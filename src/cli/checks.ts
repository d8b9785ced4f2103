import { access, constants, lstat } from "node:fs/promises";
import { dirname, isAbsolute, relative } from "node:path";
import type { Config, VaultConfig } from "../config/config.ts";
import { asVaultError, VaultError } from "../core/errors.ts";
import type { Rules } from "../core/policy.ts";
import { visible } from "../core/text.ts";
import type { Context } from "./command.ts";
import { finding, type Finding } from "./finding.ts";

/** A vault that has not answered by then counts as unreachable. */
const DEADLINE_MS = 10_000;

/** The program itself, and what it needs of this computer. */
export function checkRuntime({ version, services }: Context): Finding[] {
  const here = `agent-vault ${version}, Node ${process.versions.node}, ${process.platform} ${process.arch}`;
  return [finding("ok", "", here), attempt("the audit log's database", () => services.loadDriver())].flat();
}

function attempt(about: string, run: () => unknown): Finding[] {
  try {
    run();
    return [];
  } catch (error) {
    const { message, hint } = asVaultError(error);
    return [finding("failed", about, message, hint)];
  }
}

/** Every vault, each by itself: one that cannot be reached hides no other. */
export async function checkVaults(config: Config, workFolder: string): Promise<Finding[]> {
  const checked = await Promise.all(config.vaults.map((vault) => checkVault(vault, workFolder)));
  return checked.flat();
}

async function checkVault({ name, title, rules, use }: VaultConfig, workFolder: string): Promise<Finding[]> {
  const about = `vault ${name}`;
  if (!use.ready)
    return [finding("failed", about, `${title}, left out: ${unsetText(use.unset)}`, unsetHint(use.unset))];
  const said: string[] = [];
  const context = { workFolder, warn: (line: string) => void said.push(line) };
  let state: Finding;
  try {
    const signal = AbortSignal.timeout(DEADLINE_MS);
    const provider = await inTime(use.open(context), signal);
    const line = await inTime(provider.check?.(signal) ?? Promise.resolve(`${title}, not checked`), signal);
    state = finding("ok", about, visible(line));
  } catch (error) {
    const { message, hint } = asVaultError(error);
    state = finding("failed", about, message, hint);
  }
  const warnings = new Set([...said, ...use.warnings(context)]);
  return [
    state,
    finding("note", about, rulesText(rules)),
    ...[...warnings].map((line) => finding("warning", about, visible(line))),
  ];
}

function inTime<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", () =>
      reject(new VaultError("provider_unavailable", `did not answer within ${DEADLINE_MS / 1_000} seconds`)),
    );
    work.then(resolve, reject);
  });
}

/** The names of variables, as findings say them. */
export function unsetText(unset: readonly string[]): string {
  return `${unset.join(", ")} ${unset.length === 1 ? "is" : "are"} not set`;
}

export function unsetHint(unset: readonly string[]): string {
  return `set ${unset.join(", ")} in the environment of the MCP server or in the .env beside the configuration`;
}

function rulesText({ ttlMs, ttlScope, writable }: Rules): string {
  const minutes = ttlMs / 60_000;
  const window = ttlMs === 0 ? "asks every time" : `an approval may stay open for ${minutes} min`;
  const covers = ttlMs === 0 ? "" : ttlScope === "vault" ? ", for the whole vault" : ", for the secrets shown";
  return `${window}${covers}; ${writable ? "agents may ask to write" : "agents cannot write"}`;
}

/** The log: whether it is there, whether it can be written, who else may look into it. */
export async function checkLog(file: string, { services, cwd }: Context): Promise<Finding[]> {
  const about = "";
  const stats = await lstat(file).catch(() => undefined);
  if (stats === undefined) {
    const folder = await nearestFolder(dirname(file));
    if (!(await isWritable(folder))) {
      return [
        finding("failed", about, `${visible(file)} cannot be made: ${visible(folder)} is not writable`, LOG_HINT),
      ];
    }
    return [
      finding("ok", about, `${visible(file)}, made when an agent first asks for a secret`),
      ...nearAgent(file, cwd),
    ];
  }
  if (!(await isWritable(file))) return [finding("failed", about, `${visible(file)} cannot be written`, LOG_HINT)];
  const broken = attempt(about, () => services.inspectLog({ file }));
  if (broken.length > 0) return broken;
  const state = services.inspectLog({ file });
  const count = state.exists ? `${state.events} events, ${Math.ceil(state.bytes / 1024)} KB` : "empty";
  const open = process.platform !== "win32" && (stats.mode & 0o077) !== 0;
  return [
    finding("ok", about, `${visible(file)}: ${count}`),
    ...(open
      ? [finding("warning", about, "other users of this computer may open the log", `chmod 600 ${visible(file)}`)]
      : []),
    ...nearAgent(file, cwd),
  ];
}

const LOG_HINT = "without a log no secret is handed out: choose another place with audit.database or AGENT_VAULT_DB";

function nearAgent(file: string, cwd: string): Finding[] {
  const way = relative(cwd, file);
  if (way === "" || /^\.\.(?:[/\\]|$)/.test(way) || isAbsolute(way)) return [];
  const hint = "choose another place with audit.database or AGENT_VAULT_DB";
  return [finding("warning", "", "the log lies in the folder where the agent works: it could delete it", hint)];
}

async function nearestFolder(folder: string): Promise<string> {
  const there = await lstat(folder).catch(() => undefined);
  return there !== undefined || dirname(folder) === folder ? folder : nearestFolder(dirname(folder));
}

async function isWritable(path: string): Promise<boolean> {
  return access(path, constants.W_OK).then(
    () => true,
    () => false,
  );
}
