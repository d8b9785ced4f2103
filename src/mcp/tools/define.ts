import type { CallToolResult } from "@modelcontextprotocol/sdk/types.js";
import * as z from "zod";
import type { Reply } from "../../core/asks.ts";
import type { Broker } from "../../core/broker.ts";
import { VaultError } from "../../core/errors.ts";
import type { Waiter } from "../../core/ports.ts";
import type { Requester } from "../../core/request.ts";
import { glimpse, visibleProse } from "../../core/text.ts";
import { pendingReply } from "../reply.ts";

/** What a tool may use while it runs. */
export interface ToolContext {
  readonly broker: Broker;
  readonly session: string;
  readonly requester: Requester;
  readonly waiter: Waiter;
  readonly now: () => number;
  /** `approval.linkInResults` */
  readonly linkInResults: boolean;
}

/** What a vault must be able to do for a tool to be of any use. */
export type Need = "write";

/** One tool: data and a function. */
export interface Tool {
  readonly name: string;
  /** Shown only where some configured vault can do this; absent: always shown. */
  readonly needs?: Need;
  readonly title: string;
  readonly description: string;
  readonly annotations: {
    readOnlyHint: boolean;
    openWorldHint: boolean;
    destructiveHint?: boolean;
    idempotentHint?: boolean;
  };
  readonly input: z.ZodObject;
  readonly run: (args: unknown, context: ToolContext) => Promise<CallToolResult>;
}

/** Makes a tool; its arguments are parsed once, here, by the schema that clients are shown. */
export function defineTool<S extends z.ZodObject>(
  tool: Omit<Tool, "input" | "run"> & {
    readonly input: S;
    readonly run: (args: z.output<S>, context: ToolContext) => Promise<CallToolResult>;
  },
): Tool {
  return { ...tool, run: async (args, context) => tool.run(parse(tool.name, tool.input, args), context) };
}

/** Turns what the broker says into a result; a wait becomes a pending notice. */
export async function answer<T>(
  tool: string,
  context: ToolContext,
  reply: Promise<Reply<T>>,
  done: (results: Extract<Reply<T>, { is: "done" }>["results"]) => CallToolResult,
): Promise<CallToolResult> {
  const settled = await reply;
  if (settled.is === "done") return done(settled.results);
  return pendingReply(tool, settled.wait, {
    now: context.now(),
    mayHoldLink: context.linkInResults || !settled.wait.linkApproves,
  });
}

export const vaultArg = z.string().min(1).max(200).describe("vault name, as list_secrets shows it");
export const nameArg = z.string().min(1).max(256);
/** The vault's own words for a secret, in every description that takes a name. */
export const OR_REFERENCE = "or the vault's own reference (op://vault/item/field, an id)";
export const valueArg = z.string().max(131_072);
export const reasonArg = z
  .string()
  .trim()
  .min(1)
  .max(1_000)
  .transform(visibleProse)
  .describe("why you need it, in one specific, honest sentence; a person reads it before deciding");

function parse<S extends z.ZodObject>(tool: string, input: S, args: unknown): z.output<S> {
  const parsed = input.safeParse(args ?? {});
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.slice(0, 5).map((issue) => `${placeOf(issue.path)} ${wordsOf(issue)}`);
  const takes = Object.keys(input.shape).join(", ");
  // Which arguments there are helps where one was called something else, and says nothing where one of them is wrong.
  const isStrange = parsed.error.issues.some(({ code, path }) => path.length === 0 && code !== "custom");
  throw new VaultError("invalid_arguments", `${tool}: ${problems.join("; ")}`, {
    ...(isStrange && { hint: `${tool} takes ${takes}` }),
  });
}

function placeOf(path: readonly PropertyKey[]): string {
  return path.length === 0 ? "arguments" : glimpse(path.map(String).join("."), 80);
}

/** What is wrong, without a word of what was sent: a value may stand where a key should, and the answer is kept in logs. */
function wordsOf(issue: z.core.$ZodIssue): string {
  if (issue.code === "invalid_type") {
    return issue.message.endsWith("received undefined") ? "is missing" : `must be of type ${issue.expected}`;
  }
  if (issue.code === "too_small") return "is empty";
  if (issue.code === "too_big") {
    return `is too long, at most ${issue.maximum} ${issue.origin === "array" ? "entries" : "characters"}`;
  }
  if (issue.code !== "unrecognized_keys") return glimpse(issue.message, 120);
  const words = issue.keys.filter((key) => /^[A-Za-z_]{1,24}$/.test(key));
  return `may not hold ${words.length === 0 ? "an unknown argument" : words.slice(0, 5).join(", ")}`;
}
