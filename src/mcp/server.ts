import { Server } from "@modelcontextprotocol/sdk/server/index.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import {
  CallToolRequestSchema,
  type CallToolResult,
  ListToolsRequestSchema,
  type ServerNotification,
  type ServerRequest,
} from "@modelcontextprotocol/sdk/types.js";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import type { jsonSchemaValidator } from "@modelcontextprotocol/sdk/validation/types.js";
import type { RequestHandlerExtra } from "@modelcontextprotocol/sdk/shared/protocol.js";
import * as z from "zod";
import type { Broker } from "../core/broker.ts";
import type { Clock } from "../core/clock.ts";
import { asVaultError, VaultError } from "../core/errors.ts";
import { idSource } from "../core/ids.ts";
import type { Requester } from "../core/request.ts";
import { glimpse, quoted } from "../core/text.ts";
import { Dialogs } from "./dialog.ts";
import { observe } from "./facts.ts";
import { INSTRUCTIONS } from "./instructions.ts";
import { errorReply, STATUS } from "./reply.ts";
import { type Session, waiterFor } from "./person.ts";
import type { Need, Tool } from "./tools/define.ts";
import { getSecret } from "./tools/get-secret.ts";
import { getSecrets } from "./tools/get-secrets.ts";
import { listSecrets } from "./tools/list-secrets.ts";
import { setSecret } from "./tools/set-secret.ts";
import { setSecrets } from "./tools/set-secrets.ts";

/** What answers the tools once the configuration is read. */
export interface Running {
  readonly broker: Broker;
  /** `approval.waitSeconds`, ms */
  readonly waitMs: number | undefined;
  readonly linkInResults: boolean;
}

export interface McpOptions {
  readonly version: string;
  readonly clock: Clock;
  /** The folder the client started us in. */
  readonly folder: string;
  /** Set where the client did not start us and comes over a socket: what is known of it, and what its shim says. */
  readonly afar?: Afar;
  /** Called at the first tool call, not before. Rejects with the `VaultError` that every tool then answers with. */
  readonly running: () => Promise<Running>;
  /**
   * Whether some configured vault can do what a tool needs. Called when tools are listed; reads the configuration at
   * most. Rejects when there is none: then every tool is shown, and says what is wrong.
   */
  readonly offers: (need: Need) => Promise<boolean>;
  /** One line for people, on stderr. */
  readonly say: (line: string) => void;
  /** Told of what should not happen: the agent only learns that something failed. */
  readonly onFault: (error: unknown) => void;
}

/** A client on the other side of a socket. Its shim's words are claims, and nothing of it is seen here but who may connect. */
export interface Afar {
  readonly facts: Requester["facts"];
  readonly claims: Pick<Requester["claims"], "folder" | "process">;
}

const TOOLS: readonly Tool[] = [listSecrets, getSecret, getSecrets, setSecret, setSecrets];
const ROOTS_WAIT_MS = 250;

type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>;

/**
 * Serves MCP until the connection ends, on stdio unless told otherwise; `closed` then says why. `session` is what its
 * requests go by. Nothing but the protocol is touched before tools are listed or called.
 */
export async function serveMcp(
  options: McpOptions,
  transport: Transport = new StdioServerTransport(),
): Promise<{ closed: Promise<string>; session: string }> {
  let why = "the client closed the connection";
  const session = idSource()();
  const server = createServer(options, session, (fault) => {
    why = fault;
  });
  const closed = new Promise<string>((resolve) => {
    server.onclose = () => resolve(why);
  });
  await server.connect(transport);
  return { closed, session };
}

