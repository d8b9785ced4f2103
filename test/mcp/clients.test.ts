import { describe, expect, it } from "vitest";
import { holdOf, isStop, limitLearned } from "../../src/mcp/clients.ts";

describe("how long a client is kept waiting", () => {
  it.each([
    ["an unknown client", "some-agent", true, 50_000],
    ["Cursor", "Cursor", false, 50_000],
    ["Claude Code without a token", "claude-code", false, 50_000],
    ["Claude Code", "claude-code", true, undefined],
    ["VS Code", "Visual Studio Code - Insiders", true, undefined],
    ["opencode", "opencode", true, undefined],
    ["Copilot CLI", "copilot-cli", true, undefined],
    ["Codex", "codex-mcp-client", true, 280_000],
    ["Gemini CLI", "gemini-cli-mcp-client", true, 580_000],
    ["one that only begins like Claude Code", "claude-code-lookalike", true, 50_000],
  ])("%s", (_, name, token, hold) => {
    expect(holdOf(name, token)).toBe(hold);
  });
});

describe("what a cancellation teaches", () => {
  it.each([
    ["a reason that says so", 45_000, "McpError: Request timed out", 35_000],
    ["an end at a minute", 60_400, undefined, 50_400],
    ["an end at four minutes", 239_000, "AbortError", 229_000],
    ["an end at five minutes", 300_100, "cancelled by caller", 290_100],
    ["a person who stops at half a minute", 30_000, "AbortError: user-cancel", undefined],
    ["a time-out under 20 s", 5_000, "timeout", undefined],
    ["never below 20 s", 25_000, "timed out", 20_000],
  ])("%s", (_, after, reason, limit) => {
    expect(limitLearned(after, reason)).toBe(limit);
  });

  it("takes only an unmistakable word for a stop by the user", () => {
    expect(isStop("AbortError: user-cancel")).toBe(true);
    for (const reason of [
      "Request timed out",
      "MCP request cancelled by caller",
      "",
      undefined,
      { reason: "user-cancel" },
    ]) {
      expect(isStop(reason)).toBe(false);
    }
  });
});
