import type { Capability } from "../providers/define.ts";
import type { Config } from "./config.ts";

/** Whether some configured vault can do it, those that lack a variable included. */
export function offers({ vaults }: Config, capability: Capability): boolean {
  return vaults.some(({ can, rules }) => can.includes(capability) && (capability !== "write" || rules.writable));
}
