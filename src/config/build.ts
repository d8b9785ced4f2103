import { join } from "node:path";
import { browser } from "../channels/browser.ts";
import { findChannel } from "../channels/registry.ts";
import { parseAssurance } from "../core/assurance.ts";
import type { z } from "zod";
import type { Rules } from "../core/policy.ts";
import { Secret } from "../core/secret.ts";
import { providerOf } from "../providers/registry.ts";
import { findTunnel } from "../tunnels/registry.ts";
import type {
  ApprovalConfig,
  ChannelConfig,
  Config,
  OpenChannel,
  TunnelConfig,
  Unset,
  VaultConfig,
  WebhookConfig,
} from "./config.ts";
import { digestOfConfig } from "./digest.ts";
import type { Part, Text } from "./text.ts";
import { databasePath, withoutVariables, type Around } from "./places.ts";
import { isSensitive, remarks, writtenOut } from "./remarks.ts";
import { rulesSchema, type ConfigFile, type VaultEntry } from "./schema.ts";
import { isObject } from "./tree.ts";
import { DEFAULT_VAULT_TYPE } from "./words.ts";

const MINUTE_MS = 60_000;
const SECOND_MS = 1_000;

/** What a file that was found to be right comes to. The entries of `file` are the parts that lack no variable. */
export function build(text: Text, file: ConfigFile, parts: readonly Part[]): Config {
  const { source, folder, around } = text;
  const named = file.audit.database;
  const meaning = {
    folder,
    vaults: under("vaults", parts).map((part) => vaultConfig(part, file, folder)),
    port: file.port,
    approval: approvalConfig(file.approval),
    tunnel: tunnelConfig(file, parts, around),
    channels: [...browserHere(file, around), ...under("channels", parts).map((part) => channelConfig(part, around))],
    database: databasePath(around, named === undefined ? undefined : { path: named, folder }),
  };
  return {
    source,
    digest: digestOfConfig(text, parts, meaning),
    ...meaning,
    webhooks: webhookConfigs(file, parts),
    secretFiles: [...besides(text, parts), ...secretFiles(file, folder)],
    tokenVariables: tokenVariables(parts, around),
    surroundings: withoutVariables(around),
    warnings: remarks(text, file, parts),
  };
}

/** Where the tokens of a configuration stand: in the file beside it, and in its own text where one is written out. */
function besides({ source, folder }: Text, parts: readonly Part[]): string[] {
  if (source.is !== "file") return [];
  return [join(folder, ".env"), ...(writtenOut(parts).length > 0 ? [source.path] : [])];
}

/** The files that vaults keep their secrets in. */
function secretFiles({ vaults }: ConfigFile, folder: string): string[] {
  return Object.values(vaults).flatMap((entry) => {
    const definition = providerOf(entry.type);
    return definition?.files?.(optionsOf(entry, Object.keys(definition.options.shape)), { folder }) ?? [];
  });
}

/** Variables that hold a token whatever is configured, and those that stand where a token belongs. */
function tokenVariables(parts: readonly Part[], { variables }: Around): string[] {
  const taken = parts.flatMap(({ resolved }) => resolved.taken);
  const referred = taken.filter(({ path }) => isSensitive(path)).map(({ name }) => name);
  return [...new Set([...TOKEN_VARIABLES, ...referred])].filter((name) => variables[name]);
}

function under(name: string, parts: readonly Part[]): Part[] {
  return parts.filter(({ path }) => path[0] === name);
}

/** The variables a part lacks, each once. */
function unsetIn(part: Part): Unset | undefined {
  const names = [...new Set(part.resolved.unset.map(({ name }) => name))];
  return names.length === 0 ? undefined : { ready: false, unset: names };
}

function vaultConfig(part: Part, file: ConfigFile, folder: string): VaultConfig {
  const name = String(part.path[1]);
  const entry: VaultEntry | undefined = file.vaults[name];
  // An unset variable cannot stand in a rule, so the rules of a vault that is left out are those of the text.
  const rules = rulesOf(entry ?? rulesSchema().parse(part.resolved.value), file.approval);
  const type = entry?.type ?? typeOf(part);
  if (part.coming === true) {
    return {
      name,
      type,
      title: type,
      can: [],
      rules: { ...rules, writable: false },
      use: { ready: false, coming: true },
    };
  }
  const definition = known(providerOf(type), type);
  const common = { name, type, title: definition.title, can: definition.can, rules };
  if (entry === undefined) return { ...common, use: unsetIn(part) ?? { ready: false, unset: [] } };
  const options = optionsOf(entry, Object.keys(definition.options.shape));
  return {
    ...common,
    use: {
      ready: true,
      open: (context) => definition.open(options, { ...context, folder }),
      warnings: (context) => definition.warnings?.(options, { ...context, folder }) ?? [],
    },
  };
}

