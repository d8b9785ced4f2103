import { leftOutHint, leftOutText } from "../config/left-out.ts";
import type { Config, VaultConfig } from "../config/config.ts";
import { asVaultError, VaultError } from "../core/errors.ts";
import type { Rules } from "../core/policy.ts";
import type { Provider } from "../core/ports.ts";
import { visible } from "../core/text.ts";
import type { Context } from "./command.ts";
import { withDeadline } from "./deadline.ts";
import { failed, finding, type Finding } from "./finding.ts";

/** For a vault in all. Longer than any provider gives one call: what it has to say of it knows more. */
const DEADLINE_MS = 35_000;
/** What a vault is left for closing, as at the end of a session. */
const CLOSING_MS = 1_000;

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
    return [failed(about, asVaultError(error))];
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

async function checkVault({ name, type, title, can, rules, use }: VaultConfig, around: Around): Promise<Finding[]> {
  const about = `vault ${name}`;
  if (!use.ready) return [finding("failed", about, `${title}, left out: ${leftOutText(use)}`, leftOutHint(use))];
  const said: string[] = [];
  const context = { ...around, warn: (line: string) => void said.push(line) };
  const opening = new Promise<Provider>((opened) => opened(use.open(context)));
  const state: Finding[] = [];
  try {
    const lines = await inTime(DEADLINE_MS, async (signal) => (await opening).check?.(signal) ?? []);
    const [first = `${title}, not checked`, ...more] = lines.map(visible);
    state.push(finding("ok", about, first), ...more.map((line) => finding("note", about, line)));
  } catch (error) {
    const hint = `agent-vault providers --type ${type} lists its options and what they mean`;
    state.push({ hint, ...failed(about, asVaultError(error)) });
  }
  await close(opening);
  const warnings = new Set([...said, ...use.warnings(context)]);
  return [
    ...state,
    finding("note", about, rulesText(rules, can)),
    ...[...warnings].map((line) => finding("warning", about, visible(line))),
  ];
}

/** Gives back what looking may have taken, once it is open; one that never opens has nothing to close. */
async function close(opening: Promise<Provider>): Promise<void> {
  const closing = opening.then((provider) => provider.close?.());
  // How it stands has been said by now: nothing that goes wrong from here on changes it.
  await inTime(CLOSING_MS, () => closing).catch(() => undefined);
}

/** Waits for no longer than so many ms, whatever the work makes of its signal. */
function inTime<T>(ms: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const late = (): VaultError =>
    new VaultError("provider_unavailable", `did not answer within ${ms / 1_000} s`, {
      hint: "see whether its server can be reached from this computer, then run doctor again",
    });
  return withDeadline(
    ms,
    (signal) =>
      new Promise((resolve, reject) => {
        signal.addEventListener("abort", () => reject(late()), { once: true });
        work(signal).then(resolve, reject);
      }),
  );
}

function rulesText({ ttlMs, ttlScope, writable }: Rules, can: VaultConfig["can"]): string {
  const minutes = ttlMs / 60_000;
  const window = ttlMs === 0 ? "asks every time" : `an approval may stay open for ${minutes} min`;
  const covers = ttlMs === 0 ? "" : ttlScope === "vault" ? ", for the whole vault" : ", for the secrets shown";
  const upstream = can.includes("prepare") ? "; its own approvers may be asked as well" : "";
  return `${window}${covers}; ${writable ? "agents may ask to write" : "agents cannot write"}${upstream}`;
}
