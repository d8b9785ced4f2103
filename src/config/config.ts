import type { ChannelContext } from "../channels/define.ts";
import type { VaultError } from "../core/errors.ts";
import type { Rules } from "../core/policy.ts";
import type { Channel, Provider, Tunnel } from "../core/ports.ts";
import type { Secret } from "../core/secret.ts";
import type { Capability, ProviderContext } from "../providers/define.ts";
import type { TunnelContext } from "../tunnels/define.ts";
import type { Surroundings } from "./places.ts";
import type { Problem } from "./problem.ts";

/** Where the configuration came from. */
export type Source =
  | { readonly is: "file"; readonly path: string }
  /** The names of those that are set and say something of the vault. */
  | { readonly is: "environment"; readonly variables: readonly string[] };

/**
 * What a person configured, checked and complete: times in ms, paths absolute, references resolved. Tokens are inside
 * closures or `Secret`s, so that printing a configuration gives nothing away. Read once per process.
 */
export interface Config {
  readonly source: Source;
  /** Tells one configuration from another; see `digestOfConfig`. */
  readonly digest: string;
  /** Absolute folder that relative paths start from: where the file lies. */
  readonly folder: string;
  /** In the order of the file; names differ. */
  readonly vaults: readonly VaultConfig[];
  readonly port: number;
  readonly approval: ApprovalConfig;
  readonly tunnel: TunnelConfig;
  readonly channels: readonly ChannelConfig[];
  /** Checked, not delivered: see `warnings`. */
  readonly webhooks: readonly WebhookConfig[];
  /** Absolute path of the audit database. */
  readonly database: string;
  /** Absolute paths of the files that tokens and secrets are read from, whether they are there or not. */
  readonly secretFiles: readonly string[];
  /** Names of the variables that held tokens in the environment, not in a file. */
  readonly tokenVariables: readonly string[];
  readonly surroundings: Surroundings;
  /** What works and still deserves a word to the person. */
  readonly warnings: readonly Warning[];
}

/** One line that says what, and what to do about it. */
export interface Warning {
  readonly message: string;
  readonly hint: string;
}

/** Something that needs a variable which is not set: it is left out, and said to be. */
export interface Unset {
  readonly ready: false;
  readonly unset: readonly string[];
}

/** A vault of a type that this version does not have yet: it is left out, and said to be. */
export interface Coming {
  readonly ready: false;
  readonly coming: true;
}

export interface VaultConfig {
  readonly name: string;
  /** The provider's type and what people call it. */
  readonly type: string;
  readonly title: string;
  /** What its kind can do, known without opening it; whether it may be written to is one of the rules. */
  readonly can: readonly Capability[];
  readonly rules: Rules;
  readonly use:
    | Unset
    | Coming
    | { readonly ready: true; readonly open: OpenProvider; readonly warnings: ProviderWarnings };
}

/** Opens the vault; connects nothing that can wait. Rejects with the `VaultError` that says why it cannot be used. */
type OpenProvider = (context: Omit<ProviderContext, "folder">) => Promise<Provider>;

/** What a person should mend about the vault although it works, one line each. */
type ProviderWarnings = (context: Omit<ProviderContext, "folder">) => readonly string[];

export interface ApprovalConfig {
  /** How long a tool call waits for the person; absent: as long as the client is known to allow. */
  readonly waitMs?: number;
  readonly expireMs: number;
  readonly pickupMs: number;
  readonly denyCooldownMs: number;
  readonly maxWaiting: number;
  readonly linkInResults: boolean;
}

export interface TunnelConfig {
  readonly type: string;
  readonly title: string;
  readonly use: Unset | { readonly ready: true; readonly open: (context: TunnelContext) => Tunnel | undefined };
}

/** Makes the channel; nothing is loaded, opened or sent before its first `ring`. */
export type OpenChannel = (context: Pick<ChannelContext, "clock">) => Channel;

export interface ChannelConfig {
  readonly type: string;
  readonly title: string;
  readonly use: Unset | { readonly ready: true; readonly open: OpenChannel };
}

export interface WebhookConfig {
  readonly use:
    | Unset
    | {
        readonly ready: true;
        readonly url: Secret;
        readonly authorization?: Secret;
        readonly events: "all" | readonly ("approved" | "denied" | "auto_approved")[];
      };
}

/** A configuration, or why there is none. A person's mistake is an answer here, never an exception. */
export type LoadResult =
  | { readonly ok: true; readonly config: Config }
  | {
      readonly ok: false;
      /** `config_missing` or `config_invalid`, with the command that mends it as its hint. */
      readonly error: VaultError;
      readonly problems: readonly Problem[];
      /** The file that has the problems. */
      readonly path?: string;
      readonly surroundings: Surroundings;
      /** Where the audit log lies as far as is known without the configuration. */
      readonly database: string;
    };
