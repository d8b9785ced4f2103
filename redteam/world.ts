import {
  appendFileSync,
  chmodSync,
  chownSync,
  cpSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAuthenticator, type Authenticator, recordOf } from "../test/support/authenticator.ts";
import { newCanary, type Canary } from "../test/support/canaries.ts";
import { type Account, type Accounts, as, endAll } from "./accounts.ts";
import type { Level } from "./attack.ts";
import { attackerOf, type Attacker } from "./attacker.ts";
import { eventsIn, type LogEvent } from "./log.ts";
import { startMessages } from "./phone.ts";
import { personOf, type Person } from "./person.ts";
import { put, type Stored } from "./store.ts";
import { serve } from "./broker.ts";
import { openSession, type Session, type SessionOptions } from "./session.ts";

/** What an attack wants its world to be like, beyond the plain one. */
export interface WorldOptions {
  readonly vault?: object;
  readonly approval?: object;
  /** Merged over the configuration. */
  readonly config?: object;
  readonly client?: Pick<SessionOptions, "capabilities" | "clientInfo" | "reply">;
  /** The agent has not started the program yet. */
  readonly isQuiet?: true;
}

/** Where the attacks take place: the real program, a vault with canaries, a person, and somebody with an agent's powers. */
export interface World {
  readonly level: Level;
  readonly isEnrolled: boolean;
  readonly isApart: boolean;
  readonly paths: Paths;
  readonly port: number;
  readonly values: { readonly API_KEY: string; readonly OTHER_KEY: string; readonly TOKEN: string };
  readonly person: Person;
  readonly attacker: Attacker;
  /** The agent's own connection; opened when first asked for. */
  readonly session: () => Promise<Session>;
  /** One more client of the same agent. */
  readonly open: (
    options?: WorldOptions["client"] & { env?: Record<string, string>; node?: readonly string[] },
  ) => Promise<Session>;
  /** Asks for a secret and waits until a person has the link. */
  readonly ask: (name?: string, reason?: string) => Promise<Asked>;
  /** What the program says to the person who looks after it. */
  readonly said: () => string;
  /** The newest link for the person that was not handed out yet; waits for it. */
  readonly link: () => Promise<string>;
  /** The next link, or what the call was answered when nobody is asked. */
  readonly linkOr: <T>(call: Promise<T>) => Promise<T | string>;
  /** How an approver lies in the store. */
  readonly storeOf: (phone: Authenticator) => Stored;
  /** Process id of the program that holds the secrets. */
  readonly broker: () => Promise<number>;
  /** Where a broker under another account listens; undefined where there is none. */
  readonly socket: () => Promise<string | undefined>;
  readonly events: () => readonly LogEvent[];
  readonly close: () => Promise<void>;
}

/** A request that waits for a person. */
export interface Asked {
  readonly call: ReturnType<Session["get"]>;
  readonly link: string;
}

export interface Paths {
  readonly root: string;
  /** The folder the agent works in. */
  readonly project: string;
  /** Home of whoever runs the broker, and of the agent: the same one where they are the same user. */
  readonly home: string;
  readonly agentHome: string;
  readonly secrets: string;
  readonly config: string;
  readonly state: string;
  readonly log: string;
  readonly notes: string;
  /** Where the agent's client keeps what its servers say. */
  readonly clientLog: string;
  readonly program: string;
  readonly tools: string;
}

/** What is attacked, and by whom. */
export interface Ground {
  /** Folder with the built program in it, or the one file of a weakened one. */
  readonly program: { readonly folder: string } | { readonly file: string };
  /** Folder of the attackers' programs. */
  readonly tools: string;
  readonly accounts?: Accounts;
  /** Told at the end of everything that came to the attacker. */
  readonly onEnd?: (heard: string) => void;
}

