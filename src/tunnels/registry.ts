import type { TunnelDefinition } from "./define.ts";
import { ngrok } from "./ngrok.ts";
import { none } from "./none.ts";

/** Every kind of tunnel there is, in the order the documentation lists them. */
export const tunnels: readonly TunnelDefinition[] = [ngrok, none];

/** The kind with this `type`, or undefined. */
export function findTunnel(type: string): TunnelDefinition | undefined {
  return tunnels.find((tunnel) => tunnel.type === type);
}
