import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

/** What came back for one call of a tool. */
export interface Reply {
  readonly text: string;
  readonly status: string;
  readonly isError: boolean;
}

export interface SessionOptions {
  readonly command: readonly [string, readonly string[]];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly capabilities?: object;
  readonly clientInfo?: { readonly name: string; readonly version: string };
  /** What the client answers when the server asks it something; undefined: nothing. */
  readonly reply?: (method: string, params: unknown) => object | undefined;
  /** Told of every line of stderr as it comes. */
  readonly onStderr: (text: string) => void;
  /** Told of everything that came to the client. */
  readonly onLine: (line: string) => void;
}

/** The agent's MCP connection, in raw lines, so that it can say what no client library would. */
export interface Session {
  readonly pid: number;
  readonly call: (tool: string, args: object, meta?: object) => Promise<Reply>;
  readonly get: (name: string, reason?: string, meta?: object) => Promise<Reply>;
  readonly request: (method: string, params?: object) => Promise<unknown>;
  readonly notify: (method: string, params?: object) => void;
  readonly write: (text: string) => void;
  /** Every message from the server that is no answer. */
  readonly notices: readonly { readonly method: string; readonly params: unknown }[];
  readonly exited: Promise<void>;
  readonly isRunning: () => boolean;
  readonly close: () => Promise<void>;
}

interface Message {
  readonly id?: unknown;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: {
    readonly content?: readonly { readonly text?: string }[];
    readonly isError?: boolean;
    readonly _meta?: Readonly<Record<string, unknown>>;
  };
  readonly error?: { readonly message: string };
}

const GOODBYE_MS = 3_000;

/** Starts a server and says hello to it. Rejects when it ends before it answers. */
export async function openSession(options: SessionOptions): Promise<Session> {
  const { capabilities = {}, clientInfo = { name: "redteam", version: "1" }, reply = () => undefined } = options;
  const child = spawn(options.command[0], options.command[1], {
    cwd: options.cwd,
    env: options.env,
    stdio: ["pipe", "pipe", "pipe"],
  });
  const waiting = new Map<string, { resolve: (message: Message) => void; reject: (error: Error) => void }>();
  const notices: { method: string; params: unknown }[] = [];
  let rest = "";
  let said = "";
  child.stdin.on("error", () => {});
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-2_000);
    options.onStderr(text);
  });
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) take(line);
  });
  const exited = (async (): Promise<void> => {
    await once(child, "close");
    for (const { reject } of waiting.values()) reject(new Error(`the server ended: ${said}`));
    waiting.clear();
  })();

  function take(line: string): void {
    options.onLine(line);
    const message = asMessage(line);
    if (message === undefined) return;
    if (message.method === undefined) {
      waiting.get(String(message.id))?.resolve(message);
      waiting.delete(String(message.id));
      return;
    }
    notices.push({ method: message.method, params: message.params });
    const answer = message.id === undefined ? undefined : reply(message.method, message.params);
    if (answer) write(`${JSON.stringify({ jsonrpc: "2.0", id: message.id, result: answer })}\n`);
  }

  const write = (text: string): void => {
    if (!child.stdin.destroyed) child.stdin.write(text);
  };
  let count = 0;
  const send = (method: string, params: object = {}): Promise<Message> => {
    count += 1;
    const id = `r${count}`;
    const answer = new Promise<Message>((resolve, reject) => waiting.set(id, { resolve, reject }));
    answer.catch(() => {}); // Who does not wait for it does not want to hear of it.
    if (isOver(child)) waiting.get(id)?.reject(new Error(`the server ended: ${said}`));
    write(`${JSON.stringify({ jsonrpc: "2.0", id, method, params })}\n`);
    return answer;
  };
  const notify: Session["notify"] = (method, params = {}) =>
    write(`${JSON.stringify({ jsonrpc: "2.0", method, params })}\n`);

  const call: Session["call"] = async (name, args, meta) => {
    const message = await send("tools/call", { name, arguments: args, ...(meta && { _meta: meta }) });
    const { result, error } = message;
    const text = (result?.content ?? []).map((block) => block.text ?? "").join("\n");
    const status = result?._meta?.["agent-vault/status"];
    return {
      text: error?.message ?? text,
      status: error ? "protocol error" : typeof status === "string" ? status : "none",
      isError: error !== undefined || result?.isError === true,
    };
  };
  await send("initialize", { protocolVersion: "2025-11-25", capabilities, clientInfo });
  notify("notifications/initialized");
  return {
    pid: child.pid ?? 0,
    call,
    get: (name, reason = "run migration 0042", meta) => call("get_secret", { vault: "dev", name, reason }, meta),
    request: async (method, params) => (await send(method, params)).result,
    notify,
    write,
    notices,
    exited,
    isRunning: () => !isOver(child),
    close: async () => {
      child.stdin.end();
      const cut = setTimeout(() => child.kill("SIGKILL"), GOODBYE_MS);
      await exited;
      clearTimeout(cut);
    },
  };
}

function isOver(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** Lines that are no message are somebody else's to complain about. */
function asMessage(line: string): Message | undefined {
  try {
    return JSON.parse(line) as Message;
  } catch {
    return undefined;
  }
}