const LINK = /https?:\/\/[^\s"\\]+\/approve\/[\w-]+/g;
const LINK_MS = 15_000;

/** Builds a world at this level and starts the program in it. */
export async function makeWorld(level: Level, ground: Ground, options: WorldOptions = {}): Promise<World> {
  const isEnrolled = level.startsWith("passkey/");
  const isApart = level.endsWith("/other-user");
  const { accounts } = ground;
  if (isApart && !accounts) throw new Error(`${level} needs two accounts`);
  const person = accounts?.person;
  const agent = isApart ? accounts?.stranger : accounts?.person;
  const root = mkdtempSync(join(tmpdir(), "agent-vault-redteam-"));
  const paths = layOut(root, ground, { isApart, person, agent });
  const canaries = { API_KEY: newCanary("api"), OTHER_KEY: newCanary("other"), TOKEN: newCanary("token") };
  const values = {
    API_KEY: plain(canaries.API_KEY),
    OTHER_KEY: plain(canaries.OTHER_KEY),
    TOKEN: plain(canaries.TOKEN),
  };
  const port = await freePort();
  let said = "";
  const links = lineUp();
  const toPerson = (text: string): void => {
    said += text;
    links.look(said);
  };
  // A broker under another account says no link where the agent could read it, so its person has a phone.
  const messages = isApart ? await startMessages((text) => toPerson(`${text}\n`)) : undefined;
  const channels = messages && { channels: [messages.channel] };
  furnish(paths, {
    values,
    port,
    options: { ...options, config: { ...channels, ...options.config } },
    person,
    agent,
    isApart,
  });

  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: paths.home,
    XDG_STATE_HOME: join(paths.home, "state"),
    OP_SERVICE_ACCOUNT_TOKEN: values.TOKEN,
    ...(isApart && { AGENT_VAULT_CONFIG: paths.config }),
  };
  const attacker = attackerOf({
    paths,
    agent,
    env: isApart ? { PATH: env.PATH } : env,
    canaries: Object.values(canaries),
  });
  const sessions: Session[] = [];
  const toClient = (text: string): void => {
    appendFileSync(paths.clientLog, text);
    if (isApart) attacker.hears(text);
    else toPerson(text);
  };
  const open: World["open"] = async ({ env: more = {}, node = [], ...client } = {}) => {
    const words = broker ? ["connect", (await broker).socket] : [];
    const session = await openSession({
      ...options.client,
      ...client,
      command: as(agent, [process.execPath, ...node, paths.program, ...words]),
      cwd: paths.project,
      env: broker ? { PATH: env.PATH, HOME: paths.agentHome, ...more } : { ...env, ...more },
      onStderr: toClient,
      onLine: (line) => attacker.hears(line),
    });
    sessions.push(session);
    return session;
  };
  let first: Promise<Session> | undefined;
  const session = (): Promise<Session> => (first ??= open());

  const phone = isEnrolled ? createAuthenticator({ origin: `http://localhost:${port}` }) : undefined;
  const storeOf = (of: Authenticator): Stored => {
    const { notes: file, tools, program } = paths;
    return { file, owner: person, tools, program, key: of.credentialId, record: recordOf(of, "the person's phone") };
  };
  if (phone) put(storeOf(phone));
  const broker = isApart && accounts ? serve({ paths, accounts, env, onStderr: toPerson }) : undefined;
  const world: World = {
    level,
    isEnrolled,
    isApart,
    paths,
    port,
    values,
    attacker,
    person: personOf(phone, (names) => attacker.mayHave(names.map((name) => canaries[name]))),
    session,
    open,
    ask: async (name = "API_KEY", reason) => {
      const call = (await session()).get(name, reason);
      const link = await world.linkOr(call);
      if (typeof link !== "string") throw new Error(`nobody was asked: ${link.status}: ${link.text}`);
      return { call, link };
    },
    said: () => said,
    link: () => links.next(),
    linkOr: async (call) => {
      const enough = new AbortController();
      const link = links.next(enough.signal);
      link.catch(() => {}); // Nobody waits for it once the call is answered.
      try {
        return await Promise.race([call, link]);
      } finally {
        enough.abort();
      }
    },
    storeOf,
    broker: async () => (broker ? (await broker).pid : (await session()).pid),
    socket: async () => (await broker)?.socket,
    events: () => eventsIn(paths.log),
    close: async () => {
      ground.onEnd?.(attacker.heard());
      await Promise.all(sessions.map((one) => one.close()));
      await (await broker)?.close();
      messages?.close();
      for (const account of new Set([person, agent])) if (account) endAll(account.uid);
      rmSync(root, { recursive: true, force: true, maxRetries: 3 });
    },
  };
  if (options.isQuiet === undefined) await session();
  return world;
}

