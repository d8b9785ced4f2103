import type { CallToolResult } from "@modelcontextprotocol/sdk/types.js";
import type { Wait } from "../core/ports.ts";
import { VaultError } from "../core/errors.ts";
import type { Secret } from "../core/secret.ts";
import { quoted } from "../core/text.ts";

/** How a result says what it is, so that no notice can be taken for a value. */
export const STATUS = "agent-vault/status";

/** Plain text, and nothing else, with status `ok`. */
export function textReply(...texts: readonly string[]): CallToolResult {
  return { content: texts.map((text) => ({ type: "text", text })), _meta: { [STATUS]: "ok" } };
}

/** The value alone: the first block is exactly it. */
export function valueReply(value: Secret): CallToolResult {
  return textReply(value.reveal());
}

/** A JSON object name -> value; names that failed follow in a second block. */
export function valuesReply(results: readonly { name: string; result: Secret | VaultError }[]): CallToolResult {
  const values: [string, string][] = [];
  const failures: string[] = [];
  for (const { name, result } of results) {
    if (result instanceof VaultError) failures.push(`${quoted(name)}: ${lineOf(result)}`);
    else values.push([name, result.reveal()]);
  }
  // fromEntries makes own properties only: a secret may be called anything, "__proto__" included.
  const block = JSON.stringify(Object.fromEntries(values));
  return failures.length === 0 ? textReply(block) : textReply(block, `not read:\n${failures.join("\n")}`);
}

/** One line of what happened, one of what to do; `isError`, with the code as status. */
export function errorReply(known: VaultError): CallToolResult {
  const text = known.hint === undefined ? known.message : `${known.message}\n${known.hint}`;
  return {
    isError: true,
    content: [{ type: "text", text: `${known.code}: ${text}` }],
    _meta: { [STATUS]: known.code },
  };
}

/** A normal result that asks for the same call again. It holds no link unless the configuration allows that. */
export function pendingReply(tool: string, wait: Wait, options: { now: number; withLink: boolean }): CallToolResult {
  const minutes = Math.max(1, Math.round(((wait.expiresAt ?? options.now) - options.now) / 60_000));
  const lines = [
    `pending: a person was asked to approve ${whatIsAsked(wait)} and has not answered yet.`,
    `Call ${tool} again now with the same arguments: that joins this request, nobody is asked twice. It stays open for ${minutes} min.`,
    wait.rang.length > 0
      ? `The person was told through: ${wait.rang.join(", ")}.`
      : "Nothing rang for the person: tell the user that an agent-vault approval waits for them. Its link stands where this client shows the progress or the log of its MCP servers.",
    ...wait.troubles.map((trouble) => `Trouble: ${trouble}`),
  ];
  if (options.withLink && wait.link) lines.push(`Give the user this link: ${wait.link.public ?? wait.link.local}`);
  return { content: [{ type: "text", text: lines.join("\n") }], _meta: { [STATUS]: "pending" } };
}

/** "reading DATABASE_URL from vault "dev"", for people and models alike. */
export function whatIsAsked(wait: Wait): string {
  const [first = "", ...rest] = wait.names;
  const what = rest.length === 0 ? first : `${first} and ${rest.length} more`;
  return wait.action === "read"
    ? `reading ${what} from vault ${quoted(wait.vault)}`
    : `saving ${what} to vault ${quoted(wait.vault)}`;
}

/** An error as one line inside a longer answer. */
export function lineOf(error: VaultError): string {
  return error.hint === undefined
    ? `${error.code}: ${error.message}`
    : `${error.code}: ${error.message}; ${error.hint}`;
}
