import type { Attended } from "./desk.ts";
import { type Code, VaultError } from "./errors.ts";
import type { Each } from "./ports.ts";
import type { Item } from "./request.ts";
import { quoted } from "./text.ts";

/** Answers of people and ends of requests are logged by the desk, the log's own failure cannot be. */
export const HAS_ITS_OWN_LINE = new Set<Code>([
  "ask_differently",
  "expired",
  "withdrawn",
  "cancelled",
  "audit_unavailable",
]);

/** Errors whose delivery already has its `failed` line. */
export const noted = new WeakSet<VaultError>();

/** Names that do not resolve fail the call before anyone is asked, all of them named. */
export function allOrError(each: Each<Item>, names: readonly string[]): readonly Item[] {
  const errors = each.filter((item) => item instanceof VaultError);
  const [first] = errors;
  if (!first) return each.filter((item): item is Item => !(item instanceof VaultError));
  if (errors.length === 1) throw first;
  const bad = names.filter((_, at) => each[at] instanceof VaultError).map(quoted);
  const hints = [...new Set(errors.map((error) => error.hint).filter((hint) => hint !== undefined))];
  throw new VaultError(
    first.code,
    `${errors.length} of ${names.length} names cannot be used: ${bad.join(", ")}; the first: ${first.message}`,
    {
      ...(hints[0] !== undefined && { hint: hints[0] }),
      cause: errors,
    },
  );
}

/** Throws what a person's answer, or its absence, means to the agent. Returns only after a yes. */
export function refuse(attended: Exclude<Attended, { is: "pending" }>): void {
  if (attended.is === "detached")
    throw new VaultError("cancelled", "the call was cancelled while it waited for a person");
  const { standing } = attended;
  switch (standing.is) {
    case "approved":
      return;
    case "denied": {
      const error = new VaultError("denied", "a person denied this request", {
        hint: "do not ask for the same again; ask the user what to do instead",
      });
      noted.add(error);
      throw error;
    }
    case "returned":
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
