import { setTimeout as sleep } from "node:timers/promises";
import { inspect } from "node:util";
import type { Clock } from "../../../src/core/clock.ts";
import { VaultError } from "../../../src/core/errors.ts";
import type { Provider } from "../../../src/core/ports.ts";
import type { ProviderContext } from "../../../src/providers/define.ts";
import { type Canary, newCanary } from "../../support/canaries.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { fakeNotes, providerContext } from "../../support/provider-context.ts";
import { listen, verifyNoTrace } from "./traces.ts";
import { verify } from "./outcomes.ts";
import type { Backend, ProviderWorld, Stock } from "./world.ts";

/** A clock that knows when somebody waits for it. */
interface WatchedClock extends Clock {
  readonly advance: (ms: number) => void;
  /** Moves on to the next moment somebody waits for, if it is no further away than this. */
  readonly skip: (mostMs: number) => void;
}

function watchedClock(): WatchedClock {
  const clock = new FakeClock();
  const due = new Set<{ readonly at: number }>();
  return {
    now: clock.now,
    mono: clock.mono,
    after: (ms, run) => {
      const wait = { at: clock.mono() + ms };
      due.add(wait);
      const cancel = clock.after(ms, () => {
        due.delete(wait);
        run();
      });
      return () => {
        due.delete(wait);
        cancel();
      };
    },
    advance: (ms) => clock.advance(ms),
    skip: (mostMs) => {
      const next = Math.min(...[...due].map(({ at }) => at)) - clock.mono();
      if (Number.isFinite(next) && next <= mostMs) clock.advance(Math.max(0, next));
    },
  };
}

/** Where one sentence is played: a world, what was opened there, and everything that was said on the way. */
export interface Stage {
  readonly world: ProviderWorld;
  readonly clock: WatchedClock;
  /** Never aborts. */
  readonly signal: AbortSignal;
  /** A value that has to be found nowhere when the sentence is over. */
  readonly secret: (kind: string) => string;
  /** The same for a token: one word. */
  readonly token: () => string;
  readonly start: (stock: Stock) => Promise<Backend>;
  /** Opens the provider; each of its answers and refusals is remembered and searched at the end. */
  readonly open: (backend: Backend) => Promise<Provider>;
  /** Remembers something else to be searched. */
  readonly seen: (what: string, thing: unknown) => void;
  /** What it comes to, letting time pass whenever nothing else happens. */
  readonly settle: <T>(promise: Promise<T>, backend: Backend) => Promise<T | VaultError>;
  /** The same while a backend keeps silent. */
  readonly outlast: <T>(promise: Promise<T>) => Promise<T | VaultError>;
}

/** Plays something and then searches everything that was said for the values and the token. */
export async function onStage(world: ProviderWorld, play: (stage: Stage) => Promise<void>): Promise<void> {
  const canaries: Canary[] = [];
  const seen: [string, unknown][] = [];
  const backends: Backend[] = [];
  const providers: Provider[] = [];
  const clock = watchedClock();
  const scopes = new Map<string, ReturnType<ProviderContext["notes"]>>();
  const notesOf = fakeNotes();
  const context = providerContext({
    clock,
    warn: (text) => void seen.push(["a warning", text]),
    notes: (scope) => {
      const notes = notesOf(scope);
      scopes.set(scope, notes);
      return notes;
    },
  });
  const stage: Stage = {
    world,
    clock,
    signal: new AbortController().signal,
    secret: (kind) => {
      const canary = newCanary(kind);
      canaries.push(canary);
      return canary.value;
    },
    token: () => {
      const canary = newCanary("token");
      canaries.push(canary);
      return `tok-${canary.core}`;
    },
    start: async (stock) => {
      const backend = await world.start(stock);
      backends.push(backend);
      return backend;
    },
    open: async (backend) => {
      const { definition } = world;
      const opened = backend.open
        ? backend.open(context)
        : definition.open(definition.options.parse(backend.options), context);
      const provider = await opened;
      seen.push(["the provider", provider]);
      providers.push(provider);
      return watched(provider, (what, thing) => void seen.push([what, thing]));
    },
    seen: (what, thing) => void seen.push([what, thing]),
    settle: (promise, backend) =>
      passing(promise, { clock, mostMs: PAUSE_MS, mayMove: () => (backend.busy?.() ?? 0) === 0 }),
    outlast: (promise) => passing(promise, { clock, mostMs: Infinity, mayMove: () => true }),
  };

  const heard = listen();
  try {
    await play(stage);
  } finally {
    try {
      await Promise.all(providers.map(async (provider) => provider.close?.()));
    } finally {
      heard.stop();
      await Promise.all(backends.map(async (backend) => backend.close()));
    }
  }
  seen.push(["the context", context], ["the definition", inspect(world.definition)], ["the console", heard.text()]);
  for (const [scope, notes] of scopes) seen.push(["the notes", [scope, [...notes.all()]]]);
  const tokens = backends.flatMap(({ tokens }) => tokens).map((core) => ({ kind: "the token", core, value: core }));
  verify(heard.onStdout(), "what was printed where the protocol has to be alone").toBe("");
  verifyNoTrace([...canaries, ...tokens], seen);
}

/** So many milliseconds without a call in hand, and nothing is about to happen before the clock moves. */
const QUIET_MS = 15;
/** Longer waits are not pauses between tries; they are for a vault that does not answer. */
const PAUSE_MS = 10_000;
/** After so many moves nothing else will happen. */
const MOST_MOVES = 60;

interface Passing {
  readonly clock: WatchedClock;
  readonly mostMs: number;
  readonly mayMove: () => boolean;
}

async function passing<T>(promise: Promise<T>, { clock, mostMs, mayMove }: Passing): Promise<T | VaultError> {
  const state = { settled: false };
  const outcome = promise.catch((error: unknown) => {
    if (error instanceof VaultError) return error;
    throw error;
  });
  void outcome.catch(() => {}).finally(() => (state.settled = true));
  for (let [quiet, moves] = [0, 0]; !state.settled; await sleep(1)) {
    quiet = mayMove() ? quiet + 1 : 0;
    if (quiet === 0 || quiet % QUIET_MS !== 0) continue;
    if (++moves > MOST_MOVES) throw new Error("this would wait for ever");
    clock.skip(mostMs);
  }
  return outcome;
}

/** The same provider; whatever it answers or is refused with is told. Values stay in their `Secret`s. */
function watched(provider: Provider, tell: (what: string, thing: unknown) => void): Provider {
  const members = Object.entries(provider).map(([name, member]: [string, unknown]) => {
    if (typeof member !== "function") return [name, member] as const;
    const spoken = (...args: unknown[]): unknown => {
      const told = (what: string) => (thing: unknown) => tell(`what ${name} ${what}`, thing);
      const answer: unknown = Reflect.apply(member, provider, args);
      if (answer instanceof Promise) answer.then(told("answered"), told("was refused with"));
      else told("answered")(answer);
      return answer;
    };
    return [name, spoken] as const;
  });
  return Object.fromEntries(members) as unknown as Provider;
}
