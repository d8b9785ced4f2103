import { browser } from "./browser.ts";
import type { ChannelDefinition } from "./define.ts";
import { ntfy } from "./ntfy.ts";

/** Every kind of channel there is, in the order the documentation lists them. */
export const channels: readonly ChannelDefinition[] = [ntfy, browser];

/** The kind with this `type`, or undefined. */
export function findChannel(type: string): ChannelDefinition | undefined {
  return channels.find((channel) => channel.type === type);
}
