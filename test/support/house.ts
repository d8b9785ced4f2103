import type { ReadAsk, Reply, WriteAsk } from "../../src/core/asks.ts";
import { Broker } from "../../src/core/broker.ts";
import type { Card } from "../../src/core/card.ts";
import { Desk, type DeskOptions } from "../../src/core/desk.ts";
import { VaultError } from "../../src/core/errors.ts";
import type { Event } from "../../src/core/event.ts";
import { Grants } from "../../src/core/grants.ts";
import type { Rules } from "../../src/core/policy.ts";
import type { Channel, Door, Journal, Notice, Saved, Vault, Wait, Waiter } from "../../src/core/ports.ts";
import type { Requester } from "../../src/core/request.ts";
import { lapseRecorder } from "../../src/core/lapses.ts";
import type { Isolation } from "../../src/core/assurance.ts";
import type { Approvers } from "../../src/core/proof.ts";
import { notProven } from "../../src/core/vouch.ts";
import { Secret } from "../../src/core/secret.ts";
import { Tally } from "../../src/core/tally.ts";
import { FakeClock } from "./fake-clock.ts";
import { FakeVault } from "./fake-vault.ts";

/** A log in memory that can be told to be away. */
export class FakeJournal implements Journal {
  readonly events: Event[] = [];
  away = false;
  /** Called before each durable write; a test can interleave here. */
  before: () => Promise<void> = () => Promise.resolve();

  readonly record = async (events: readonly Event[]): Promise<void> => {
    await this.before();
    if (this.away) throw new VaultError("audit_unavailable", "the log cannot be written");
    this.events.push(...events);
  };

  readonly note = (event: Event): void => {
    this.events.push(event);
  };

  kinds(request?: string): string[] {
    return this.events.filter((event) => request === undefined || event.request === request).map(({ kind }) => kind);
  }
}

export interface House {
  readonly clock: FakeClock;
  readonly journal: FakeJournal;
  readonly vault: FakeVault;
  readonly desk: Desk;
  readonly grants: Grants;
  readonly broker: Broker;
  /** Awaited whenever a vault is opened. */
  opening: Promise<void>;
  readonly rings: Notice[];
  /** Tokens of the requests that reached a person, oldest first. */
  readonly tokens: string[];
  /** One get_secret(s) call as the tool makes it. */
  readonly get: (names: string | readonly string[], call?: CallOptions) => Call<Secret>;
  readonly set: (values: Record<string, string>, call?: CallOptions) => Call<Saved>;
  readonly card: (at?: number) => Card;
  readonly approve: (choice?: "window" | "once", at?: number) => Promise<boolean>;
  readonly deny: (at?: number) => Promise<boolean>;
  /** One secret asked for, approved and handed over, with whatever window was offered. */
  readonly served: (name: string, call?: CallOptions) => Promise<void>;
}

export interface CallOptions {
  readonly vault?: string;
  readonly session?: string;
  readonly reason?: string;
  readonly holdMs?: number;
  readonly fields?: readonly string[];
}

export interface Call<T> {
  readonly reply: Promise<Reply<T>>;
  readonly cancel: (reason?: string) => void;
  readonly waits: Wait[];
}

export const WHO: Requester = {
  claims: { client: "test-client 1.0" },
  facts: { user: "maria", host: "devbox", folder: "/home/maria/shop", process: "claude" },
};

/** Nobody is enrolled. */
export const NOBODY: Approvers = {
  all: () => [],
  accept: () => Promise.reject(notProven("nobody is enrolled")),
  recheck: () => Promise.reject(notProven("nobody is enrolled")),
};

