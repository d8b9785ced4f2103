import type { z } from "zod";
import type { Clock } from "../core/clock.ts";
import { unfitOptions, unresolvedIn } from "../core/options.ts";
import type { Tunnel } from "../core/ports.ts";

/** What a tunnel gets from the house besides its own options. */
export interface TunnelContext {
  readonly clock: Clock;
}

/** One kind of tunnel, as the configuration knows it. */
export interface TunnelDefinition {
  /** The `type` in the configuration. */
  readonly type: string;
  readonly title: string;
  /** One sentence for `doctor` and the documentation. */
  readonly summary: string;
  /** Strict, without `type`; each field describes itself. Each string may also be written as `env:NAME`. */
  readonly options: z.ZodObject;
  /**
   * Makes the tunnel; undefined where the page is to stay on this machine. Nothing is loaded or connected before the
   * tunnel's own `open`. Takes the options as configured (a `type` among them is ignored) with `env:` references
   * resolved; throws `config_invalid` when they do not fit.
   */
  readonly open: (options: Readonly<Record<string, unknown>>, context: TunnelContext) => Tunnel | undefined;
}

/** A definition from its parts. Options are checked again at `open`: what stood behind a reference is known only then. */
export function defineTunnel<Options extends z.ZodObject>(parts: {
  readonly type: string;
  readonly title: string;
  readonly summary: string;
  readonly options: Options;
  readonly open: (options: z.output<Options>, context: TunnelContext) => Tunnel | undefined;
}): TunnelDefinition {
  return {
    ...parts,
    open(configured, context) {
      const options = Object.fromEntries(Object.entries(configured).filter(([key]) => key !== "type"));
      const checked = parts.options.safeParse(options);
      const unresolved = unresolvedIn(options);
      if (checked.success && unresolved === undefined) return parts.open(checked.data, context);
      throw unfitOptions(`${parts.type} tunnel`, unresolved ?? checked.error?.issues[0]?.path.join("."));
    },
  };
}
