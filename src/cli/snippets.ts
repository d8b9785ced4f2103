/** Where a client is told to start agent-vault, and the words for it. */
export interface Snippet {
  readonly title: string;
  /** What a person does with the lines. */
  readonly where: readonly string[];
  readonly lines: readonly string[];
}

/** What the lines depend on: where the configuration lies. */
export interface Setup {
  /** Absolute path of the configuration, for clients that start their servers somewhere else. */
  readonly config: string;
}

const COMMAND = { command: "npx", args: ["-y", "agent-vault"] };

// Cursor and VS Code fill this in; both start servers in a folder of their own choice.
const FROM_WORKSPACE = { AGENT_VAULT_CONFIG: "${workspaceFolder}/agent-vault.config.json" };

/** The clients that init knows, by the word that `--client` takes. */
export const CLIENTS: Readonly<Record<string, (setup: Setup) => Snippet>> = {
  "claude-code": () => ({
    title: "Claude Code",
    where: ["Run this in the project, or put the lines below it into .mcp.json there:"],
    lines: [
      "claude mcp add agent-vault -- npx -y agent-vault",
      "",
      ...json({ mcpServers: { "agent-vault": COMMAND } }),
    ],
  }),
  cursor: () => ({
    title: "Cursor",
    where: ["Put this into .cursor/mcp.json in the project:"],
    lines: json({ mcpServers: { "agent-vault": { ...COMMAND, env: FROM_WORKSPACE } } }),
  }),
  vscode: () => ({
    title: "VS Code",
    where: ["Put this into .vscode/mcp.json in the project:"],
    lines: json({ servers: { "agent-vault": { type: "stdio", ...COMMAND, env: FROM_WORKSPACE } } }),
  }),
  windsurf: ({ config }) => ({
    title: "Windsurf",
    where: ["Put this into ~/.codeium/windsurf/mcp_config.json:"],
    lines: json({ mcpServers: { "agent-vault": { ...COMMAND, env: { AGENT_VAULT_CONFIG: config } } } }),
  }),
  codex: ({ config }) => ({
    title: "Codex",
    where: [
      "Put this into ~/.codex/config.toml. Codex hands a server only the variables named here;",
      "the .env beside the configuration is read all the same:",
    ],
    lines: [
      "[mcp_servers.agent-vault]",
      `command = ${toml(COMMAND.command)}`,
      `args = [${COMMAND.args.map(toml).join(", ")}]`,
      `env = { AGENT_VAULT_CONFIG = ${toml(config)} }`,
      "startup_timeout_sec = 60",
      "tool_timeout_sec = 300",
    ],
  }),
  gemini: ({ config }) => ({
    title: "Gemini CLI",
    where: ["Put this into .gemini/settings.json in the project:"],
    lines: json({
      mcpServers: { "agent-vault": { ...COMMAND, env: { AGENT_VAULT_CONFIG: config }, timeout: 600_000 } },
    }),
  }),
};

function json(value: unknown): string[] {
  const text = JSON.stringify(value, null, 2);
  // Short lists read better on one line.
  return text
    .replace(/\[\s+([^[\]]*?)\s+\]/g, (_, inside: string) => `[${inside.replace(/\s*\n\s*/g, " ")}]`)
    .split("\n");
}

// The escapes of a JSON string are among those of a TOML basic string.
function toml(text: string): string {
  return JSON.stringify(text);
}