/** The core with a vault, a log, a door and a channel in memory, and a clock that moves when told. */
export function startHouse(
  options: {
    secrets?: Record<string, string>;
    rules?: Partial<Rules>;
    desk?: Partial<DeskOptions>;
    vaults?: Record<string, Partial<Rules>>;
    /** False for a kind of vault that cannot be written to. */
    canWrite?: boolean;
    /** Told when a permission over a vault is gone. */
    gone?: (vault: string) => void;
    /** Who may sign; nobody where it is absent. */
    approvers?: Approvers;
    isolation?: Isolation;
    /** Where others have to see the same time. */
    clock?: FakeClock;
    upstream?: { holdMs?: number; cooldownMs?: number; most?: number };
    mostCalls?: number;
  } = {},
): House {
  const clock = options.clock ?? new FakeClock();
  const journal = new FakeJournal();
  const tally = new Tally(journal, clock);
  const approvers = options.approvers ?? NOBODY;
  const vault = new FakeVault(
    options.secrets ?? { DATABASE_URL: "postgres://hunter2-4711", STRIPE_KEY: "sk_live_canary_0815" },
  );
  const rings: Notice[] = [];
  const tokens: string[] = [];
  const channel: Channel = {
    name: "bell",
    ring: (notice) => {
      rings.push(notice);
      return Promise.resolve();
    },
  };
  const door: Door = {
    open: () => Promise.resolve(),
    settled: () => Promise.resolve(),
    link: (token) => {
      if (!tokens.includes(token)) tokens.push(token);
      return { local: `http://localhost:9999/approve/${token}` };
    },
  };
  let lapsed: ReturnType<typeof lapseRecorder> = () => {};
  const grants = new Grants({
    clock,
    pickupMs: options.desk?.pickupMs ?? 300_000,
    lapsed: (...what) => lapsed(...what),
    ...(options.gone && { gone: options.gone }),
  });
  const desk = new Desk({
    clock,
    journal,
    tally,
    grants,
    door,
    channels: [channel],
    expireMs: 900_000,
    pickupMs: 300_000,
    denyCooldownMs: 300_000,
    maxWaiting: 20,
    maxCards: 1_000,
    approvers,
    configuration: "test-configuration",
    ...options.desk,
  });
  lapsed = lapseRecorder({ clock, journal, desk });
  const rules: Rules = { ttlMs: 0, ttlScope: "secret", writable: true, ...options.rules };
  const vaults = new Map<string, Vault>();
  const open = async (): Promise<FakeVault> => {
    await house.opening;
    return vault;
  };
  for (const [name, own] of Object.entries(options.vaults ?? { dev: {} })) {
    const canWrite = options.canWrite ?? true;
    vaults.set(name, { name, provider: "fake", rules: { ...rules, ...own }, canWrite, open });
  }
  const broker = new Broker({
    clock,
    journal,
    tally,
    desk,
    grants,
    vaults,
    approvers,
    isolation: () => Promise.resolve(options.isolation ?? "same-user"),
    upstreamHoldMs: options.upstream?.holdMs ?? 900_000,
    upstreamMost: options.upstream?.most ?? 20,
    upstreamCooldownMs: options.upstream?.cooldownMs ?? 300_000,
    mostCalls: options.mostCalls ?? 10_000,
  });

  const call = <T>(options: CallOptions, run: (waiter: Waiter) => Promise<Reply<T>>): Call<T> => {
    const controller = new AbortController();
    const { holdMs } = options;
    const began = clock.mono();
    const waits: Wait[] = [];
    const waiter: Waiter = {
      signal: controller.signal,
      get holdMs() {
        return holdMs === undefined ? undefined : Math.max(0, holdMs - (clock.mono() - began));
      },
      isStop: (reason) => reason === "user-cancel",
      waiting: (wait) => waits.push(wait),
      answered: () => {},
    };
    const reply = run(waiter);
    reply.catch(() => {});
    return { reply, waits, cancel: (reason = "timed out") => controller.abort(reason) };
  };
  const about = (options: CallOptions): Pick<ReadAsk, "session" | "requester" | "vault" | "reason"> => ({
    session: options.session ?? "session-1",
    requester: WHO,
    vault: options.vault ?? "dev",
    reason: options.reason ?? "run migration 0042",
  });
  const tokenAt = (at: number): string => tokens.at(at) ?? "no such request";
  const house: House = {
    clock,
    journal,
    vault,
    desk,
    grants,
    broker,
    opening: Promise.resolve(),
    rings,
    tokens,
    get: (names, options = {}) =>
      call(options, (waiter) => {
        const { fields } = options;
        const ask: ReadAsk = {
          ...about(options),
          names: typeof names === "string" ? [names] : names,
          ...(fields && { fields }),
        };
        return broker.read(ask, waiter);
      }),
    set: (values, options = {}) =>
      call(options, (waiter) => {
        const entries = Object.entries(values).map(([name, value]) => ({ name, value: new Secret(value) }));
        const ask: WriteAsk = { ...about(options), entries };
        return broker.write(ask, waiter);
      }),
    card: (at = -1) => {
      const card = desk.card(tokenAt(at));
      if (!card) throw new Error("no card");
      return card;
    },
    approve: (choice = "window", at = -1) =>
      desk.answer(
        tokenAt(at),
        { verdict: "approve", choice, revision: desk.card(tokenAt(at))?.revision ?? 0 },
        { proof: "link" },
      ),
    deny: (at = -1) => desk.answer(tokenAt(at), { verdict: "deny" }, { proof: "link" }),
    served: async (name, options) => {
      const asked = house.get(name, options);
      await settle();
      await house.approve();
      await asked.reply;
    },
  };
  return house;
}

/** Something to wait at until a test opens it. */
export function newGate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open!: () => void;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

/** Lets everything that can happen without time passing happen. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** The values of a finished read by name; the code where one failed. */
export async function valuesOf(call: Call<Secret>): Promise<Record<string, string>> {
  const reply = await call.reply;
  if (reply.is !== "done") return { "(reply)": reply.is };
  return Object.fromEntries(
    reply.results.map(({ name, result }) => [name, result instanceof VaultError ? result.code : result.reveal()]),
  );
}

/** The code a call failed with; "done" or "pending" when it did not fail. */
export async function codeOf(call: Call<unknown>): Promise<string> {
  return call.reply.then(
    (reply) => reply.is,
    (error: unknown) => (error instanceof VaultError ? error.code : String(error)),
  );
}
