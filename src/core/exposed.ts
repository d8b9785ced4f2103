import type { WriteAsk } from "./asks.ts";
import { VaultError } from "./errors.ts";

/** The name and the reason are shown and logged, so neither may hold what is to be kept secret. Undefined: none does. */
export function exposedBy(ask: WriteAsk): VaultError | undefined {
  const { client, roots = [], folder = "", process = "" } = ask.requester.claims;
  const texts = [ask.vault, ask.reason, client, folder, process, ...roots, ...ask.entries.map((entry) => entry.name)];
  if (!ask.entries.some(({ value }) => texts.some((text) => value.isIn(text)))) return undefined;
  return new VaultError("value_exposed", "the name or the reason contains the value to be saved", {
    hint: "call again with a reason that does not repeat the value; nothing was saved or shown",
  });
}
