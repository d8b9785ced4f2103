import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { type Canary, hunt } from "../test/support/canaries.ts";
import { type Account, as } from "./accounts.ts";
import type { Paths } from "./world.ts";

export interface RunOptions {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** In a network of its own, as a sandbox gives to commands. */
  readonly isOffline?: true;
  /** Ended after that, ms. */
  readonly withinMs?: number;
}

export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A program that is still running. */
export interface Started {
  readonly said: () => Omit<Ran, "code">;
  readonly write: (text: string) => void;
  /** Closes its input. */
  readonly finish: () => void;
  readonly ended: Promise<Ran>;
  readonly kill: () => void;
}

/** An answer to a request over HTTP, as a program without a browser gets it. */
export interface HttpReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string;
  readonly error?: string;
}

export interface HttpAsk {
  readonly method?: string;
  readonly path: string;
  readonly host?: string;
  readonly port?: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string;
  /** Sent as it stands, instead of all else. */
  readonly raw?: string;
  /** All at once with those that have it too. */
  readonly together?: true;
}

/** What the agent does outside its tools: programs of its own, under its own account. */
export interface Attacker {
  readonly account: Account | undefined;
  /** Starts a program and goes on. */
  readonly start: (command: readonly string[], options?: Omit<RunOptions, "input">) => Started;
  readonly run: (command: readonly string[], options?: RunOptions) => Promise<Ran>;
  /** One of the programs in redteam/tools. */
  readonly tool: (name: string, args?: readonly string[], options?: RunOptions) => Promise<Ran>;
  readonly http: (port: number, asks: readonly HttpAsk[], options?: RunOptions) => Promise<readonly HttpReply[]>;
  /** A file as the agent reads it; undefined when it cannot. */
  readonly read: (path: string) => Promise<string | undefined>;
  /** What came to the agent by another way. */
  readonly hears: (text: string) => void;
  /** Everything that came to it. */
  readonly heard: () => string;
  /** A person gave it these. */
  readonly mayHave: (canaries: readonly Canary[]) => void;
  /** Values in the agent's hands that nobody gave it. */
  readonly loot: () => readonly string[];
}

const RUN_MS = 60_000;

export function attackerOf({
  paths,
  agent,
  env,
  canaries,
}: {
  paths: Paths;
  agent: Account | undefined;
  env: Readonly<Record<string, string>>;
  canaries: readonly Canary[];
}): Attacker {
  const heard: Buffer[] = [];
  const given = new Set<Canary>();

  const start: Attacker["start"] = (command, options = {}) => {
    const { env: more = {}, cwd = paths.project, isOffline, withinMs = RUN_MS } = options;
    const [file, args] = as(agent, command);
    const [first, rest] = isOffline ? ["unshare", [...offline(), file, ...args]] : [file, args];
    const child = spawn(first, rest, {
      cwd,
      env: { ...env, HOME: paths.agentHome, ...more },
      stdio: ["pipe", "pipe", "pipe"],
      // A session of its own: nothing an attack does reaches the terminal this runs in.
      detached: true,
    });
    const [out, err]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on("data", (part: Buffer) => void (out.push(part), heard.push(part)));
    child.stderr.on("data", (part: Buffer) => void (err.push(part), heard.push(part)));
    child.stdin.on("error", () => {});
    const cut = setTimeout(() => child.kill("SIGKILL"), withinMs);
    const said = (): Omit<Ran, "code"> => ({ out: Buffer.concat(out).toString(), err: Buffer.concat(err).toString() });
    const ended = (async (): Promise<Ran> => {
      const [code] = (await once(child, "close")) as [number | null];
      clearTimeout(cut);
      return { code, ...said() };
    })();
    return {
      said,
      ended,
      write: (text) => void child.stdin.write(text),
      finish: () => void child.stdin.end(),
      kill: () => void child.kill("SIGKILL"),
    };
  };
  const run: Attacker["run"] = (command, options = {}) => {
    const started = start(command, options);
    started.write(options.input ?? "");
    started.finish();
    return started.ended;
  };
  const tool: Attacker["tool"] = (name, args = [], options) => {
    const file = join(paths.tools, name);
    return run([...(name.endsWith(".py") ? ["/usr/bin/python3"] : [process.execPath]), file, ...args], options);
  };
  return {
    account: agent,
    start,
    run,
    tool,
    http: async (port, asks, options) => {
      const { code, out, err } = await tool("http.mjs", [String(port)], { ...options, input: JSON.stringify(asks) });
      if (code !== 0) throw new Error(`http.mjs ended with ${code}: ${err}`);
      return JSON.parse(out) as HttpReply[];
    },
    read: async (path) => {
      const { code, out } = await run(["cat", "--", path]);
      return code === 0 ? out : undefined;
    },
    hears: (text) => void heard.push(Buffer.from(`${text}\n`)),
    heard: () => Buffer.concat(heard).toString(),
    mayHave: (canaries) => canaries.forEach((canary) => given.add(canary)),
    loot: () =>
      hunt(
        canaries.filter((canary) => !given.has(canary)),
        new Map([["the agent's hands", Buffer.concat(heard)]]),
      ),
  };
}

/** Root needs no user namespace for an empty network; everybody else does. */
function offline(): string[] {
  return process.getuid?.() === 0 ? ["--net", "--"] : ["--user", "--map-current-user", "--net", "--"];
}
