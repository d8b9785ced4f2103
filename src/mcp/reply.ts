import type { CallToolResult } from "@modelcontextprotocol/sdk/types.js";
import type { Outcome } from "../core/asks.ts";
import { VaultError } from "../core/errors.ts";
import type { Upstream } from "../core/card.ts";
import type { Link, Wait } from "../core/ports.ts";
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
export function valuesReply(results: readonly Outcome<Secret>[]): CallToolResult {
  return objectReply(results, ({ name }) => name);
}

/** A JSON object field -> value of one secret; fields that failed follow in a second block. */
export function fieldsReply(results: readonly Outcome<Secret>[]): CallToolResult {
  return objectReply(results, ({ name, field }) => field ?? name);
}

function objectReply(results: readonly Outcome<Secret>[], keyOf: (outcome: Outcome<Secret>) => string): CallToolResult {
  const values = new Map<string, string>();
  const failures: string[] = [];
  for (const outcome of results) {
    const { result } = outcome;
    const key = keyOf(outcome);
    if (result instanceof VaultError) failures.push(`${quoted(key)}: ${lineOf(result)}`);
    else values.set(unused(key, values), result.reveal());
  }
  // fromEntries makes own properties only: a secret may be called anything, "__proto__" included.
  const block = JSON.stringify(Object.fromEntries(values));
  return failures.length === 0 ? textReply(block) : textReply(block, `not read:\n${failures.join("\n")}`);
}

/** A vault may give two of its fields one name; neither value is to be lost for it. */
function unused(key: string, taken: ReadonlyMap<string, unknown>): string {
  for (let count = 1; ; count++) {
    const candidate = count === 1 ? key : `${key} (${count})`;
    if (!taken.has(candidate)) return candidate;
  }
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

/**
 * A normal result that asks for the same call again. It holds the link where that alone approves nothing, or the
 * configuration allows it (law 4).
 */
export function pendingReply(tool: string, wait: Wait, options: { now: number; mayHoldLink: boolean }): CallToolResult {
  const lines = wait.upstream
    ? upstreamLines(tool, wait, wait.upstream, options.now)
    : personLines(tool, wait, options);
  return { content: [{ type: "text", text: lines.join("\n") }], _meta: { [STATUS]: "pending" } };
}

function personLines(tool: string, wait: Wait, { now, mayHoldLink }: { now: number; mayHoldLink: boolean }): string[] {
  const minutes = Math.max(1, Math.round(((wait.expiresAt ?? now) - now) / 60_000));
  const again = `Call ${tool} again now with the same arguments: that joins this request, nobody is asked twice. It stays open for ${minutes} min.`;
  if (wait.behind > 0) {
    return [
      `pending: ${whatIsAsked(wait)} waits for its turn: ${behindText(wait.behind)}.`,
      again,
      "Tell the user that those have to be answered first; ask for no more meanwhile.",
    ];
  }
  const link = mayHoldLink ? wait.link : undefined;
  return [
    `pending: a person was asked to approve ${whatIsAsked(wait)} and has not answered yet.`,
    again,
    ...(wait.rang.length > 0 ? [`The person was told through: ${wait.rang.join(", ")}.`] : link ? [] : [UNHEARD]),
    ...wait.troubles.map((trouble) => `Trouble: ${trouble}`),
    ...(link ? [linkLine(link, wait.linkApproves)] : []),
  ];
}

const UNHEARD =
  "Nothing rang for the person: tell the user that an agent-vault approval waits for them. Its link stands where this client shows the progress or the log of its MCP servers.";

function linkLine(link: Link, linkApproves: boolean): string {
  const url = link.public ?? link.local;
  return linkApproves
    ? `Give the user this link: ${url}`
    : `Give the user this link: ${url} (to approve there takes the passkey of an enrolled phone; opening it yourself changes nothing)`;
}

/** How many requests of the same client have to be answered before this one. */
export function behindText(behind: number): string {
  return behind === 1
    ? "1 of your requests waits for an answer before it"
    : `${behind} of your requests wait for an answer before it`;
}

function upstreamLines(tool: string, wait: Wait, { text, since }: Upstream, now: number): string[] {
  return [
    `pending: a person approved ${whatIsAsked(wait)}; ${text}, for ${lastingText(now - since)}.`,
    `Nobody is asked twice: call ${tool} again with the same arguments in a while (1 min or more); this may take hours.`,
    "Tell the user what is being waited for.",
  ];
}

/** "reading DATABASE_URL from vault "dev"", for people and models alike. */
export function whatIsAsked(wait: Wait): string {
  const [first = "", ...rest] = new Set(wait.names);
  // The same name again is another field of the same secret.
  const one = wait.names.length === 1 ? first : `${wait.names.length} fields of ${first}`;
  const what = rest.length === 0 ? one : `${first} and ${rest.length} more`;
  return wait.action === "read"
    ? `reading ${what} from vault ${quoted(wait.vault)}`
    : `saving ${what} to vault ${quoted(wait.vault)}`;
}

/** How long something has lasted, as coarse as people would say it: "less than a minute", "14 min", "3 h 20 min". */
export function lastingText(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return "less than a minute";
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return `${Math.floor(minutes / (24 * 60))} days`;
}

/** An error as one line inside a longer answer. */
export function lineOf(error: VaultError): string {
  return error.hint === undefined
    ? `${error.code}: ${error.message}`
    : `${error.code}: ${error.message}; ${error.hint}`;
}
