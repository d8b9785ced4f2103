import type { Config, LoadResult } from "../config/config.ts";
import type { Clock } from "../core/clock.ts";
import type { ExitStatus } from "../core/errors.ts";
import type { Event, EventKind } from "../core/event.ts";
import type { Overview } from "../core/overview.ts";
import type { IsolationFacts } from "../core/isolation.ts";
import type { Notes } from "../core/ports.ts";
import type { Asking } from "./asking.ts";
import type { Enrolment, Roll } from "./enrolment.ts";
import type { Terminal } from "./terminal.ts";

/** Where a command's words go: data to `out`, everything said to the person to `err`. Texts end with a line break. */
export interface Io {
  readonly out: (text: string) => void;
  /** Whether a person reads `out` on a terminal. */
  readonly isOnTerminal?: boolean;
  readonly err: (text: string) => void;
}

/** Which events of the log are wanted; all conditions hold at once. */
export interface LogFilters {
  /** Epoch ms, inclusive. */
  readonly since?: number;
  /** Epoch ms, exclusive. */
  readonly until?: number;
  readonly vault?: string;
  readonly name?: string;
  readonly kind?: EventKind;
  readonly limit: number;
}

/** An event as it is kept: with the process that wrote it. */
export type LoggedEvent = Event & { readonly instance: string };

/** What can be said of the log without writing to it. */
type LogState =
  | { readonly exists: false }
  | { readonly exists: true; readonly events: number; readonly lastAt?: number; readonly bytes: number };

/** A look at the desk that the sessions of this user share. Tokens of the overview are blank (law 4). */
export interface Visit {
  readonly overview: () => Promise<Overview>;
  /** Ends what one approval opened, in whichever session. False when there is nothing open. */
  readonly endApproval: (approval: string) => Promise<boolean>;
  readonly close: () => void;
}

/** What commands need of the rest of the house; app.ts hands it in. */
export interface Services {
  readonly clock: Clock;
  /** The newest events that match, newest first. Throws `audit_unavailable`. */
  readonly readEvents: (wanted: { file: string; filters: LogFilters }) => readonly LoggedEvent[];
  /** The file of the launcher, for starting the program once more. */
  readonly program: string;
  /** Starts the program in a folder and speaks to it as an agent would. */
  readonly playAgent: (options: {
    readonly program: string;
    readonly folder: string;
    readonly env: Readonly<Record<string, string>>;
    readonly version: string;
    readonly onLine: (line: string) => void;
  }) => Promise<{
    readonly call: (
      tool: string,
      args: Readonly<Record<string, unknown>>,
    ) => Promise<{ readonly status: string; readonly text: string }>;
    readonly close: () => Promise<void>;
  }>;
  /** Runs a broker for the clients of another user, until the process is asked to end. */
  readonly serve: (options: {
    readonly socket: string;
    readonly group?: string;
    readonly user?: string;
  }) => Promise<void>;
  /** Connects a client on standard input and output, started in a folder, with a broker; until either side ends. */
  readonly connect: (path: string, folder: string) => Promise<ExitStatus>;
  /** Throws `audit_unavailable` when there is a log that cannot be read. */
  readonly inspectLog: (log: { file: string }) => LogState;
  /** The records of a state folder that outlive the process. */
  readonly notes: (folder: string) => { readonly of: (scope: string) => Notes; readonly close: () => void };
  /** Who may approve, and what the log says of them otherwise. Rejects with `approvers_unavailable`. */
  readonly roll: (places: Pick<Config, "database" | "surroundings">) => Promise<Roll>;
  /**
   * How far an agent is kept from a server of this configuration: one that its client starts, or, with the name of a
   * user, one that serves that user's agents. Changes nothing. Rejects with `usage` when there is no such user.
   */
  readonly isolation: (config: Config, user?: string) => Promise<IsolationFacts>;
  /** A house of this process's own, to ask from. Rejects with what is wrong with the configuration. */
  readonly asking: (configuration: Promise<LoadResult>, folder: string) => Promise<Asking>;
  readonly enrolment: () => Promise<Enrolment>;
  /** The person at the keyboard; undefined where there is no terminal. */
  readonly terminal: () => Terminal | undefined;
  /** Writes to standard output what must not get lost. Resolves to whether all of it was taken. */
  readonly handOver: (text: string) => Promise<boolean>;
  /** Resolves, with the reason, when the process is asked to end. From then on it ends within two seconds, with this status. */
  readonly asked: (status: ExitStatus) => Promise<string>;
  /** The desk of a state folder; undefined when no session hosts one. Rejects with `page_unavailable`. */
  readonly visit: (folder: string) => Promise<Visit | undefined>;
  /** Loads what the log needs of this computer. Throws `audit_unavailable` with the line that mends it. */
  readonly loadDriver: () => unknown;
}

/** What a command is given. */
export interface Context extends Io {
  /** What was typed: a text for options that take one, true for switches. */
  readonly options: Readonly<Record<string, string | true>>;
  /** The words that were typed, as many as the command declares at most. */
  readonly words: readonly string[];
  readonly services: Services;
  readonly cwd: string;
  readonly version: string;
  readonly load: () => Promise<LoadResult>;
}

/** An option of a command. `value` is what the help calls the text it takes; without it the option is a switch. */
interface Option {
  readonly value?: string;
  readonly summary: string;
}

/** A word that a command takes after its name, as the help calls it. Only the last may be left out. */
interface Word {
  readonly value: string;
  readonly summary: string;
  readonly optional?: true;
}

/** One command of the command line. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  readonly words?: readonly Word[];
  readonly options: Readonly<Record<string, Option>>;
  /** Example lines and what else the help should say. */
  readonly more?: readonly string[];
  readonly run: (context: Context) => Promise<ExitStatus>;
}
