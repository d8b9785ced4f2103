import type { Isolation } from "./assurance.ts";

/** The user whose programs the agent can run. */
export interface AgentUser {
  readonly name: string;
  readonly uid: number;
  /** All groups, the first one included. A group without a known name is called by its number. */
  readonly groups: readonly { readonly gid: number; readonly name: string }[];
}

/** Something this program works by that the agent's user can change, or a secret that user can read. */
export interface Exposed {
  /** "the state folder", "the configuration" */
  readonly what: string;
  /** What exactly lies open: the path itself, or a folder or link on the way to it. */
  readonly path: string;
}

/** What was seen of how far the agent is kept from this process. Undefined stands for what could not be seen. */
export interface IsolationFacts {
  readonly platform: string;
  /** The user this process runs as; undefined where the system has no numbers for users. */
  readonly uid: number | undefined;
  readonly agent: AgentUser | undefined;
  /** Whether the agent's client started this process, and with it chose the program, its environment and its files. */
  readonly startedByClient: boolean;
  /** Users of the processes that started this one, the nearest first. */
  readonly ancestors: readonly number[] | undefined;
  readonly changeable: readonly Exposed[];
  readonly readable: readonly Exposed[];
  /** Sockets that give whoever may use them the powers of the administrator. */
  readonly rootSockets: readonly string[];
  /** What `sudo` says to the agent's user; undefined where nobody asked. */
  readonly sudo: "free" | "refused" | "absent" | undefined;
  /** Yama's setting, 0 to 3; undefined where there is no Yama: processes of one user may read each other. */
  readonly ptraceScope: number | undefined;
  /** Whether one process may type into the terminal of another; undefined: the kernel has no switch for it. */
  readonly legacyTiocsti: boolean | undefined;
  readonly inspector: "open" | "by signal" | "closed";
  /** Bytes a core dump may have; undefined where that cannot be seen. */
  readonly coreLimit: number | undefined;
  /** Whether core dumps are handed to a program, which may keep them whatever the limit says. */
  readonly corePiped: boolean | undefined;
  /** Names of the variables that held tokens when the process was started: they stay readable in /proc/PID/environ. */
  readonly tokens: readonly string[];
}

/** Why it is not better, and what to do about it. */
export interface Doubt {
  readonly text: string;
  readonly hint: string;
}

/** How far the agent is kept from this process, and each reason why that is not further. */
export interface Level {
  readonly isolation: Isolation;
  readonly doubts: readonly Doubt[];
}

/** Who is in one of these can become the administrator, or read what only the administrator should. */
const ROOT_GROUPS: readonly string[] =
  "root sudo wheel admin docker podman lxd incus incus-admin libvirt disk shadow kmem".split(" ");
/** Said by number as well: a name can be given to any group. */
const ROOT_GID = 0;

/** Those groups of a user that are as good as being the administrator. */
export function rootGroups({ groups }: AgentUser): string[] {
  return groups.filter(({ gid, name }) => gid === ROOT_GID || ROOT_GROUPS.includes(name)).map(({ name }) => name);
}

/** The level that the facts prove. Pure; any doubt counts for the weaker, and "other-host" is never proven from here. */
export function levelOf(facts: IsolationFacts): Level {
  const doubts = doubtsOf(facts);
  return { isolation: doubts.length === 0 ? "other-user" : "same-user", doubts };
}

const SERVE = "run it as another user: agent-vault serve, see docs/other-user.md";

function doubtsOf(facts: IsolationFacts): Doubt[] {
  const { platform, uid, agent, startedByClient } = facts;
  if (startedByClient) {
    const text = "the agent's client starts agent-vault, and so chooses its program, environment and configuration";
    return [{ text, hint: SERVE }];
  }
  if (platform !== "linux")
    return [{ text: "how far users are apart is only known of Linux", hint: "run it on Linux" }];
  if (agent === undefined || uid === undefined) {
    return [{ text: "which user the agent runs as is not known", hint: "name it: --for USER" }];
  }
  const { name } = agent;
  if (agent.uid === uid) return [{ text: `agent-vault runs as ${name}, like the agent`, hint: SERVE }];
  if (agent.uid === 0)
    return [{ text: "the agent runs as the administrator", hint: "run it as a user with fewer rights" }];
  return [...powers(facts, agent), ...beginnings(facts, agent), ...exposures(facts, agent)];
}

/** What would make the agent's user more than a user. */
function powers({ rootSockets, sudo }: IsolationFacts, agent: AgentUser): Doubt[] {
  const { name } = agent;
  return [
    ...rootGroups(agent).map((group) => ({
      text: `${name} is in the group ${group}, which is as good as being the administrator`,
      hint: `take ${name} out of it, or run the agent as a user who is not in it`,
    })),
    ...rootSockets.map((path) => ({
      text: `${name} may use ${path}, which is as good as being the administrator`,
      hint: `keep ${name} from it, or run the agent as a user who may not use it`,
    })),
    ...(sudo === "free" ? [{ text: `${name} may use sudo without a password`, hint: "change that in sudoers" }] : []),
  ];
}

/** Who could have had a hand in how this process was started. */
function beginnings({ ancestors, inspector }: IsolationFacts, { uid, name }: AgentUser): Doubt[] {
  const started =
    ancestors === undefined
      ? ["who started this process cannot be seen"]
      : ancestors.includes(uid)
        ? [`this process was started from a session of ${name}`]
        : [];
  return [
    ...started.map((text) => ({ text, hint: "let the system start it: see docs/other-user.md" })),
    ...(inspector === "open"
      ? [{ text: "Node's inspector is open in this process", hint: "start it without --inspect" }]
      : []),
  ];
}

function exposures({ changeable, readable }: IsolationFacts, { name }: AgentUser): Doubt[] {
  return [
    ...changeable.map(({ what, path }) => ({
      text: `${name} could change ${what}, at ${path}`,
      hint: `make it belong to another user, and writable by that user alone`,
    })),
    ...readable.map(({ what, path }) => ({
      text: `${name} can read ${what}, at ${path}`,
      hint: `chmod 600 ${path}`,
    })),
  ];
}
