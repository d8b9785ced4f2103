import type { z } from "zod";
import type { Clock } from "../core/clock.ts";
import type { Rules } from "../core/policy.ts";
import type { Notes, Provider } from "../core/ports.ts";

/** What a provider may know of the world it is opened in. It reads no environment and no configuration by itself. */
export interface ProviderContext {
  /** Absolute folder of the configuration file; relative paths in options start there. */
  readonly folder: string;
  /** Absolute folder where the agent works: what lies in it, the agent can read with its own tools. */
  readonly workFolder: string;
  /** The version of this program, for vaults that want to know who calls. */
  readonly version: string;
  readonly clock: Clock;
  /** One line for the person, without a line break. Providers say each thing once. */
  readonly warn: (line: string) => void;
  /** Records that outlive the process. The scope names whose they are: the server and the tenant, say; never a token. */
  readonly notes: (scope: string) => Notes;
}

/**
 * What a kind of vault can do, told before it is opened. An opened provider has the members that go with it: `list`;
 * `fields`; `prepare`; `planWrite` and `write`.
 */
export type Capability = "list" | "fields" | "prepare" | "write";

/** A mistake that only shows when several options are looked at together. */
export interface OptionProblem {
  /** Where, below the vault: `["write", "vaultId"]`. */
  readonly path: readonly string[];
  /** What is wrong, to follow the path in a sentence: "is missing". */
  readonly message: string;
  readonly hint: string;
}

/** How an environment variable describes an option where there is no configuration file. */
export interface OptionVariable {
  readonly option: string;
  /** As it stands, a list with commas, or a token: that one is required, and stays a reference until `open`. */
  readonly as: "text" | "list" | "token";
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
  readonly can: readonly Capability[];
  /** The provider's own options, without those every vault has. */
  readonly options: Options;
  /** Options as a person would write them, for help and documentation: what is required, tokens as `env:NAME`. */
  readonly example?: Readonly<Record<string, unknown>>;
  /** The variables that describe one such vault where there is no file, by their names. Absent: it takes a file. */
  readonly variables?: Readonly<Record<string, OptionVariable>>;
  // Methods rather than properties, so that a definition with exact options is still one of `ProviderDefinition`.
  /** Connects nothing that can wait until the first use. Rejects with the `VaultError` that says why it cannot be used. */
  open(options: z.output<Options>, context: ProviderContext): Promise<Provider>;
  /** What does not go together in the options and the vault's rules; nothing when all is well. Reads nothing. */
  problems?(options: z.output<Options>, rules: Pick<Rules, "writable">): readonly OptionProblem[];
  /** Absolute paths of the files on this computer that hold its secrets; absent: none does. Reads nothing. */
  files?(options: z.output<Options>, context: Pick<ProviderContext, "folder">): readonly string[];
  /** What a person should mend although it works, one line each; nothing when all is well. Reads no secret. */
  warnings?(options: z.output<Options>, context: ProviderContext): readonly string[];
}

/** Types a definition from its options schema. */
export function defineProvider<const Type extends string, Options extends z.ZodObject>(
  definition: ProviderDefinition<Type, Options>,
): ProviderDefinition<Type, Options> {
  return definition;
}
