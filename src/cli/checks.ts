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

/** What a step that failed has to say; nothing when it went well. */
export function attempt(about: string, run: () => unknown): Finding[] {
  try {
    run();
    return [];
  } catch (error) {
    const { message, hint } = asVaultError(error);
    return [finding("failed", about, message, hint)];
  }
}

/** Every vault, each by itself: one that cannot be reached hides no other. */
export async function checkVaults(config: Config, { cwd, version, services }: Context): Promise<Finding[]> {
  const { clock } = services;
  const notes = services.notes(config.surroundings.stateDir);
  try {
    const around = { workFolder: cwd, version, clock, notes: notes.of };
    return (await Promise.all(config.vaults.map((vault) => checkVault(vault, around)))).flat();
  } finally {
    notes.close();
  }
}

type Around = Omit<Parameters<Extract<VaultConfig["use"], { ready: true }>["open"]>[0], "warn">;

async function checkVault({ name, title, rules, use }: VaultConfig, around: Around): Promise<Finding[]> {
  const about = `vault ${name}`;
  if (!use.ready)
    return [finding("failed", about, `${title}, left out: ${unsetText(use.unset)}`, unsetHint(use.unset))];
  const said: string[] = [];
  const context = { ...around, warn: (line: string) => void said.push(line) };
  const state: Finding[] = [];
  try {
    const signal = AbortSignal.timeout(DEADLINE_MS);
    const provider = await inTime(use.open(context), signal);
    const [first = `${title}, not checked`, ...more] = await inTime(
      provider.check?.(signal) ?? Promise.resolve([]),
      signal,
    );
    state.push(finding("ok", about, visible(first)), ...more.map((line) => finding("note", about, visible(line))));
  } catch (error) {
    const { message, hint } = asVaultError(error);
    state.push(finding("failed", about, message, hint));
  }
  const warnings = new Set([...said, ...use.warnings(context)]);
  return [
    ...state,
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
