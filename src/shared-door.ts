import type { Config } from "./config/config.ts";
import type { OwnFront } from "./core/card.ts";
import type { Clock } from "./core/clock.ts";
import { VaultError } from "./core/errors.ts";
import type { Journal } from "./core/ports.ts";
import type { Approvers } from "./core/proof.ts";
import type { Tally } from "./core/tally.ts";
import { createHub, type Hub } from "./hub/hub.ts";
import type { Notebook } from "./state/notes.ts";
import { createDoor } from "./web/door.ts";

export interface SharedDoorOptions {
  readonly config: Config;
  readonly clock: Clock;
  /** The desk of this process alone. */
  readonly own: OwnFront;
  readonly approvers: Approvers;
  readonly notes: Notebook;
  readonly log: Pick<Journal, "note">;
  /** Takes what strangers can repeat without end. */
  readonly tally: Pick<Tally, "note">;
  /** Whether this process wants the page although its desk has nothing that waits. */
  readonly isWanted?: () => boolean;
  /** Set for a command that ends soon: a page that it hosts itself goes with it. */
  readonly isPassing?: boolean;
  /** Called when the links that were given out lead nowhere any more, and there are others. */
  readonly moved?: () => void;
  /** One line for people, on stderr. */
  readonly say: (line: string) => void;
  /** Told of what should not happen. */
  readonly onFault: (error: unknown) => void;
}

/** How many lines of the log the inbox looks through: not each of them says something to a person. */
const RECENT_EVENTS = 60;

/** The page and the tunnel as configured, shared by all processes of this user. Opens nothing before it is needed. */
export function createSharedDoor(options: SharedDoorOptions): Hub {
  const { config, clock, approvers, notes, log, tally, isWanted = () => false, say, onFault } = options;
  return createHub({
    folder: config.surroundings.stateDir,
    clock,
    get own() {
      return options.own;
    },
    isWanted,
    moved: () => options.moved?.(),
    hasTunnel: config.tunnel.type !== "none",
    startDoor: (front, { port, formKey, isNeeded, moved }) =>
      createDoor({
        clock,
        startWeb: async () => {
          const [{ createWeb }, { untilFree }, { readEvents }] = await Promise.all([
            import("./web/server.ts"),
            import("./web/listen.ts"),
            import("./audit/read.ts"),
          ]);
          if (port !== undefined) await untilFree(port, clock);
          const recent = () => readEvents({ file: config.database, filters: { limit: RECENT_EVENTS } });
          const inbox = { notes: notes.of("inbox"), recent, isPassing: options.isPassing === true };
          const onRefused = (detail: string) =>
            tally.note({ kind: "refused", at: clock.now(), code: "not_proven", detail });
          return createWeb({ front, approvers, clock, port: port ?? config.port, formKey, inbox, onRefused, onFault });
        },
        ...tunnelOf(config, clock),
        isHeir: port !== undefined,
        isNeeded: () => isWanted() || isNeeded(),
        moved,
        onTunnelFailed: (error) => {
          say(error.hint === undefined ? error.message : `${error.message}; ${error.hint}`);
          log.note({ kind: "tunnel_failed", at: clock.now(), code: error.code, detail: error.message });
        },
      }),
    onFault,
    say,
  });
}

function tunnelOf({ tunnel }: Config, clock: Clock): { tunnel?: NonNullable<ReturnType<typeof openTunnel>> } {
  const open = openTunnel(tunnel, clock);
  return open ? { tunnel: open } : {};
}

function openTunnel({ use, type }: Config["tunnel"], clock: Clock) {
  if (use.ready) return use.open({ clock });
  const unset = use.unset.join(", ");
  const error = new VaultError("tunnel_unavailable", `the ${type} tunnel is off: ${unset} is not set`, {
    hint: "the local link keeps working",
  });
  return { name: type, open: () => Promise.reject(error) };
}
