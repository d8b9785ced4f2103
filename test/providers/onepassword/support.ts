import { inspect } from "node:util";
import { expect } from "vitest";
import { VaultError } from "../../../src/core/errors.ts";
import type { Each, Provider, Saved } from "../../../src/core/ports.ts";
import type { Handle, Plan } from "../../../src/core/request.ts";
import { Secret } from "../../../src/core/secret.ts";
import type { OnePasswordOptions } from "../../../src/providers/onepassword/provider.ts";
import type { FakeOnePassword } from "../../support/fake-onepassword.ts";
import { loadPatched, type Plant } from "../../support/patched.ts";
import { providerContext } from "../../support/provider-context.ts";

export const SIGNAL = new AbortController().signal;

/** The handle of a name, or the error instead of it. */
export async function resolveOne(provider: Provider, name: string): Promise<Handle | VaultError> {
  const [outcome] = await provider.resolve([name], SIGNAL);
  if (!outcome) throw new Error("no outcome");
  return outcome;
}

export async function handleOf(provider: Provider, name: string): Promise<Handle> {
  return good(await resolveOne(provider, name));
}

export async function errorOf(work: Promise<unknown>): Promise<VaultError> {
  const outcome = await work.then(
    (value) => (Array.isArray(value) ? (value as unknown[]).find((each) => each instanceof VaultError) : value),
    (error: unknown) => error,
  );
  expect(outcome).toBeInstanceOf(VaultError);
  const error = outcome as VaultError;
  expect(`${inspect(error, { depth: 9 })}${error.hint ?? ""}`).not.toMatch(/canary|hunter2/);
  return error;
}

/** The values of names, or the codes of what went wrong. */
export async function get(provider: Provider, ...names: string[]): Promise<string[]> {
  return texts(await provider.read((await provider.resolve(names, SIGNAL)).map(good), SIGNAL));
}

export function texts(outcomes: Each<Secret>): string[] {
  return outcomes.map((outcome) => (outcome instanceof VaultError ? outcome.code : outcome.reveal()));
}

export async function plan(provider: Provider, name: string, value: string): Promise<Plan | VaultError> {
  const [outcome] = (await provider.planWrite?.([{ name, value: new Secret(value) }], SIGNAL)) ?? [];
  if (!outcome) throw new Error("no outcome");
  return outcome;
}

export async function save(provider: Provider, plan: Plan | VaultError, value: string): Promise<Saved | VaultError> {
  const [outcome] = (await provider.write?.([{ plan: good(plan), value: new Secret(value) }], SIGNAL)) ?? [];
  if (!outcome) throw new Error("no outcome");
  return outcome;
}

/** The product with planted bugs, over the same account. Its errors are of classes of their own. */
export async function twinOf(
  fake: FakeOnePassword,
  plants: readonly Plant[],
  options: Partial<OnePasswordOptions> = {},
): Promise<Provider> {
  const twin = (await loadPatched("src/providers/onepassword/provider.ts", plants)) as {
    openOnePassword: (...args: unknown[]) => Promise<Provider>;
  };
  return twin.openOnePassword({ ...fake.options, ...options }, providerContext(), fake.loadSdk);
}

/** The same as `texts` and `good` for what a twin may have answered. */
export function outcomesOf(outcomes: Each<Secret | Handle | Plan | Saved>): string[] {
  return outcomes.map((each) => {
    if ("reveal" in each) return each.reveal();
    return "code" in each ? each.code : "ok";
  });
}

export function good<T>(outcome: T | VaultError): T {
  if (outcome instanceof VaultError) throw outcome;
  return outcome;
}
