import type { Socket } from "node:net";
import type { Clock } from "../core/clock.ts";
import { asVaultError, type VaultError } from "../core/errors.ts";
import { firstLine } from "./first-line.ts";
import { Lines } from "./lines.ts";
import type { Ends } from "./relay.ts";

/** How often a broker is looked for while nobody asks for one. */
const RETRY_MS = 2_000;
/** What the broker takes to answer the client's first message, ms at most. */
const GREETING_MS = 10_000;
/** Calls that may wait while a broker is looked for. */
const MOST_WAITING = 100;
/** Under which the client's first message is said again; no answer to it reaches the client. */
const OUR_ID = "agent-vault-connect";
const STATUS = "agent-vault/status";

export interface StandInOptions extends Ends {
  /** Why there is no broker, as far as is known. */
  readonly why: VaultError;
  readonly reach: () => Promise<Socket>;
  readonly version: string;
  /** How to use the tools, once there are any. */
  readonly instructions: string;
  readonly clock: Clock;
}

interface Message {
  readonly id?: unknown;
  readonly method: string;
  readonly params?: unknown;
}

/**
 * Speaks MCP in the place of a broker that is not there, so that the client starts and its agent can read what is wrong.
 * Each call looks for the broker, and so does time. Resolves to a session with it that is where the client is, or to
 * undefined when the client has gone.
 */
export function standIn(options: StandInOptions): Promise<Socket | undefined> {
  const { output, clock, version, instructions } = options;
  let { why } = options;
  let greeting: Message | undefined;
  let trying = false;
  let stopRetry = (): void => {};
  const waiting: string[] = [];
  const say = (message: object): void => void output.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);

  return new Promise((resolve) => {
    const attempt = async (): Promise<void> => {
      if (trying) return;
      trying = true;
      stopRetry();
      try {
        const socket = await options.reach();
        lines.leave();
        if (greeting) await greet(socket, greeting);
        for (const line of waiting.splice(0)) socket.write(`${line}\n`);
        // Its tools are others than ours.
        if (greeting) say({ method: "notifications/tools/list_changed" });
        resolve(socket);
      } catch (error) {
        why = asVaultError(error);
        for (const line of waiting.splice(0)) say({ id: parse(line)?.id, result: refusal(why) });
        trying = false;
        stopRetry = clock.after(RETRY_MS, () => void attempt());
      }
    };
    const answer = (line: string): void => {
      const message = parse(line);
      if (message?.id === undefined) return;
      const { id, method, params } = message;
      if (method === "initialize") {
        greeting = message;
        const text = `${why.message}; ${why.hint ?? ""}. Until then only list_secrets is here, and tries again.\n\n${instructions}`;
        say({ id, result: greetingOf(params, version, text) });
      } else if (method === "tools/list") say({ id, result: { tools: [tool(why)] } });
      else if (method === "tools/call" && waiting.length < MOST_WAITING) {
        waiting.push(line);
        void attempt();
      } else if (method === "tools/call") say({ id, result: refusal(why) });
      else if (method === "ping") say({ id, result: {} });
      else say({ id, error: { code: -32601, message: "Method not found" } });
    };
    const lines = new Lines(options.input, answer, () => {
      stopRetry();
      trying = true;
      resolve(undefined);
    });
    stopRetry = clock.after(RETRY_MS, () => void attempt());
  });
}

/** Says to the broker what the client said first, and keeps its answer: the client has one. */
async function greet(socket: Socket, greeting: Message): Promise<void> {
  const say = (message: object): void => void socket.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
  say({ ...greeting, id: OUR_ID });
  // Should it not come, the broker ends the session, and with it the client's.
  await firstLine(socket, GREETING_MS);
  say({ method: "notifications/initialized" });
}

function greetingOf(params: unknown, version: string, instructions: string): object {
  const wanted = typeof params === "object" && params !== null && "protocolVersion" in params && params.protocolVersion;
  return {
    protocolVersion: typeof wanted === "string" ? wanted : "2025-06-18",
    capabilities: { tools: { listChanged: true } },
    serverInfo: { name: "agent-vault", title: "agent-vault", version },
    instructions,
  };
}

function tool({ message }: VaultError): object {
  return {
    name: "list_secrets",
    title: "List secrets",
    description: `agent-vault is not available: ${message}. Call this to try again; the other tools appear once it works.`,
    inputSchema: { type: "object" },
    annotations: { title: "List secrets", readOnlyHint: true, openWorldHint: false },
  };
}

function refusal({ code, message, hint }: VaultError): object {
  const text = hint === undefined ? message : `${message}\ntell the user: ${hint}`;
  return { isError: true, content: [{ type: "text", text: `${code}: ${text}` }], _meta: { [STATUS]: code } };
}

function parse(line: string): Message | undefined {
  try {
    const message: unknown = JSON.parse(line);
    if (typeof message !== "object" || message === null || !("method" in message)) return undefined;
    return typeof message.method === "string" ? { ...message, method: message.method } : undefined;
  } catch {
    return undefined;
  }
}
