// What we are measured against: a server of the MCP SDK as its own guide has it, from node_modules as installed, with
// two tools whose answers never change.
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { z } from "zod";

const server = new McpServer({ name: "bare", version: "1.0.0" });

server.registerTool(
  "list_secrets",
  { description: "Lists the names of the secrets.", inputSchema: { vault: z.string().optional() } },
  async () => ({ content: [{ type: "text", text: "API_KEY" }] }),
);
server.registerTool(
  "get_secret",
  {
    description: "Returns one secret.",
    inputSchema: { vault: z.string(), name: z.string(), reason: z.string() },
  },
  async () => ({ content: [{ type: "text", text: "hunter2-bare" }] }),
);

await server.connect(new StdioServerTransport());
