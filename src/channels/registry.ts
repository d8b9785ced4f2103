import type { ChannelDefinition } from "./define.ts";
import { ntfy } from "./ntfy.ts";

/**
 * Every kind of channel that can be configured, in the order the documentation lists them. The browser of this computer
 * is not one of them: `approval.browser` decides about it.
 */
export const channels: readonly ChannelDefinition[] = [ntfy];

/** The kind with this `type`, or undefined. */
export function findChannel(type: string): ChannelDefinition | undefined {
  return channels.find((channel) => channel.type === type);
}
