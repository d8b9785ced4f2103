import type { Config, LoadResult } from "./config/config.ts";
import { leftOutHint, leftOutText } from "./config/left-out.ts";
import { openApprovers } from "./approvers/store.ts";
import { watchApprovers } from "./approvers-watch.ts";
import { Broker } from "./core/broker.ts";
import type { OwnFront } from "./core/card.ts";
import type { Clock } from "./core/clock.ts";
import { Desk } from "./core/desk.ts";
import { VaultError } from "./core/errors.ts";
import { frontOf } from "./core/front.ts";
import { Grants } from "./core/grants.ts";
import { type AgentUser, type IsolationFacts, levelOf } from "./core/isolation.ts";
import { lapseRecorder } from "./core/lapses.ts";
import type { Channel, Notice, Provider, Vault } from "./core/ports.ts";
import { Tally } from "./core/tally.ts";
import { visible } from "./core/text.ts";
import type { ProviderContext } from "./providers/define.ts";
import { systemClock } from "./wall-clock.ts";

/** The version of the program, put in by the build. */
declare const __VERSION__: string;

/** How long the end waits for a log that is away. */
const LAST_WORDS_MS = 1_000;
/** How many requests of one client are before a person at a time. */
const MOST_CARDS = 3;
/** Calls of one session under way at a time, besides the requests that may wait for a person. */
const MOST_CALLS = 1_000;

/** Told of what should not happen, so that it can be found without telling the agent anything. */
export type Fault = (error: unknown) => void;
/** One line for people, on stderr. */
export type Say = (line: string) => void;

/** Whose agents a process answers. */
export interface Whose {
  /**
   * The user they run as, where that is known, as things stand when it is called: groups come and go. Undefined when
   * there is no such user any more.
   */
  readonly findAgent?: () => Promise<AgentUser | undefined>;
  /** Set where they reach it over a socket; else their client has started it. */
  readonly isServed?: true;
  /** Set for a command: the agent may read all that it says, so no link is said. Told whenever somebody looks at a card. */
  readonly looked?: () => void;
}

/** Everything that answers an agent, put together. */
export interface House {
  readonly broker: Broker;
  readonly config: Config;
  readonly close: (why: string) => Promise<void>;
}

/**
 * Puts the parts together. Rejects with what is wrong with the configuration. `whose` tells of a user whose agents reach
 * this process over a socket; without one, the agent's client started it. Served to others, its standard error is a log
 * that more people read than may approve: no link goes there.
 */
export async function openHouse(
  configuration: Promise<LoadResult>,
  say: Say,
  onFault: Fault,
  whose: Whose = {},
): Promise<House> {
  const loaded = await configuration;
  if (!loaded.ok) {
    // A command says itself why it ends.
    if (!whose.isServed) say(`${loaded.error.message}; ${loaded.error.hint ?? ""}`);
    throw loaded.error;
  }
  const { config } = loaded;
  for (const { message, hint } of config.warnings) say(hint === undefined ? message : `${message}; ${hint}`);

  // Loaded here and not above: a server that is only probed never pays for them.
  const [{ openLog }, { openNotes }, { createSharedDoor }] = await Promise.all([
    import("./audit/sqlite.ts"),
    import("./state/notes.ts"),
    import("./shared-door.ts"),
    import("./isolation/core-dumps.ts").then(({ forbidCoreDumps }) => forbidCoreDumps()),
  ]);
  const clock = systemClock;
  const { approval } = config;
  const log = openLog({ file: config.database });
  const tally = new Tally(log, clock);
  let lapsed: ReturnType<typeof lapseRecorder> = () => {};
  let gone: (vault: string) => void = () => {};
  const notes = openNotes(config.surroundings.stateDir);
  const channels = channelsOf(config, clock, say);
  const approvers = openApprovers({
    notes: notes.of("approvers"),
    clock,
    ...watchApprovers({ config, notes: notes.of("approvers told"), channels, say, onFault }),
  });
  const grants = new Grants({
    clock,
    pickupMs: approval.pickupMs,
    lapsed: (...what) => lapsed(...what),
    gone: (vault) => gone(vault),
  });
  const door = createSharedDoor({
    config,
    clock,
    // A desk needs its door first; by the time somebody asks, there is one.
    get own() {
      return whose.looked ? watched(frontOf(desk), whose.looked) : frontOf(desk);
    },
    approvers,
    notes,
    log,
    tally,
    moved: () => desk.moved(),
    say,
    onFault,
  });
  const desk = new Desk({
    clock,
    journal: log,
    tally,
    grants,
    door,
    channels,
    ...(!whose.looked && { announce: (notice) => say(announcement(notice, whose)) }),
    expireMs: approval.expireMs,
    pickupMs: approval.pickupMs,
    denyCooldownMs: approval.denyCooldownMs,
    maxWaiting: approval.maxWaiting,
    maxCards: MOST_CARDS,
    approvers,
    configuration: config.digest,
  });
  lapsed = lapseRecorder({ clock, journal: log, desk });
  const context = { workFolder: config.surroundings.cwd, version: __VERSION__, clock, notes: notes.of };
  const vaults = new Map(config.vaults.map((vault) => [vault.name, vaultOf(vault, context, say)]));
  gone = (name) => {
    try {
      vaults
        .get(name)
        ?.opened()
        ?.ended?.((ref) => grants.permits(name, ref));
    } catch (error) {
      // Whatever a provider makes of it, the rest of what is being revoked ends too.
      onFault(error);
    }
  };
  const broker = new Broker({
    clock,
    journal: log,
    tally,
    desk,
    grants,
    vaults,
    approvers,
    // Looked at anew each time: what holds when a secret is asked for is what counts.
    isolation: async () => levelOf(await isolationFacts(config, whose)).isolation,
    upstreamHoldMs: approval.expireMs,
    upstreamMost: approval.maxWaiting,
    upstreamCooldownMs: approval.denyCooldownMs,
    mostCalls: MOST_CALLS + approval.maxWaiting,
  });
  log.note({ kind: "started", at: clock.now(), detail: `agent-vault ${__VERSION__}` });
  return {
    broker,
    config,
    close: async (why) => {
      desk.close(why);
      broker.close();
      grants.clear();
      tally.flush();
      // What ended is written even if the log needs a moment: law 9 leaves one.
      const written = log.record([{ kind: "stopped", at: clock.now(), detail: why }]).catch(() => {});
      const patience = new Promise<void>((enough) => void clock.after(LAST_WORDS_MS, enough));
      // One vault that cannot give back what it took keeps no other from it.
      const givenBack = Promise.allSettled([...vaults.values()].map(async (vault) => vault.opened()?.close?.()));
      await Promise.all([door.close(), Promise.race([written, patience]), Promise.race([givenBack, patience])]);
      try {
        notes.close();
      } finally {
        log.close();
      }
    },
  };
}

