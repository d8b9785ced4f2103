import { accessSync, constants } from "node:fs";
import { dirname } from "node:path";
import { VaultError } from "../../core/errors.ts";
import type { Each, Entry, PlannedEntry, Saved } from "../../core/ports.ts";
import type { Plan } from "../../core/request.ts";
import { Secret, type CommitmentKey } from "../../core/secret.ts";
import { quoted, visible } from "../../core/text.ts";
import { MAX_BYTES, readEnvFile, realPathToBe, type EnvFile } from "./file.ts";
import { withLock, type Lock } from "./lock.ts";
import { badName, badValue, twice, unspellable } from "./refusals.ts";
import { replaceFile } from "./replace.ts";
import { splice, tooBlank, type Parser } from "./splice.ts";

/** What writing needs to know of the file it writes to. */
export interface Target {
  /** The configured path, made absolute; links in it are followed anew each time. */
  readonly path: string;
  /** The fast reading of a text. */
  readonly parse: Parser;
  /** All readings a spelling must survive. */
  readonly parsers: readonly Parser[];
  /** Makes versions comparable without making values guessable. */
  readonly key: CommitmentKey;
  readonly refOf: (real: string, key: string) => string;
}

const ATTEMPTS = 3;

/** What each write would do to the file as it stands, the whole batch on top of each other. Writes nothing. */
export function planWrites(target: Target, entries: readonly Entry[]): Each<Plan> {
  const state = look(target);
  refuseUnwritable(state);
  const count = new Map<string, number>();
  for (const { name } of entries) count.set(name, (count.get(name) ?? 0) + 1);
  const faults = entries.map(({ name, value }) =>
    (count.get(name) ?? 0) > 1
      ? twice(name)
      : (badName(name, Object.hasOwn(state.values, name)) ?? badValue(name, value.reveal())),
  );
  const fit = entries.filter((_, index) => faults[index] === undefined);
  const { refused } = spliced(target, state, fit);
  return entries.map(({ name }, index) => {
    const fault = faults[index] ?? (refused.has(name) ? unspellable(name) : undefined);
    if (fault) return fault;
    const effect = Object.hasOwn(state.values, name) ? "replace" : "create";
    return {
      name,
      ref: target.refOf(state.real, name),
      checked: true,
      version: versionOf(target, state, name),
      effect,
    };
  });
}

/**
 * Saves what was planned, all of it in one replacement of the file, under the lock that all processes share. An entry
 * whose place has changed since it was planned is a `conflict` and the others are saved without it; a value that is
 * there already counts as saved.
 */
export async function write(
  target: Target,
  entries: readonly PlannedEntry[],
  signal: AbortSignal,
): Promise<Each<Saved>> {
  const { real } = realPathToBe(target.path);
  return withLock(real, signal, async (lock) => {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const outcome = await writeOnce(target, entries, { real, held: lock.held }, signal);
      if (outcome) return outcome;
    }
    throw outrun(real);
  });
}

/** Undefined when somebody without the lock, an editor say, was faster. */
async function writeOnce(
  target: Target,
  entries: readonly PlannedEntry[],
  lock: Lock & { readonly real: string },
  signal: AbortSignal,
): Promise<Each<Saved> | undefined> {
  const state = look(target);
  if (state.real !== lock.real) return undefined;
  refuseUnwritable(state);
  const faults = entries.map((entry) => changed(target, state, entry));
  const due = entries
    .filter(({ plan, value }, index) => faults[index] === undefined && !holds(state, plan.name, value))
    .map(({ plan, value }) => ({ name: plan.name, value }));
  const { text, refused } = spliced(target, state, due);
  if (text !== state.text) {
    const still = (): boolean => {
      if (signal.aborted) throw new VaultError("cancelled", "the call was cancelled before anything was saved");
      if (!lock.held()) throw outrun(state.real);
      return unchanged(target, state);
    };
    if (!(await replaceFile(state.real, text, { old: state.file?.stat, still }))) return undefined;
  }
  return entries.map(
    ({ plan }, index) => faults[index] ?? (refused.has(plan.name) ? unspellable(plan.name) : { saved: true }),
  );
}

