import type { Services } from "./cli/command.ts";
import type { LoadResult } from "./config/config.ts";
import { workingFolder } from "./config/places.ts";
import { type Fault, type House, openHouse, type Say, systemClock } from "./house.ts";
import { type Running, serveMcp } from "./mcp/server.ts";
import type { Capability } from "./providers/define.ts";

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
  let loading: Promise<LoadResult> | undefined;
  const loaded = (): Promise<LoadResult> => (loading ??= readConfig());
  let house: Promise<House> | undefined;
  const running = async (): Promise<Running> => {
    house ??= openHouse(loaded(), say, onFault);
    const { broker, config } = await house;
    return { broker, waitMs: config.approval.waitMs, linkInResults: config.approval.linkInResults };
  };
  const { closed } = await serveMcp({
    version: __VERSION__,
    clock: systemClock,
    folder: workingFolder() ?? "a folder that is gone",
    running,
    offers: async (capability) => offers(await loaded(), capability),
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

/** Whether some configured vault can do it, those that lack a variable included. Throws when there is no configuration. */
function offers(loaded: LoadResult, capability: Capability): boolean {
  if (!loaded.ok) throw loaded.error;
  return loaded.config.vaults.some(
    ({ can, rules }) => can.includes(capability) && (capability !== "write" || rules.writable),
  );
}

/** What the command line may use of the house. `program` is the file this process was started with. */
export async function services(program: string): Promise<Services> {
  const [{ AUDIT_LOG }, { inspectLog, readEvents }, { loadDriver }, { openNotes }] = await Promise.all([
    import("./audit/file.ts"),
    import("./audit/read.ts"),
    import("./state/driver.ts"),
    import("./state/notes.ts"),
  ]);
  return {
    clock: systemClock,
    readEvents,
    inspectLog,
    loadDriver: () => loadDriver(AUDIT_LOG),
    // Doctor reads what was noted and writes nothing.
    notes: (folder) => openNotes(folder),
    program,
    playAgent: async (options) => (await import("./mcp/play.ts")).playAgent(options),
  };
}
