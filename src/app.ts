import type { Services } from "./cli/command.ts";
import type { Config, LoadResult } from "./config/config.ts";
import { offers } from "./config/offers.ts";
import { workingFolder } from "./config/places.ts";
import { type ExitStatus, VaultError } from "./core/errors.ts";
import { quoted } from "./core/text.ts";
import type { Fault, House, Say, Whose } from "./house.ts";
import type { Running } from "./mcp/server.ts";
import type { Ends } from "./remote/relay.ts";
import { systemClock } from "./wall-clock.ts";

/** The version of the program, put in by the build. */
declare const __VERSION__: string;

export interface RunningServer {
  /** Resolves when the connection has ended, with the reason. */
  readonly closed: Promise<string>;
  /** Ends what waits, as cancelled, and closes the page, the tunnel and the log. */
  readonly close: (why: string) => Promise<void>;
}

/**
 * Serves one MCP client on stdio. Nothing is read before it lists the tools, and nothing opened or contacted before it
 * calls one.
 */
export async function startServer({ say, onFault }: { say: Say; onFault: Fault }): Promise<RunningServer> {
  const { serveMcp } = await import("./mcp/server.ts");
  let loading: Promise<LoadResult> | undefined;
  const loaded = (): Promise<LoadResult> => (loading ??= readConfig());
  let house: Promise<House> | undefined;
  const running = async (): Promise<Running> => {
    house ??= open(loaded(), say, onFault);
    const { broker, config } = await house;
    return { broker, waitMs: config.approval.waitMs, linkInResults: config.approval.linkInResults };
  };
  const { closed } = await serveMcp({
    version: __VERSION__,
    clock: systemClock,
    folder: workingFolder() ?? "a folder that is gone",
    running,
    offers: async (capability) => offers(configOf(await loaded()), capability),
    say,
    onFault,
  });
  return {
    closed,
    close: async (why) => {
      const open = await house?.catch(() => undefined);
      await open?.close(why);
    },
  };
}

async function readConfig(): Promise<LoadResult> {
  const { loadConfig } = await import("./config/load.ts");
  return loadConfig();
}

async function open(configuration: Promise<LoadResult>, say: Say, onFault: Fault): Promise<House> {
  return (await import("./house.ts")).openHouse(configuration, say, onFault);
}

function configOf(loaded: LoadResult): Config {
  if (!loaded.ok) throw loaded.error;
  return loaded.config;
}

/** The user whose agents are meant; without a name, those of whoever starts the client. */
async function whose(user: string | undefined): Promise<Whose> {
  const [{ forbidCoreDumps }, { findUser }] = await Promise.all([
    import("./isolation/core-dumps.ts"),
    import("./isolation/users.ts"),
  ]);
  // As a server would have it.
  await forbidCoreDumps();
  if (user === undefined) return {};
  const agent = await findUser(user);
  if (agent) return { findAgent: () => Promise.resolve(agent), isServed: true };
  throw new VaultError("usage", `there is no user ${quoted(user)} here`, { hint: "name the user the agent runs as" });
}

/** What of this process the command line needs. */
export interface OwnProcess {
  /** The file it was started with. */
  readonly program: string;
  readonly say: Say;
  readonly onFault: Fault;
  /** Standard input and output, for a command that speaks a protocol. */
  readonly ends: () => Ends;
  /** Writes to standard output. Resolves to whether all of it was taken. */
  readonly handOver: (text: string) => Promise<boolean>;
  /** Resolves, with the reason, when the process is asked to end. From then on it ends within two seconds, with this status. */
  readonly asked: (status: ExitStatus) => Promise<string>;
}

/** What the command line may use of the house. */
export async function services({ program, say, onFault, ends, handOver, asked }: OwnProcess): Promise<Services> {
  const [{ AUDIT_LOG }, { inspectLog, readEvents }, { loadDriver }, { openNotes }, { openTerminal }] =
    await Promise.all([
      import("./audit/file.ts"),
      import("./audit/read.ts"),
      import("./state/driver.ts"),
      import("./state/notes.ts"),
      import("./cli/terminal.ts"),
    ]);
  return {
    clock: systemClock,
    readEvents,
    inspectLog,
    loadDriver: () => loadDriver(AUDIT_LOG),
    isolation: async (config, user) => {
      const { isolationFacts } = await import("./house.ts");
      return isolationFacts(config, { ...(await whose(user)), trySudo: true });
    },
    roll: async (places) => (await import("./enrol.ts")).rollOf(places),
    asking: async (configuration, folder) =>
      (await import("./ask.ts")).openAsking(configuration, { folder, say, onFault }),
    enrolment: async () => (await import("./enrol.ts")).createEnrolment({ say, onFault }),
    terminal: openTerminal,
    handOver,
    asked,
    visit: async (folder) => (await import("./hub/visit.ts")).visitHub({ folder }),
    // Doctor reads what was noted and writes nothing.
    notes: (folder) => openNotes(folder),
    program,
    serve: async (options) => {
      const { startBroker } = await import("./serve.ts");
      const ended = asked(0);
      const { path, worth, close } = await startBroker({ ...options, say, onFault });
      say(`serving at ${path}`);
      for (const line of await worth()) say(line);
      await close(await ended);
    },
    connect: async (path, folder) => (await import("./connect.ts")).connectTo(path, folder, { ...ends(), say }),
    playAgent: async (options) => (await import("./mcp/play.ts")).playAgent(options),
  };
}
