import { readdir, realpath } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { AgentUser, Exposed, IsolationFacts } from "../core/isolation.ts";
import { canOpen, changeableBy, type Seen } from "./paths.ts";
import { ancestorsOf, coreFacts, inspectorState, numberIn, sudoFor } from "./system.ts";
import { ownUser } from "./users.ts";

/** Where to look. Paths are absolute. */
export interface Surrounding {
  /** The user the agent runs as; absent where a client started this process: that of this process. */
  readonly agent?: AgentUser;
  /** Whether the agent's client started it, or would: then it chose all of the rest. */
  readonly startedByClient: boolean;
  /** The file this process was started with. */
  readonly program: string;
  readonly workFolder: string;
  readonly stateFolder: string;
  readonly database: string;
  /** The file of the configuration; absent where variables are all there is. */
  readonly configuration?: string;
  /** Files with tokens or secrets in them. */
  readonly secretFiles: readonly string[];
  /** Names of the variables that held tokens at the start. */
  readonly tokens: readonly string[];
  /** Tries `sudo` as well: only where somebody asked how things stand, because it may leave a line in a log. */
  readonly trySudo?: true;
}

/**
 * Looks at how far the agent is kept from this process. Reads the state of the system and opens nothing for writing;
 * what cannot be seen is said to be so. Never rejects.
 */
export async function observe(around: Surrounding): Promise<IsolationFacts> {
  const own = await ownUser();
  const agent = around.agent ?? (around.startedByClient ? own : undefined);
  const seen: Seen = new Map();
  const isOwn = agent !== undefined && agent.uid === own?.uid;
  const [ancestors, core, ptraceScope, tiocsti, sudo] = await Promise.all([
    ancestorsOf(process.pid),
    coreFacts(),
    numberIn("/proc/sys/kernel/yama/ptrace_scope"),
    numberIn("/proc/sys/dev/tty/legacy_tiocsti"),
    around.trySudo === true && isOwn ? sudoFor() : undefined,
  ]);
  return {
    platform: process.platform,
    uid: own?.uid,
    agent,
    startedByClient: around.startedByClient,
    ancestors,
    changeable: await changeable(around, agent, seen),
    readable: await readable(around, agent, seen),
    rootSockets: await rootSockets(agent, seen),
    sudo,
    ptraceScope,
    legacyTiocsti: tiocsti === undefined ? undefined : tiocsti !== 0,
    inspector: await inspectorState(),
    ...core,
    tokens: around.tokens,
  };
}

async function changeable(around: Surrounding, agent: AgentUser | undefined, seen: Seen): Promise<Exposed[]> {
  if (agent === undefined || process.platform === "win32") return [];
  const { stateFolder, database, configuration, workFolder, secretFiles } = around;
  const places: readonly (readonly [string, string])[] = [
    ["the state folder", stateFolder],
    ["the audit log", database],
    // Whichever it is, one that is found in the working folder comes first at the next start.
    ["the configuration", configuration ?? join(workFolder, "agent-vault.config.json")],
    ["the working folder, where a configuration is looked for", workFolder],
    ...secretFiles.map((file) => ["a file of secrets", file] as const),
    ...(await programFiles(around.program)).map((file) => ["the program", file] as const),
    ["Node", process.execPath],
  ];
  const found = await Promise.all(
    places.map(async ([what, place]) => ({ what, path: await changeableBy(agent, place, seen) })),
  );
  return unique(found.flatMap(({ what, path }) => (path === undefined ? [] : [{ what, path }])));
}

async function readable({ secretFiles }: Surrounding, agent: AgentUser | undefined, seen: Seen): Promise<Exposed[]> {
  if (agent === undefined || process.platform === "win32") return [];
  const open = await Promise.all(secretFiles.map((path) => canOpen(agent, path, "read", seen)));
  return secretFiles.filter((_, i) => open[i]).map((path) => ({ what: "a file of secrets", path }));
}

const ROOT_SOCKETS = [
  "/run/docker.sock",
  "/var/run/docker.sock",
  "/run/podman/podman.sock",
  "/run/containerd/containerd.sock",
  "/run/crio/crio.sock",
  "/run/libvirt/libvirt-sock",
  "/var/lib/lxd/unix.socket",
  "/var/snap/lxd/common/lxd/unix.socket",
  "/var/lib/incus/unix.socket",
];

async function rootSockets(agent: AgentUser | undefined, seen: Seen): Promise<string[]> {
  if (agent === undefined || process.platform === "win32") return [];
  const open = await Promise.all(ROOT_SOCKETS.map((path) => canOpen(agent, path, "write", seen)));
  const found = ROOT_SOCKETS.filter((_, i) => open[i]);
  // On most systems the second is another way to the first.
  return found.filter((path) => !(path.startsWith("/var/run/") && found.includes(path.slice("/var".length))));
}

/** The files this program consists of, and the packages it loads. */
async function programFiles(program: string): Promise<string[]> {
  // What npm puts on the PATH is a link.
  const real = await realpath(program).catch(() => undefined);
  if (real === undefined) return [program];
  const folder = dirname(real);
  const inside = await readdir(folder, { recursive: true }).catch(() => []);
  const load = createRequire(real);
  const packages = ["better-sqlite3", "@ngrok/ngrok", "@1password/sdk"].flatMap((name) => {
    try {
      return [dirname(load.resolve(`${name}/package.json`))];
    } catch {
      return []; // Not installed, or not to be looked at: then it is not loaded either.
    }
  });
  const code = inside.filter((name) => name.endsWith(".js") || !name.includes("."));
  return [program, ...code.map((name) => join(folder, name)), ...packages];
}

/** One line for one thing: that a folder lies open says all about what is in it. */
function unique(found: readonly Exposed[]): Exposed[] {
  return [...new Map(found.map((one) => [`${one.what}\0${one.path}`, one])).values()];
}
