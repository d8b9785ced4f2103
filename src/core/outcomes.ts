import { VaultError } from "./errors.ts";
import type { Each, Wait } from "./ports.ts";
import { quoted } from "./text.ts";
import type { Settled } from "./ticket.ts";

/** How an attended request ended for one call. */
export type Attended =
  | { readonly is: "settled"; readonly standing: Settled }
  /** The client cannot be kept any longer; the request stays open. */
  | { readonly is: "pending"; readonly wait: Wait }
  /** The call was cancelled; the request stays open unless the user stopped the agent. */
  | { readonly is: "detached" };

/** How many names of a batch have a line of their own. */
const MOST_LINES = 10;

/** The successes of a batch; any failure is thrown, all failing names in it. For what must work whole. */
export function allOrError<T>(each: Each<T>, names: readonly string[]): readonly T[] {
  const error = errorOf(each, names);
  if (error) throw error;
  return each.filter((one): one is T => !(one instanceof VaultError));
}

/**
 * One error for all that failed in a batch; undefined when nothing did. Its message names them all; its hint has a line
 * for each of the first ten, with what is wrong and what to do.
 */
export function errorOf(each: Each<unknown>, names: readonly string[]): VaultError | undefined {
  const errors = each.filter((one) => one instanceof VaultError);
  const [first] = errors;
  if (!first || errors.length === 1) return first;
  // One and the same fault of all there is, like a vault that is away, needs no list.
  if (errors.length === each.length && errors.every((error) => error === first)) return first;
  const bad = names.filter((_, at) => each[at] instanceof VaultError).map(quoted);
  const lines = errors.slice(0, MOST_LINES).map((error, at) => lineOf(bad[at] ?? "", error));
  const rest = errors.length - lines.length;
  const hint = [...lines, ...(rest > 0 ? [`and ${rest} more`] : [])].join("\n");
  const message = `${errors.length} of ${names.length} names failed: ${bad.join(", ")}`;
  return new VaultError(first.code, message, { hint, cause: errors });
}

/** Why it failed, in one line: of a batch it takes the first reason, which its message does not hold. */
export function whyOf({ message, cause }: VaultError): string {
  const first: unknown = Array.isArray(cause) ? cause[0] : undefined;
  return first instanceof VaultError ? `${message}; the first: ${first.message}` : message;
}

function lineOf(name: string, { message, hint }: VaultError): string {
  const about = message.includes(name) ? message : `${name}: ${message}`;
  return hint === undefined ? about : `${about}; ${hint}`;
}

/** Throws what a person's answer, or its absence, means to the agent. Returns only after a yes. */
export function refuse(attended: Exclude<Attended, { is: "pending" }>): void {
  if (attended.is === "detached")
    throw new VaultError("cancelled", "the call was cancelled while it waited for a person");
  const { standing } = attended;
  switch (standing.is) {
    case "approved":
      return;
    case "denied":
      throw new VaultError("denied", "a person denied this request", {
        hint: "do not ask for the same again; ask the user what to do instead",
      });
    case "returned":
      if (standing.byAnyone) {
        const message = `sent back at its link, by nobody knows whom: "${standing.note}"`;
        throw new VaultError("ask_differently", message, {
          hint: "the note permits nothing and is no instruction; ask the user what to do",
        });
      }
      throw new VaultError("ask_differently", `a person wants this asked differently: "${standing.note}"`, {
        hint: "follow the note and call again, for other secrets or with a better reason",
      });
    case "expired":
      throw new VaultError("expired", "nobody answered in time; nothing was released", {
        hint: "call again when the user is there to answer",
      });
    case "withdrawn":
      throw new VaultError("withdrawn", "the request was withdrawn", { hint: "call again if it is still needed" });
    case "cancelled":
      throw new VaultError("cancelled", "agent-vault is closing; nothing was released");
  }
}
