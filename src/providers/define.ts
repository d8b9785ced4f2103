import type { z } from "zod";
import type { Provider } from "../core/ports.ts";

/** What a provider may know of the world it is opened in. It reads no environment and no configuration by itself. */
export interface ProviderContext {
  /** Absolute folder of the configuration file; relative paths in options start there. */
  readonly folder: string;
  /** Absolute folder where the agent works: what lies in it, the agent can read with its own tools. */
  readonly workFolder: string;
  /** One line for the person, without a line break. Providers say each thing once. */
  readonly warn: (line: string) => void;
}

/**
 * One kind of secret store: what it is called, which options it takes and how it is opened. String options written as
 * `env:NAME` are resolved before `open` is called. Defining is free; whatever is heavy is loaded inside `open`.
 */
export interface ProviderDefinition<Type extends string = string, Options extends z.ZodObject = z.ZodObject> {
  /** The `type` of a vault in the configuration. */
  readonly type: Type;
  /** What people call it: "env file". */
  readonly title: string;
  /** One sentence for documentation and help. */
  readonly summary: string;
  /** Whether this kind of store can be written to at all; the vault's own `writable` decides on top of it. */
  readonly writable: boolean;
  /** The provider's own options, without those every vault has. */
  readonly options: Options;
  // Methods rather than properties, so that a definition with exact options is still one of `ProviderDefinition`.
  /** Connects nothing that can wait until the first use. Rejects with the `VaultError` that says why it cannot be used. */
  open(options: z.output<Options>, context: ProviderContext): Promise<Provider>;
  /** What a person should mend although it works, one line each; nothing when all is well. Reads no secret. */
  warnings?(options: z.output<Options>, context: ProviderContext): readonly string[];
}

/** Types a definition from its options schema. */
export function defineProvider<const Type extends string, Options extends z.ZodObject>(
  definition: ProviderDefinition<Type, Options>,
): ProviderDefinition<Type, Options> {
  return definition;
}
