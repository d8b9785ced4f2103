import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "dotenv";
import { onTestFinished } from "vitest";
import { VaultError, type Code } from "../../../src/core/errors.ts";
import type { Each, Provider, Saved } from "../../../src/core/ports.ts";
import type { Plan } from "../../../src/core/request.ts";
import { Secret } from "../../../src/core/secret.ts";
import type { Parser } from "../../../src/providers/env/splice.ts";
import { env } from "../../../src/providers/env/index.ts";
import { providerContext } from "../../support/provider-context.ts";

/** Both ways dotenv can read a text. */
export const parsers: readonly Parser[] = [(text) => parse(text), (text) => parse(text, { fast: true })];

export const signal = new AbortController().signal;

/** An empty folder that goes with the test. */
export function tempFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "env-")));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export interface EnvVault {
  readonly folder: string;
  readonly path: string;
  readonly provider: Provider;
  readonly warnings: string[];
  readonly text: () => string;
  /** Resolves and reads, as the broker does. */
  readonly get: (...names: string[]) => Promise<Each<Secret>>;
  readonly plan: (values: Readonly<Record<string, string>>) => Promise<Each<Plan>>;
  /** Plans and writes, as the broker does; rejects with the first refusal. */
  readonly set: (values: Readonly<Record<string, string>>) => Promise<Each<Saved>>;
}

/** A real env file in a folder of its own and the provider on top of it. */
export async function envVault(
  text: string | Buffer | undefined,
  options: { file?: string; folder?: string; workFolder?: string; mode?: number } = {},
): Promise<EnvVault> {
  const folder = options.folder ?? tempFolder();
  const path = join(folder, options.file ?? ".env.secrets");
  if (text !== undefined) writeFileSync(path, text, { mode: options.mode ?? 0o600 });
  const warnings: string[] = [];
  const context = providerContext({
    folder,
    workFolder: options.workFolder ?? "/nowhere",
    warn: (line: string): void => void warnings.push(line),
  });
  const provider = await env.open(env.options.parse(options.file ? { file: options.file } : {}), context);
  const plan: EnvVault["plan"] = (values) =>
    must(provider.planWrite)(
      Object.entries(values).map(([name, value]) => ({ name, value: new Secret(value) })),
      signal,
    );
  return {
    folder,
    path,
    provider,
    warnings,
    text: () => readFileSync(path, "utf8"),
    get: async (...names) => provider.read(good(await provider.resolve(names, signal)), signal),
    plan,
    set: async (values) => write(provider, good(await plan(values)), values),
  };
}

/** Writes what was planned. */
export async function write(
  provider: Provider,
  plans: readonly Plan[],
  values: Readonly<Record<string, string>>,
): Promise<Each<Saved>> {
  const entries = plans.map((plan) => ({ plan, value: new Secret(must(values[plan.name])) }));
  return must(provider.write)(entries, signal);
}

/** The outcomes, when none of them is an error. */
export function good<T>(outcomes: Each<T>): T[] {
  return outcomes.map((outcome) => {
    if (outcome instanceof VaultError) throw outcome;
    return outcome;
  });
}

export function values(outcomes: Each<Secret>): string[] {
  return good(outcomes).map((secret) => secret.reveal());
}

/** The `VaultError` something was refused with. */
export async function refusal(promise: Promise<unknown>): Promise<VaultError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof VaultError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

/** What a test compares of one outcome: its code, or "ok". */
export function codes(outcomes: Each<unknown>): (Code | "ok")[] {
  return outcomes.map((outcome) => (outcome instanceof VaultError ? outcome.code : "ok"));
}

export function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("there should be something here");
  return value;
}