/** The file at one moment; `file` is absent where there is none yet. */
interface State {
  readonly real: string;
  readonly file: EnvFile | undefined;
  readonly text: string;
  readonly values: Readonly<Record<string, string>>;
}

function look({ path, parse }: Target): State {
  const { real, exists } = realPathToBe(path);
  const file = exists ? readEnvFile(real) : undefined;
  const text = file?.text ?? "";
  return { real, file, text, values: parse(text) };
}

function unchanged(target: Target, before: State): boolean {
  const now = look(target);
  if (now.real !== before.real || !now.file || !before.file)
    return now.real === before.real && now.file === before.file;
  return now.file.bytes.equals(before.file.bytes) && now.file.stat.mode === before.file.stat.mode;
}

function spliced(
  { parsers }: Target,
  state: State,
  entries: readonly Entry[],
): { text: string; refused: ReadonlySet<string> } {
  if (entries.length === 0) return { text: state.text, refused: new Set() };
  const assignments = entries.map(({ name, value }) => ({ key: name, value: value.reveal() }));
  const { text, refused } = splice(state.text, assignments, parsers);
  if (Buffer.byteLength(text) > MAX_BYTES) {
    throw new VaultError("unrepresentable", `env file ${visible(state.real)} would grow past 8 MiB`, {
      hint: "keep large values elsewhere",
    });
  }
  return { text, refused: new Set(refused) };
}

function holds(state: State, name: string, value: Secret): boolean {
  return Object.hasOwn(state.values, name) && state.values[name] === value.reveal();
}

function changed(target: Target, state: State, { plan, value }: PlannedEntry): VaultError | undefined {
  const conflict = (what: string): VaultError =>
    new VaultError("conflict", `${quoted(plan.name)} was not saved: ${what} since the write was asked for`, {
      hint: "look at the file, then ask again",
    });
  if (plan.ref !== target.refOf(state.real, plan.name)) return conflict("the env file has moved");
  if (holds(state, plan.name, value)) return undefined;
  const version = versionOf(target, state, plan.name);
  if (plan.version === version || (plan.version === NO_FILE && version === NO_KEY)) return undefined;
  if (version === NO_FILE) return conflict("the env file has gone");
  if (plan.effect === "create") return conflict("it has come into being");
  return conflict(version === NO_KEY ? "it has gone" : "its value has changed");
}

const NO_FILE = "no file";
const NO_KEY = "no key";

/** Two versions are equal exactly when the name has the same place and worth; it tells nothing about the value. */
function versionOf({ key }: Target, state: State, name: string): string {
  if (!state.file) return NO_FILE;
  const value = Object.hasOwn(state.values, name) ? state.values[name] : undefined;
  return value === undefined ? NO_KEY : new Secret(value).commitment(key);
}

function refuseUnwritable({ real, file, text }: State): void {
  const refuse = (what: string, hint: string): VaultError =>
    new VaultError("provider_unavailable", `env file ${visible(real)} ${what}`, { hint });
  // Replacing a file takes no right to the file itself, so one that is closed has to be asked about.
  if (!may(dirname(real))) throw refuse("lies in a folder that this user cannot write to", "see who owns the folder");
  if (!file) return;
  if ((file.stat.mode & 0o222) === 0 || !may(real)) {
    throw refuse("is read-only", `if it shall be written to: chmod u+w ${visible(real)}`);
  }
  if (file.stat.nlink > 1) {
    throw refuse(
      `has ${file.stat.nlink} names (hard links)`,
      "replacing one would leave the others behind; use a symbolic link",
    );
  }
  if (tooBlank(text)) throw refuse("holds very long runs of blank lines", "remove them");
}

function may(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    // The only question was whether; why not stands in the mode and owner that the hint points to.
    return false;
  }
}

function outrun(real: string): VaultError {
  return new VaultError("conflict", `another program kept changing env file ${visible(real)}; nothing was saved`, {
    hint: "find out which one it is, then try again",
  });
}
