import { inspect } from "node:util";
import { afterEach, expect } from "vitest";
import type { Clock } from "../../../src/core/clock.ts";
import { VaultError } from "../../../src/core/errors.ts";
import type { PrepareContext, Provider } from "../../../src/core/ports.ts";
import type { Handle } from "../../../src/core/request.ts";
import type { ProviderContext } from "../../../src/providers/define.ts";
import { twelveport } from "../../../src/providers/twelveport/index.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { type FakeTwelvePort, type FakeTwelvePortOptions, startFakeTwelvePort } from "../../support/fake-twelveport.ts";
import { fakeNotes, providerContext } from "../../support/provider-context.ts";

/** As long as a call may take: whoever has such a timer waits for an answer, and not for time to pass. */
const CALL_MS = 15_000;

/** A clock that can go on to whatever is waited for next, unless a call is under way. */
export class SteppingClock implements Clock {
  readonly #clock = new FakeClock();
  readonly #due = new Set<{ readonly at: number; readonly isCall: boolean }>();
  readonly now = this.#clock.now;
  readonly mono = this.#clock.mono;

  readonly after = (ms: number, run: () => void): (() => void) => {
    const wait = { at: this.mono() + ms, isCall: ms === CALL_MS };
    this.#due.add(wait);
    const cancel = this.#clock.after(ms, () => {
      this.#due.delete(wait);
      run();
    });
    return () => {
      this.#due.delete(wait);
      cancel();
    };
  };

  get isCalling(): boolean {
    return [...this.#due].some(({ isCall }) => isCall);
  }

  setWall(wall: number): void {
    this.#clock.setWall(wall);
  }

  advance(ms: number): void {
    this.#clock.advance(ms);
  }

  step(): void {
    const next = Math.min(...[...this.#due].map(({ at }) => at));
    if (Number.isFinite(next)) this.advance(Math.max(0, next - this.mono()));
  }
}

export interface Scene {
  readonly fake: FakeTwelvePort;
  readonly clock: SteppingClock;
  readonly notes: ProviderContext["notes"];
  readonly warnings: string[];
  /** Opens the vault once more, as another process or after a restart. */
  readonly open: (options?: object) => Promise<Provider>;
}

const ending: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  // The vaults before the servers they talk to.
  for (const end of ending.splice(0).toReversed()) await end();
});

/** A fake 12Port and whatever a vault needs to use it; all of it goes away after the test. */
export async function scene(options: FakeTwelvePortOptions = {}, own: Partial<ProviderContext> = {}): Promise<Scene> {
  const clock = new SteppingClock();
  const fake = await startFakeTwelvePort({ now: clock.now, ...options });
  ending.push(() => fake.close());
  const notes = own.notes ?? fakeNotes();
  const warnings: string[] = [];
  const context = providerContext({ clock, warn: (line) => void warnings.push(line), ...own, notes });
  const open = async (more: object = {}): Promise<Provider> => {
    const provider = await twelveport.open(twelveport.options.parse({ ...fake.options, ...more }), context);
    ending.push(() => provider.close?.() ?? Promise.resolve());
    return provider;
  };
  return { fake, clock, notes, warnings, open };
}

export const never = new AbortController().signal;

/** What a promise comes to, time passing whenever nothing else happens. */
export async function settle<T>(clock: SteppingClock, promise: Promise<T>): Promise<T> {
  const over = new AbortController();
  void promise.catch(() => {}).then(() => over.abort());
  for (let quiet = 0; !over.signal.aborted;) {
    await new Promise((turn) => setImmediate(turn));
    quiet = clock.isCalling ? 0 : quiet + 1;
    if (quiet < 5) continue;
    clock.step();
    quiet = 0;
  }
  return promise;
}

/** Waits until something is so, without letting time pass. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((turn) => setImmediate(turn));
}

export interface Asking {
  readonly fields?: readonly string[];
  readonly signal?: AbortSignal;
  readonly waiting?: (text: string) => void;
}

/** The handles of one name. */
export async function handlesOf(
  provider: Provider,
  name: string,
  fields?: readonly string[],
): Promise<readonly Handle[]> {
  if (fields) return (await provider.fields?.(name, fields, never)) ?? [];
  const [handle] = await provider.resolve([name], never);
  if (handle === undefined || handle instanceof VaultError) throw handle ?? new Error("no outcome");
  return [handle];
}

/** What `prepare` is asked with. */
export function preparing(more: Partial<PrepareContext> = {}): PrepareContext {
  return {
    reason: "run migration 0042",
    requester: { claims: { client: "claude-code 2.1" }, facts: { user: "ada", host: "box", folder: "/work" } },
    signal: never,
    waiting: () => {},
    ...more,
  };
}

/** Reads as the broker does: prepare, read, and both once more where the vault's people have to be asked. */
export async function ask(provider: Provider, name: string, asking: Asking = {}): Promise<string[]> {
  const { signal = never, waiting = () => {} } = asking;
  const handles = await handlesOf(provider, name, asking.fields);
  for (let isFirst = true; ; isFirst = false) {
    for (const outcome of (await provider.prepare?.(handles, preparing({ signal, waiting }))) ?? [])
      if (outcome instanceof Error) throw outcome;
    const results = await provider.read(handles, signal);
    // A twin has a VaultError of its own.
    const wanting = results.find((each) => each instanceof Error && each.code === "upstream_required");
    if (wanting && isFirst) continue;
    return results.map((each) => {
      if (each instanceof Error) throw each;
      return each.reveal();
    });
  }
}

/** The refusal something comes to, after it was searched for what must not be in it. */
export async function refusal(promise: Promise<unknown>, ...secret: readonly string[]): Promise<VaultError> {
  const error: unknown = await promise.then(
    (value) => value,
    (reason: unknown) => reason,
  );
  const only: unknown = Array.isArray(error) && error.length === 1 ? error[0] : error;
  expect(only).toBeInstanceOf(VaultError);
  const all = `${inspect(only, { depth: 9, showHidden: true })}${JSON.stringify(only)}`;
  for (const each of [...secret, "Bearer ", "TENANT:"]) expect(all).not.toContain(each);
  return only as VaultError;
}
