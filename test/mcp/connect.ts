import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { InMemoryTransport } from "@modelcontextprotocol/sdk/inMemory.js";
import type { RequestOptions } from "@modelcontextprotocol/sdk/shared/protocol.js";
import { type CallToolResult, CallToolResultSchema, ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import { expect, vi } from "vitest";
import { type McpOptions, serveMcp } from "../../src/mcp/server.ts";
import type { House } from "../support/house.ts";

export interface Connected {
  readonly client: Client;
  /** Its own patience is a real hour; how long it is kept waiting is a matter of the house's clock. */
  readonly call: (tool: string, args: object, options?: RequestOptions) => Promise<CallToolResult>;
  /** What the server holds for its own mistake. */
  readonly faults: readonly unknown[];
}

/** A real client and the real server, connected in memory, before a house whose time stands still until told. */
export async function connect(
  house: House,
  options: {
    name?: string;
    serve?: typeof serveMcp;
    /** Gives the client dialogs for links, which stay up until they are taken away; told where each leads. */
    elicit?: (url: string) => void;
  } & Partial<McpOptions> = {},
): Promise<Connected> {
  const { name = "test-client", serve = serveMcp, elicit, ...own } = options;
  const [near, far] = InMemoryTransport.createLinkedPair();
  const faults: unknown[] = [];
  await serve(
    {
      version: "0.0.0-test",
      clock: house.clock,
      folder: "/home/maria/shop",
      running: () => Promise.resolve({ broker: house.broker, waitMs: undefined, linkInResults: false }),
      offers: () => Promise.resolve(true),
      say: () => {},
      onFault: (fault) => void faults.push(fault),
      ...own,
    },
    far,
  );
  const client = new Client({ name, version: "1.0.0" }, { capabilities: elicit ? { elicitation: { url: {} } } : {} });
  if (elicit) {
    client.setRequestHandler(ElicitRequestSchema, ({ params }) => {
      elicit(params.mode === "url" ? params.url : "");
      return new Promise(() => {});
    });
  }
  await client.connect(near);
  const call: Connected["call"] = async (tool, args, requestOptions) =>
    CallToolResultSchema.parse(
      await client.callTool({ name: tool, arguments: { ...args } }, CallToolResultSchema, {
        timeout: 3_600_000,
        ...requestOptions,
      }),
    );
  return { client, call, faults };
}

/** Resolves when a person has been asked this many times in all. */
export function asked(house: House, times: number): Promise<void> {
  return vi.waitFor(() => expect(house.tokens).toHaveLength(times), { interval: 5, timeout: 10_000 });
}
