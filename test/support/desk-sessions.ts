import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { openNotes } from "../../src/state/notes.ts";
import { PROGRAM, query, type World } from "./agent.ts";
import { type Authenticator, createAuthenticator, recordOf } from "./authenticator.ts";
import { world as makeWorld } from "./begin.ts";

/** One process of the program with one call at a time, spoken to without a client in between. */
export interface Session {
  readonly child: ChildProcess;
  /** What it asked for, oldest first. */
  readonly calls: Call[];
  readonly stderr: () => string;
  /** Asks for a secret; called again by itself for as long as the answer is that a person is still being asked. */
  readonly ask: (name: string) => Call;
  readonly end: () => Promise<void>;
  /** Resolves when every part of it is gone. */
  readonly kill: () => Promise<void>;
}

export interface Call {
  readonly name: string;
  /** The link that was announced for it. Never settles when it was answered, on the page of a twin, before that. */
  readonly link: Promise<string>;
  /** The value, or the code of what went wrong. Never settles when the process is killed. */
  readonly outcome: Promise<string>;
  /** Resolves when the process that asked is gone. */
  readonly gone: Promise<unknown>;
  /** What `outcome` came to, once it has. */
  came?: string;
}

/** Several sessions of one user whose person has a phone with a passkey. */
export interface Desk {
  readonly world: World;
  readonly port: number;
  readonly phone: Authenticator;
  /** Those that live, oldest first. */
  readonly sessions: Session[];
  readonly start: () => Session;
  /** The one that has the page. */
  readonly host: () => Promise<Session>;
  /**
   * Opens the page of a link, signs a yes and sends it; true when it was taken. `signed` is called in between, with the
   * number of requests that the signature is for.
   */
  readonly sign: (link: string, signed?: (requests: number) => void) => Promise<boolean>;
  /** Sends a yes that nobody has signed; true when it was taken. */
  readonly approveUnsigned: (link: string) => Promise<boolean>;
  readonly close: () => Promise<void>;
}

export function newDesk(options: {
  secrets: Record<string, string>;
  vault?: object;
  config?: object;
  program?: string;
  isEnrolled?: boolean;
}): Desk {
  const { secrets, vault = {}, program = PROGRAM, isEnrolled = true } = options;
  const world = makeWorld({ secrets, vault, config: { ...options.config } });
  const file = readFileSync(join(world.project, "agent-vault.config.json"), "utf8");
  const { port } = JSON.parse(file) as { port: number };
  const phone = createAuthenticator({ origin: `http://localhost:${port}` });
  if (isEnrolled) {
    const notes = openNotes(dirname(world.database));
    notes.of("approvers").put(phone.credentialId, recordOf(phone));
    notes.close();
  }
  const sessions: Session[] = [];
  const start = (): Session => {
    const session = startSession(world, program, () => sessions.splice(sessions.indexOf(session), 1));
    sessions.push(session);
    return session;
  };
  return {
    world,
    port,
    phone,
    sessions,
    start,
    host: async () => {
      for (;;) {
        const found = sessions.find(({ child }) => listensOn(child.pid ?? 0, port));
        if (found) return found;
        await moment(2);
      }
    },
    sign: (link, signed = () => {}) => sign(link, phone, signed),
    approveUnsigned,
    close: async () => {
      await Promise.all([...sessions].map((session) => session.end()));
    },
  };
}

