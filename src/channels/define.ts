import type { z } from "zod";
import type { Clock } from "../core/clock.ts";
import { unfitOptions, unresolvedIn } from "../core/options.ts";
import type { Channel } from "../core/ports.ts";

/** What a channel gets from the house besides its own options. */
export interface ChannelContext {
  readonly clock: Clock;
  /** The environment of this process; a channel that starts a program hands on only what that program needs. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** One kind of channel, as the configuration knows it. */
export interface ChannelDefinition {
  /** The `type` in the configuration. */
  readonly type: string;
  readonly title: string;
  /** One sentence for `doctor` and the documentation. */
  readonly summary: string;
  /** Strict, without `type`; each field describes itself. Each string may also be written as `env:NAME`. */
  readonly options: z.ZodObject;
  /**
   * Makes the channel; nothing is loaded, opened or sent before the first `ring`. Takes the options as configured (a
   * `type` among them is ignored) with `env:` references resolved; throws `config_invalid` when they do not fit.
   */
  readonly open: (options: Readonly<Record<string, unknown>>, context: ChannelContext) => Channel;
}

/** A definition from its parts. Options are checked again at `open`: what stood behind a reference is known only then. */
export function defineChannel<Options extends z.ZodObject>(parts: {
  readonly type: string;
  readonly title: string;
  readonly summary: string;
  readonly options: Options;
  readonly open: (options: z.output<Options>, context: ChannelContext) => Channel;
}): ChannelDefinition {
  return {
    ...parts,
    open(configured, context) {
      const options = Object.fromEntries(Object.entries(configured).filter(([key]) => key !== "type"));
      const checked = parts.options.safeParse(options);
      const unresolved = unresolvedIn(options);
      if (checked.success && unresolved === undefined) return parts.open(checked.data, context);
      throw unfitOptions(`${parts.type} channel`, unresolved ?? checked.error?.issues[0]?.path.join("."));
    },
  };
}