/** What a vault says of itself counts before what is said of all. */
function rulesOf(written: z.output<ReturnType<typeof rulesSchema>>, approval: ConfigFile["approval"]): Rules {
  const { ttl, ttlScope, writable, require = approval.require, minAssurance } = written;
  const least = minAssurance === undefined ? undefined : known(parseAssurance(minAssurance), minAssurance);
  return {
    ttlMs: Math.round(ttl * MINUTE_MS),
    ttlScope,
    writable,
    ...(require === undefined ? {} : { require }),
    ...(least === undefined ? {} : { minAssurance: least }),
  };
}

function optionsOf(entry: VaultEntry, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.filter((name) => Object.hasOwn(entry, name)).map((name) => [name, entry[name]]));
}

function typeOf(part: Part): string {
  const written = isObject(part.resolved.value) ? part.resolved.value["type"] : undefined;
  return typeof written === "string" ? written : DEFAULT_VAULT_TYPE;
}

function known<Kind>(kind: Kind | undefined, word: string): Kind {
  if (kind === undefined) throw new TypeError(`the schema let ${word} through, and nothing is known by that name`);
  return kind;
}

function approvalConfig(written: ConfigFile["approval"]): ApprovalConfig {
  return {
    ...(written.waitSeconds === undefined ? {} : { waitMs: Math.round(written.waitSeconds * SECOND_MS) }),
    expireMs: Math.round(written.expireMinutes * MINUTE_MS),
    pickupMs: Math.round(written.pickupSeconds * SECOND_MS),
    denyCooldownMs: Math.round(written.denyCooldownSeconds * SECOND_MS),
    maxWaiting: written.maxWaiting,
    linkInResults: written.linkInResults,
  };
}

/** The browser of this computer, where it was asked for or somebody sits before it. */
function browserHere({ approval }: ConfigFile, around: Around): ChannelConfig[] {
  if (!(approval.browser === "always" || (approval.browser === "auto" && around.display))) return [];
  const open: OpenChannel = ({ clock }) => browser.open({}, { clock, environment: around.variables });
  return [{ type: browser.type, title: browser.title, use: { ready: true, open } }];
}

/**
 * The tunnel that was asked for; without a word about it, ngrok where a token is known or meant to be, else none. The
 * token is the tunnel's own, else `ngrokAuthToken`, else NGROK_AUTHTOKEN.
 */
function tunnelConfig(file: ConfigFile, parts: readonly Part[], around: Around): TunnelConfig {
  const part = under("tunnel", parts)[0];
  const tokenPart = under("ngrokAuthToken", parts)[0];
  const fromAround = around.variables[TOKEN_VARIABLE] || undefined;
  const type =
    part !== undefined ? typeOf(part) : tokenPart !== undefined || fromAround !== undefined ? "ngrok" : "none";
  const definition = known(findTunnel(type), type);
  const common = { type, title: definition.title };

  const lacking = part === undefined ? undefined : unsetIn(part);
  if (lacking !== undefined) return { ...common, use: lacking };
  const options: Record<string, unknown> = { ...file.tunnel };
  if (type === "ngrok" && options["authToken"] === undefined) {
    const noToken = tokenPart === undefined ? undefined : unsetIn(tokenPart);
    if (noToken !== undefined) return { ...common, use: noToken };
    const token = file.ngrokAuthToken ?? fromAround;
    if (token === undefined) return { ...common, use: { ready: false, unset: [TOKEN_VARIABLE] } };
    options["authToken"] = token;
  }
  return { ...common, use: { ready: true, open: (context) => definition.open(options, context) } };
}

const TOKEN_VARIABLE = "NGROK_AUTHTOKEN";
const TOKEN_VARIABLES = [TOKEN_VARIABLE, "OP_SERVICE_ACCOUNT_TOKEN"];

function channelConfig(part: Part, around: Around): ChannelConfig {
  const type = typeOf(part);
  const definition = known(findChannel(type), type);
  const lacking = unsetIn(part);
  if (lacking !== undefined) return { type, title: definition.title, use: lacking };
  const options = isObject(part.resolved.value) ? part.resolved.value : {};
  const open: OpenChannel = ({ clock }) => definition.open(options, { clock, environment: around.variables });
  return { type, title: definition.title, use: { ready: true, open } };
}

function webhookConfigs(file: ConfigFile, parts: readonly Part[]): WebhookConfig[] {
  const ready = file.webhooks.values();
  return under("webhooks", parts).map((part) => {
    const lacking = unsetIn(part);
    const hook = lacking === undefined ? ready.next().value : undefined;
    if (hook === undefined) return { use: lacking ?? { ready: false, unset: [] } };
    const { url, authorization, events } = hook;
    return {
      use: {
        ready: true,
        url: new Secret(url),
        events,
        ...(authorization === undefined ? {} : { authorization: new Secret(authorization) }),
      },
    };
  });
}