type Inhabitants = {
  readonly person: Account | undefined;
  readonly agent: Account | undefined;
  readonly isApart: boolean;
};

/** Folders, each with the owner it would have. */
function layOut(root: string, { program, tools }: Ground, { person, agent, isApart }: Inhabitants): Paths {
  chmodSync(root, 0o755);
  const home = join(root, "person");
  const agentHome = isApart ? join(root, "agent") : home;
  const project = join(root, "project");
  for (const [folder, owner] of [
    [home, person],
    [agentHome, agent],
    [project, agent],
  ] as const) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (owner) chownSync(folder, owner.uid, owner.gid);
  }
  const installed = join(root, "install");
  if ("folder" in program) {
    cpSync(program.folder, installed, { recursive: true });
    if (!isApart && person) chownAll(installed, person);
  }
  cpSync(tools, join(root, "tools"), { recursive: true });
  const state = join(home, "state", "agent-vault");
  return {
    root,
    project,
    home,
    agentHome,
    secrets: join(home, "secrets.env"),
    config: isApart ? join(home, "agent-vault.config.json") : join(project, "agent-vault.config.json"),
    state,
    log: join(state, "audit.db"),
    notes: join(state, "notes.db"),
    clientLog: join(agentHome, "client.log"),
    program: "folder" in program ? join(installed, "dist", "agent-vault.js") : program.file,
    tools: join(root, "tools"),
  };
}

function furnish(
  paths: Paths,
  {
    values,
    port,
    options,
    person,
    agent,
    isApart,
  }: Inhabitants & { values: World["values"]; port: number; options: WorldOptions },
): void {
  const write = (path: string, text: string, owner: Account | undefined): void => {
    writeFileSync(path, text, { mode: 0o600 });
    if (owner) chownSync(path, owner.uid, owner.gid);
  };
  write(paths.secrets, `API_KEY=${values.API_KEY}\nOTHER_KEY=${values.OTHER_KEY}\n`, person);
  const config = {
    port,
    vaults: { dev: { type: "env", file: paths.secrets, ttl: 15, ...options.vault } },
    ...options.config,
    approval: { browser: "never", ...options.approval },
  };
  write(paths.config, JSON.stringify(config), isApart ? person : agent);
  write(paths.clientLog, "", agent);
}

/** Links in the order said. */
function lineUp(): { look: (all: string) => void; next: (signal?: AbortSignal) => Promise<string> } {
  const found: string[] = [];
  const asked: ((link: string) => void)[] = [];
  let seen = 0;
  return {
    look: (all) => {
      const whole = all.slice(seen, all.lastIndexOf("\n") + 1);
      seen += whole.length;
      for (const [link] of whole.matchAll(LINK)) {
        const next = asked.shift();
        if (next) next(link);
        else found.push(link);
      }
    },
    next: (signal) =>
      new Promise((resolve, reject) => {
        const ready = found.shift();
        if (ready !== undefined) {
          resolve(ready);
          return;
        }
        const give = (link: string): void => {
          clearTimeout(late);
          resolve(link);
        };
        const leave = (why: string): void => {
          if (asked.includes(give)) asked.splice(asked.indexOf(give), 1);
          clearTimeout(late);
          reject(new Error(why));
        };
        const late = setTimeout(() => leave("no link was said"), LINK_MS);
        signal?.addEventListener("abort", () => leave("nobody waits for it any more"));
        asked.push(give);
      }),
  };
}

/** A value that an env file holds as it stands. */
function plain({ kind, core }: Canary): string {
  return `${kind}-${core}`;
}

function chownAll(folder: string, { uid, gid }: Account): void {
  for (const path of ["", ...readdirSync(folder, { recursive: true, encoding: "utf8" })])
    lchownSync(join(folder, path), uid, gid);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
