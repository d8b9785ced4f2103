import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { getDefaultEnvironment, StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { CallToolResultSchema } from "@modelcontextprotocol/sdk/types.js";
import { STATUS } from "./reply.ts";

/** What an agent sees of one tool result. */
export interface Seen {
  /** `ok`, `pending` or an error code. */
  readonly status: string;
  readonly text: string;
}

export interface PlayedAgent {
  readonly call: (tool: string, args: Readonly<Record<string, unknown>>) => Promise<Seen>;
  readonly close: () => Promise<void>;
}

/** How long one call may take: longer than any request stays open. */
const PATIENCE_MS = 3_600_000;

/**
 * Plays an agent: starts the real program in a folder and speaks MCP to it as a client does. `onLine` is told what the
 * program says to people.
 */
export async function playAgent(options: {
  /** The launcher's file. */
  readonly program: string;
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  readonly version: string;
  readonly onLine: (line: string) => void;
}): Promise<PlayedAgent> {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [options.program],
    cwd: options.folder,
    env: { ...getDefaultEnvironment(), ...options.env },
    stderr: "pipe",
  });
  let rest = "";
  transport.stderr?.on("data", (chunk: Buffer) => {
    const lines = (rest + chunk.toString("utf8")).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) options.onLine(line);
  });
  const client = new Client({ name: "agent-vault demo", version: options.version });
  await client.connect(transport);
  return {
    call: async (name, args) => {
      // Asking for progress is what lets the server keep one call for as long as the person needs.
      const wait = { timeout: PATIENCE_MS, onprogress: () => {} };
      const result = CallToolResultSchema.parse(
        await client.callTool({ name, arguments: args }, CallToolResultSchema, wait),
      );
      const [first] = result.content;
      const status = result._meta?.[STATUS];
      return {
        status: typeof status === "string" ? status : "unknown",
        text: first?.type === "text" ? first.text : "",
      };
    },
    close: () => client.close(),
  };
}