function startSession(world: World, program: string, gone: () => void): Session {
  const child = spawn(process.execPath, [program], { cwd: world.project, env: world.env, stdio: "pipe" });
  let said = "";
  const calls: Call[] = [];
  const links: ((link: string) => void)[] = [];
  const results = new Map<number, (result: Result) => void>();
  let last = 0;
  child.stdin.on("error", () => {}); // It may be dead already.
  child.once("exit", gone);
  const closed = once(child, "close");
  createInterface({ input: child.stderr }).on("line", (line) => {
    said += `${line}\n`;
    const link = /http:\S+approve\/[\w-]+/.exec(line)?.[0];
    if (link !== undefined) links.shift()?.(link);
  });
  createInterface({ input: child.stdout }).on("line", (line) => {
    const { id, result } = JSON.parse(line) as { id: number; result: Result };
    results.get(id)?.(result);
  });
  const send = (name: string): Promise<Result> => {
    const id = ++last;
    const args = { vault: "dev", name, reason: "run migration 0042" };
    const params = { name: "get_secret", arguments: args };
    child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", id, method: "tools/call", params })}\n`);
    return new Promise((resolve) => results.set(id, resolve));
  };
  const settled = async (name: string): Promise<string> => {
    for (;;) {
      const { content, _meta } = await send(name);
      const status = _meta["agent-vault/status"];
      if (status !== "pending") return status === "ok" ? (content[0]?.text ?? "") : status;
    }
  };
  return {
    child,
    calls,
    stderr: () => said,
    ask: (name) => {
      // One at a time: whatever is announced from now on is of this one.
      links.length = 0;
      const link = new Promise<string>((resolve) => links.push(resolve));
      const outcome = settled(name);
      const call: Call = { name, link, outcome, gone: closed };
      void outcome.then((came) => (call.came = came));
      calls.push(call);
      return call;
    },
    end: async () => {
      child.stdin.end();
      await closed;
    },
    kill: async () => {
      child.kill("SIGKILL");
      await closed;
    },
  };
}

interface Result {
  readonly content: readonly { readonly text: string }[];
  readonly _meta: { readonly "agent-vault/status": string };
}

/** Whether a process listens on a port of this machine. */
function listensOn(pid: number, port: number): boolean {
  const wanted = `0100007F:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const row = readFileSync("/proc/net/tcp", "utf8")
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .find((columns) => columns[1] === wanted && columns[3] === "0A");
  if (!row) return false;
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => linkOf(`/proc/${pid}/fd/${fd}`) === `socket:[${row[9]}]`);
  } catch {
    return false; // It is gone, or going.
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return ""; // Closed in between.
  }
}

async function sign(link: string, phone: Authenticator, done: (requests: number) => void): Promise<boolean> {
  const form = await formOf(link);
  if (!form) return false;
  const asked = await post(`${link}/sign`, form);
  if (asked?.status !== 200) return false;
  const { options, decision } = (await asked.json()) as {
    options: { challenge: string; rpId: string };
    decision: { hashes: readonly string[] };
  };
  const signed = JSON.stringify({ decision, response: phone.sign(options) });
  done(decision.hashes.length);
  const taken = wasTaken(await post(link, { ...form, signed }));
  if (taken) {
    // Somebody who saw it on its way sends it once more, and somebody who has the link says no.
    await post(link, { ...form, signed });
    await post(link, { ...form, verdict: "deny" });
  }
  return taken;
}

async function approveUnsigned(link: string): Promise<boolean> {
  const form = await formOf(link);
  return form !== undefined && wasTaken(await post(link, form));
}

/** The form of a page that can still be approved. */
async function formOf(link: string): Promise<Record<string, string> | undefined> {
  const page = await fetch(link).then(
    (answer) => answer.text(),
    () => "",
  );
  const seal = /name="seal" value="([^"]+)"/.exec(page)?.[1];
  return seal === undefined ? undefined : { seal, verdict: "approve", choice: "once" };
}

/** A page that moves to another process does not answer for a moment. */
function post(link: string, form: Record<string, string>): Promise<Response | undefined> {
  const headers = { origin: new URL(link).origin, "sec-fetch-site": "same-origin" };
  const body = new URLSearchParams(form);
  return fetch(link, { method: "POST", redirect: "manual", headers, body }).catch(() => undefined);
}

function wasTaken(answer: Response | undefined): boolean {
  return answer?.status === 303 && !(answer.headers.get("location") ?? "?").includes("?");
}

export function moment(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** What the log says against the promises: each list must be empty. */
export function wrongsIn(world: World) {
  return {
    decidedTwice: query(
      world,
      `SELECT request, count(*) n FROM event WHERE kind IN ('approved', 'denied', 'returned', 'expired')
       GROUP BY request HAVING n > 1`,
    ),
    unproven: query(world, "SELECT request FROM event WHERE kind = 'approved' AND proof IS NOT 'passkey'"),
  };
}
