import type { Coming, Unset } from "./config.ts";

/** Why something is left out: "OP_DEV_TOKEN is not set". */
export function leftOutText(use: Unset | Coming): string {
  if ("coming" in use) return "this version does not have its type yet";
  return `${use.unset.join(", ")} ${use.unset.length === 1 ? "is" : "are"} not set`;
}

/** What a person can do about it. */
export function leftOutHint(use: Unset | Coming): string {
  if ("coming" in use) return "the other vaults work; agent-vault providers lists the types there are";
  return `set ${use.unset.join(", ")} in the environment of the MCP server or in the .env beside the configuration`;
}
