import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { VaultError, type Code } from "../../../src/core/errors.ts";
import type { Each, Provider } from "../../../src/core/ports.ts";
import type { Handle, Plan } from "../../../src/core/request.ts";
import { Secret } from "../../../src/core/secret.ts";
import type { Stage } from "./stage.ts";

/** What sentences are judged by: they run inside tests, and on planted bugs, outside of this file's sight. */
export const verify: typeof expect = expect;

/** The outcomes, when none of them is an error. */
export function good<T>(outcomes: Each<T>): T[] {
  return outcomes.map((outcome) => {
    if (outcome instanceof VaultError) throw outcome;
    return outcome;
  });
}

/** What was found of what was asked for. */
export function found(outcomes: Each<Handle>): Handle[] {
  return outcomes.filter((outcome): outcome is Handle => !(outcome instanceof VaultError));
}

/** What a test compares of one outcome: its code, or "ok". */
export function codes(outcomes: Each<unknown>): (Code | "ok")[] {
  return outcomes.map((outcome) => (outcome instanceof VaultError ? outcome.code : "ok"));
}

/** The `VaultError` something comes to, as a refusal of the whole or of its only part. Fails when it is none. */
export async function refusal(outcome: Promise<unknown> | VaultError): Promise<VaultError> {
  const result = await Promise.resolve(outcome).catch((error: unknown) => error);
  const error: unknown = Array.isArray(result) && result.length === 1 ? result[0] : result;
  verify(error, "a refusal").toBeInstanceOf(VaultError);
  return error as VaultError;
}

export function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("there should be something here");
  return value;
}

/** How long something may take that has no reason to take any time, ms; only a broken promise ever takes as long. */
const HANGING_MS = 2_000;

/** What it comes to; rejects when nothing comes. */
export async function soon<T>(promise: Promise<T>, what: string): Promise<T> {
  const stop = new AbortController();
  const hanging = sleep(HANGING_MS, undefined, { signal: stop.signal }).then(() => {
    throw new Error(`${what} still has no end`);
  });
  hanging.catch(() => {}); // It is stopped when it is no longer waited for.
  return Promise.race([promise, hanging]).finally(() => stop.abort());
}

/** The handles of these names. */
export async function resolve({ signal }: Stage, provider: Provider, ...names: string[]): Promise<Handle[]> {
  return good(await provider.resolve(names, signal));
}

/** The values behind these handles, the vault's own conditions first, as the broker does it. */
export async function read(stage: Stage, provider: Provider, handles: readonly Handle[]): Promise<string[]> {
  return good(await readEach(stage, provider, handles)).map((secret) => secret.reveal());
}

/** Reads what the vault is ready to hand out, and tells of the rest why not. */
export async function readEach(
  { signal }: Stage,
  provider: Provider,
  handles: readonly Handle[],
): Promise<Each<Secret>> {
  const outcomes = await provider.prepare?.(handles, {
    reason: "to see whether promises are kept",
    requester: { claims: { client: "conformance" }, facts: { user: "ada", host: "box", folder: "/work" } },
    signal,
    waiting: () => {},
  });
  const isReady = (_: unknown, at: number): boolean => !(outcomes?.[at] instanceof VaultError);
  const read = (await provider.read(handles.filter(isReady), signal)).values();
  return handles.map((_, at) => {
    const outcome = outcomes?.[at];
    return outcome instanceof VaultError ? outcome : must(read.next().value);
  });
}

/** Resolves and reads one secret, as the broker does. */
export async function get(stage: Stage, provider: Provider, name: string): Promise<string> {
  return must((await read(stage, provider, await resolve(stage, provider, name)))[0]);
}

type Values = readonly (readonly [name: string, value: string])[];

export function plan({ signal }: Stage, provider: Provider, values: Values): Promise<Each<Plan>> {
  const entries = values.map(([name, value]) => ({ name, value: new Secret(value) }));
  return must(provider.planWrite)(entries, signal);
}

/** Saves as planned, and tells the code of each outcome; that of a refusal of all of them once per entry. */
export async function write(
  { signal }: Stage,
  provider: Provider,
  plans: readonly Plan[],
  values: Values,
): Promise<(Code | "ok")[]> {
  const entries = plans.map((plan, index) => ({ plan, value: new Secret(must(values[index])[1]) }));
  const saved = await must(provider.write)(entries, signal).catch((error: unknown) => {
    if (error instanceof VaultError) return entries.map(() => error);
    throw error;
  });
  return codes(saved);
}
