import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { afterEach } from "vitest";
import { PROGRAM, type World } from "./agent.ts";

const running: ChildProcessWithoutNullStreams[] = [];

afterEach(async () => {
  const ends = running.splice(0).filter((child) => child.exitCode === null && child.signalCode === null);
  await Promise.all(ends.map((child) => (child.kill("SIGKILL"), once(child, "close"))));
});

/** What came back for one request. */
export interface RpcAnswer {
  readonly id: unknown;
  readonly result?: {
    readonly content?: readonly { readonly type: string; readonly text: string }[];
    readonly isError?: boolean;
    readonly _meta?: Readonly<Record<string, unknown>>;
    readonly [key: string]: unknown;
  };
  readonly error?: { readonly code: number; readonly message: string };
}

export interface RawOptions {
  readonly clientInfo?: { readonly name: string; readonly version: string };
  readonly capabilities?: object;
  /** What the client answers to requests of the server; undefined: nothing. */
  readonly reply?: (method: string) => object | undefined;
  readonly env?: Readonly<Record<string, string>>;
  readonly program?: string;
}

/** The real program spoken to in bytes, so that a test can say what no client library would. */
export interface Raw {
  readonly child: ChildProcessWithoutNullStreams;
  /** Resolves when the pipe has taken it, or the process is gone. */
  readonly write: (bytes: string | Buffer) => Promise<void>;
  readonly request: (method: string, params?: object) => Promise<RpcAnswer>;
  /** A tool call; `id` tells under which id, to cancel it by. */
  readonly call: (tool: string, args: object, meta?: object) => Promise<RpcAnswer> & { readonly id: string };
  readonly notify: (method: string, params?: object) => Promise<void>;
  /** Every line of stdout that is not one JSON-RPC message. Must stay empty. */
  readonly impure: readonly string[];
  /** All that came on stdout, line by line. */
  readonly lines: readonly string[];
  readonly stderr: () => string;
  /** The link to the newest request that was not handed out yet; waits for it. */
  readonly link: () => Promise<string>;
  readonly exited: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  /** Closes stdin and waits for the end. */
  readonly close: () => Promise<{ readonly code: number | null; readonly signal: string | null }>;
}

/** Starts it and says hello. It goes away after the test. */
export async function startRaw(world: World, options: RawOptions = {}): Promise<Raw> {
  const { clientInfo = { name: "raw", version: "1" }, capabilities = {}, reply = () => undefined } = options;
  const env = { ...world.env, ...options.env };
  const child = spawn(process.execPath, [options.program ?? PROGRAM], { cwd: world.project, env, stdio: "pipe" });
  running.push(child);
  const exited = once(child, "close").then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as string | null,
  }));
  child.stdin.on("error", () => {}).setMaxListeners(0); // It may be gone already; many may wait for it to drain.
  const waiting = new Map<string, (answer: RpcAnswer) => void>();
  const [lines, impure]: [string[], string[]] = [[], []];
  let rest = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    const parts = (rest + chunk).split("\n");
    rest = parts.pop() ?? "";
    for (const line of parts) take(line);
  });
  child.stdout.once("end", () => {
    // What was still on its way when the process went is cut anywhere; whatever else is not a message counts.
    if (rest !== "" && !rest.startsWith('{"')) impure.push(rest);
  });

  function take(line: string): void {
    lines.push(line);
    const message = asMessage(line);
    if (!message) return void impure.push(line);
    if (message.method === undefined) {
      if (typeof message.id !== "string") return;
      waiting.get(message.id)?.(message);
      waiting.delete(message.id);
    } else if (message.id !== undefined) {
      const result = reply(message.method);
      if (result) void write(`${JSON.stringify({ jsonrpc: "2.0", id: message.id, result })}\n`);
    }
  }

  let said = "";
  const links: string[] = [];
  const seekers: ((link: string) => void)[] = [];
  let seen = 0;
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    said += chunk;
    const whole = said.slice(seen, said.lastIndexOf("\n") + 1);
    seen += whole.length;
    for (const [link] of whole.matchAll(/https?:\/\/\S+\/approve\/[\w-]+/g)) {
      const next = seekers.shift();
      if (next) next(link);
      else links.push(link);
    }
  });

  const write = async (bytes: string | Buffer): Promise<void> => {
    if (child.stdin.destroyed || child.stdin.write(bytes)) return;
    await Promise.race([once(child.stdin, "drain"), exited]).catch(() => {});
  };
  let count = 0;
  const send = (method: string, params: object): Promise<RpcAnswer> & { id: string } => {
    const id = `q${count++}`;
    const answer = new Promise<RpcAnswer>((resolve, reject) => {
      waiting.set(id, resolve);
      void exited.then(() => reject(new Error(`the program ended before it answered ${method}`)));
    });
    answer.catch(() => {}); // Who does not wait for it does not want to hear of it.
    void write(`${JSON.stringify({ jsonrpc: "2.0", id, method, params })}\n`);
    return Object.assign(answer, { id });
  };
  const notify = (method: string, params: object = {}): Promise<void> =>
    write(`${JSON.stringify({ jsonrpc: "2.0", method, params })}\n`);

  await send("initialize", { protocolVersion: "2025-11-25", capabilities, clientInfo });
  await notify("notifications/initialized");
  return {
    child,
    write,
    notify,
    impure,
    lines,
    exited,
    stderr: () => said,
    request: (method, params = {}) => send(method, params),
    call: (tool, args, meta) => send("tools/call", { name: tool, arguments: args, ...(meta && { _meta: meta }) }),
    link: () => {
      const ready = links.shift();
      return ready === undefined ? new Promise((found) => seekers.push(found)) : Promise.resolve(ready);
    },
    close: () => {
      child.stdin.end();
      return exited;
    },
  };
}

/** What a result says of itself: ok, pending or an error code; or that it is an error of the protocol. */
export function statusOfAnswer({ result, error }: RpcAnswer): unknown {
  return error ? "protocol error" : result?._meta?.["agent-vault/status"];
}

export function textOfAnswer({ result }: RpcAnswer): string {
  return (result?.content ?? []).map(({ text }) => text).join("\n");
}

/** The most memory a process ever held, bytes; 0 where that cannot be seen. */
export function peakMemory(pid: number | undefined): number {
  if (process.platform !== "linux" || pid === undefined) return 0;
  return 1024 * Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
}

interface Message extends RpcAnswer {
  readonly method?: string;
}

/** The message in a line of the protocol; undefined when it is none. */
function asMessage(line: string): Message | undefined {
  try {
    const message = JSON.parse(line) as Message & { jsonrpc?: string };
    const isAnswer = message.id !== undefined && (message.result !== undefined) !== (message.error !== undefined);
    return message.jsonrpc === "2.0" && (isAnswer || typeof message.method === "string") ? message : undefined;
  } catch {
    return undefined;
  }
}