function createServer(options: McpOptions, id: string, ends: (why: string) => void): Server {
  const { version, clock } = options;
  const server = new Server(
    { name: "agent-vault", title: "agent-vault", version },
    { capabilities: { tools: {} }, instructions: INSTRUCTIONS, jsonSchemaValidator: NOTHING_TO_VALIDATE },
  );
  const session: Session = {
    server,
    clock,
    waitMs: undefined,
    limitMs: undefined,
    dialogs: new Dialogs(server, clock),
  };
  let requester: Promise<Requester> | undefined;
  const malformed = complaint(options.say);
  server.onerror = (error) => {
    if (!isOverlong(error)) return malformed();
    ends(OVERLONG);
    options.say(`${OVERLONG}; this session ends`);
  };

  server.setRequestHandler(ListToolsRequestSchema, async () => ({ tools: (await offered(options)).map(describe) }));
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, extra): Promise<CallToolResult> => {
    try {
      const tool = TOOLS.find(({ name }) => name === params.name);
      if (!tool) {
        const known = (await offered(options)).map(({ name }) => name).join(", ");
        throw new VaultError("invalid_arguments", `there is no tool ${quoted(params.name)}`, {
          hint: `the tools are ${known}`,
        });
      }
      const { broker, waitMs, linkInResults } = await options.running();
      requester ??= requesterOf(server, options, clock);
      session.waitMs = waitMs;
      const call = { signal: extra.signal, progress: progressOf(extra) };
      const { waiter, done } = waiterFor(session, call);
      let settled = false;
      try {
        const context = { broker, session: id, requester: await requester, waiter, now: clock.now, linkInResults };
        // A client that went away in the meantime asks nobody for anything.
        if (extra.signal.aborted) throw new VaultError("cancelled", "the call was cancelled before it began");
        const result = await tool.run(params.arguments, context);
        settled = result._meta?.[STATUS] !== "pending";
        return result;
      } catch (error) {
        settled = !extra.signal.aborted;
        throw error;
      } finally {
        done({ settled });
      }
    } catch (error) {
      const known = asVaultError(error);
      if (known.code === "internal") options.onFault(known.cause);
      return errorReply(known);
    }
  });
  return server;
}

/** The tools worth a model's attention here. One that is left out still answers, and says why it cannot help. */
async function offered({ offers, onFault }: McpOptions): Promise<readonly Tool[]> {
  try {
    const isOffered = await Promise.all(TOOLS.map(async ({ needs }) => needs === undefined || offers(needs)));
    return TOOLS.filter((_, at) => isOffered[at]);
  } catch (error) {
    const known = asVaultError(error);
    if (known.code === "internal") onFault(known.cause);
    return TOOLS;
  }
}

function describe(tool: Tool): {
  name: string;
  title: string;
  description: string;
  annotations: object;
  inputSchema: { type: "object" };
} {
  const { name, title, description, annotations } = tool;
  const { $schema: _, ...schema } = z.toJSONSchema(tool.input, { io: "input" });
  return {
    name,
    title,
    description,
    annotations: { title, ...annotations },
    inputSchema: { ...schema, type: "object" },
  };
}

function progressOf(extra: Extra): ((count: number, message: string) => Promise<void>) | undefined {
  const progressToken = extra._meta?.progressToken;
  if (progressToken === undefined) return undefined;
  return (progress, message) =>
    extra.sendNotification({ method: "notifications/progress", params: { progressToken, progress, message } });
}

/** What we saw of who asks, and what its side says of itself. Read once, at the first call. */
async function requesterOf(server: Server, { folder, afar }: McpOptions, clock: Clock): Promise<Requester> {
  const [facts, roots] = await Promise.all([afar?.facts ?? observe(folder), rootsOf(server, clock)]);
  const { name = "an unnamed client", version = "" } = server.getClientVersion() ?? {};
  const client = glimpse(`${name.slice(0, 200)} ${version.slice(0, 200)}`.trim(), 80);
  return { facts, claims: { client, ...(roots.length > 0 && { roots }), ...afar?.claims } };
}

async function rootsOf(server: Server, clock: Clock): Promise<readonly string[]> {
  if (!server.getClientCapabilities()?.roots) return [];
  const late = new AbortController();
  const stop = clock.after(ROOTS_WAIT_MS, () => late.abort());
  try {
    const { roots } = await server.listRoots(undefined, { signal: late.signal });
    return roots.slice(0, 5).map((root) => glimpse(root.uri, 200));
  } catch {
    // A claim nobody makes is no claim: the page then shows the facts alone.
    return [];
  } finally {
    stop();
  }
}

/** Says the first malformed message and then every thousandth: an agent must not fill the terminal. */
function complaint(say: (line: string) => void): () => void {
  let count = 0;
  return () => {
    count += 1;
    if (count === 1 || count % 1_000 === 0)
      say(`${count} malformed ${count === 1 ? "message" : "messages"} from the client ignored`);
  };
}

const OVERLONG = "the client sent a message longer than 10 MB";

/** The transport closes when its buffer is full; its error has no code to know it by. */
function isOverlong(error: Error): boolean {
  return error.message.startsWith("ReadBuffer exceeded");
}

/** Answers to our dialogs decide nothing and carry nothing, so there is nothing to check and nothing is passed on. */
const NOTHING_TO_VALIDATE: jsonSchemaValidator = {
  getValidator: () => () => ({ valid: false, data: undefined, errorMessage: "agent-vault takes nothing from dialogs" }),
};