/**
 * Looks at how far the agent is kept from a process like this one: started by its client, or served over a socket to the
 * agents of one user. Nothing is written, and nobody is asked for anything.
 */
export async function isolationFacts(
  { source, database, secretFiles, tokenVariables, surroundings }: Config,
  { findAgent, isServed, trySudo }: Whose & { readonly trySudo?: true } = {},
): Promise<IsolationFacts> {
  const [{ observe }, agent] = await Promise.all([import("./isolation/observe.ts"), findAgent?.()]);
  return observe({
    ...(agent && { agent }),
    startedByClient: isServed !== true,
    ...(trySudo && { trySudo }),
    ...(source.is === "file" && { configuration: source.path }),
    program: process.argv[1] ?? "",
    workFolder: surroundings.cwd,
    stateFolder: surroundings.stateDir,
    database,
    secretFiles,
    tokens: tokenVariables,
  });
}

function watched(front: OwnFront, looked: () => void): OwnFront {
  return {
    ...front,
    card: (token) => {
      looked();
      return front.card(token);
    },
  };
}

type OpeningContext = Omit<ProviderContext, "folder" | "warn">;

/** A vault, and its provider as far as it is open. */
type OwnVault = Vault & { readonly opened: () => Provider | undefined };

function vaultOf(
  { name, type, rules, can, use }: Config["vaults"][number],
  context: OpeningContext,
  say: Say,
): OwnVault {
  let opening: Promise<Provider> | undefined;
  let opened: Provider | undefined;
  const warned = new Set<string>();
  const warn = (line: string): void => {
    // A provider that is opened once more begins anew, and would say it all again.
    if (warned.has(line)) return;
    warned.add(line);
    say(`vault ${name}: ${line}`);
  };
  const open = (): Promise<Provider> => {
    if (!use.ready) {
      const hint = "coming" in use ? leftOutHint(use) : `tell the user to ${leftOutHint(use)}, then restart the client`;
      return Promise.reject(
        new VaultError("config_invalid", `vault "${name}" cannot be used: ${leftOutText(use)}`, { hint }),
      );
    }
    opening ??= Promise.resolve()
      .then(() => use.open({ ...context, warn }))
      .then(
        (provider) => (opened = provider),
        (error: unknown) => {
          // A vault that could not be opened is tried again at the next call.
          opening = undefined;
          throw error;
        },
      );
    return opening;
  };
  return { name, provider: type, rules, canWrite: can.includes("write"), open, opened: () => opened };
}

function channelsOf({ channels }: Config, clock: Clock, say: Say): Channel[] {
  return channels.flatMap(({ type, use }) => {
    if (use.ready) return [use.open({ clock })];
    say(`channel ${type} is off: ${use.unset.join(", ")} is not set`);
    return [];
  });
}

/** The link for whoever reads the terminal; most clients hide it, so nothing depends on it. */
function announcement({ vault, action, count, link }: Notice, { isServed }: { readonly isServed?: true }): string {
  const what = `${action} ${count} ${count === 1 ? "secret" : "secrets"} of ${visible(vault)}`;
  if (isServed) return `waits for approval: ${what}`;
  return `approve or deny: ${what}: ${link.public === undefined ? link.local : `${link.public} or ${link.local}`}`;
}
