import * as z from "zod";
import { channels } from "../channels/registry.ts";
import { ASSURANCES } from "../core/assurance.ts";
import type { ProviderDefinition } from "../providers/define.ts";
import { PROVIDERS } from "../providers/registry.ts";
import { tunnels } from "../tunnels/registry.ts";
import { VAULT_NAME } from "./names.ts";
import { DEFAULT_VAULT_TYPE } from "./words.ts";

/** A longer window than a day would be standing permission, which is what this program exists to avoid. */
const MAX_TTL_MINUTES = 1440;

/** A kind of thing that has a type of its own and options that follow from it. */
interface Kind {
  readonly type: string;
  readonly title: string;
  readonly summary: string;
  readonly options: z.ZodObject;
}

/** The rules of a vault: what every vault has, whatever keeps its secrets. */
const vaultRules = {
  ttl: z
    .number()
    .min(0)
    .max(MAX_TTL_MINUTES)
    .default(0)
    .describe("Approval window in minutes: how long an approval stays open; 0 asks every time; at most 1440 (a day)"),
  ttlScope: z
    .enum(["secret", "vault"])
    .default("secret")
    .describe('What an approval window covers: the secrets that were shown ("secret") or the whole vault ("vault")'),
  writable: z
    .boolean()
    .default(false)
    .describe("Whether agents may ask to create and replace secrets; each write is asked for"),
  require: z
    .enum(["link", "passkey"])
    .optional()
    .describe(
      'What an approval needs, for this vault alone: the "passkey" of somebody enrolled, or whoever has the "link"; by default what approval.require says',
    ),
  minAssurance: z
    .enum(ASSURANCES)
    .optional()
    .describe(
      "The least an approval must be worth: how it is proven, and how far the agent is kept from this program; below that nobody is asked and nothing is handed out. agent-vault doctor says what holds here",
    ),
};

/** What an editor is told of `writable` where it cannot be; what is said about it otherwise is more than that. */
const neverWritable = vaultRules.writable.meta({
  const: false,
  description: "Vaults of this type cannot be written to",
});

/** The names of the rules. */
export const ruleNames: readonly string[] = Object.keys(vaultRules);

/** The rules by themselves, whatever else stands beside them. */
export function rulesSchema() {
  return z.object(vaultRules);
}

const approval = z
  .strictObject({
    require: z
      .enum(["link", "passkey"])
      .optional()
      .describe(
        'What an approval needs: "passkey" refuses everything until somebody is enrolled, "link" is enough even then; by default a passkey as soon as one is enrolled (agent-vault pair), the link before that',
      ),
    waitSeconds: z
      .number()
      .min(1)
      .max(86_400)
      .optional()
      .describe(
        "How many seconds a tool call waits for the person before it answers that the request is pending; by default as long as the client is known to allow",
      ),
    expireMinutes: z
      .number()
      .min(0.1)
      .max(MAX_TTL_MINUTES)
      .default(15)
      .describe("After how many minutes a request that nobody answered counts as denied"),
    pickupSeconds: z
      .number()
      .min(0)
      .max(3_600)
      .default(300)
      .describe("For how many seconds an approval stays good when the agent was not waiting at that moment"),
    denyCooldownSeconds: z
      .number()
      .min(0)
      .max(86_400)
      .default(300)
      .describe(
        "For how many seconds after Deny the same secrets are refused without asking again; each further denial within a day doubles that, up to an hour, and three denials in a row refuse all that the session asks for, likewise; 0 for neither",
      ),
    maxWaiting: z
      .int()
      .min(1)
      .max(10_000)
      .default(20)
      .describe("How many requests of one session may wait for a person at the same time"),
    linkInResults: z
      .boolean()
      .default(false)
      .describe(
        "Whether the approval link also stands in what the agent reads: only for clients that show it nowhere else, because an agent with a shell could then approve its own requests",
      ),
    browser: z
      .enum(["auto", "always", "never"])
      .default("auto")
      .describe("Whether the page opens in the browser of this computer; auto: where there is a screen"),
  })
  .prefault({})
  .describe("How a person is asked");

const webhook = z.strictObject({
  url: z
    .url({ abort: true })
    .refine(isSafeTarget, { error: "must begin with https:// (http:// only for this computer)" })
    .describe("Where each event is sent with POST: https, or http for this computer"),
  authorization: z.string().min(1).optional().describe('The Authorization header; write "env:NAME"'),
  events: z
    .union([z.literal("all"), z.array(z.enum(["approved", "denied", "auto_approved"])).min(1)])
    .default("all")
    .describe('Which events are sent: "all", or a list of "approved", "denied", "auto_approved"'),
});

const audit = z
  .strictObject({
    database: z
      .string()
      .min(1)
      .optional()
      .describe("File of the audit log, relative to this file; by default audit.db in your state folder"),
  })
  .prefault({})
  .describe("The audit log");

/**
 * What `agent-vault.config.json` may hold, built from the registries: the type, the published JSON Schema and the
 * table in the documentation come from here. Made anew at each call, which a process does once.
 */
export function configSchema() {
  return z.strictObject({
    $schema: z.string().optional().describe("Lets an editor complete and check this file"),
    vaults: z
      .record(z.string().regex(VAULT_NAME), vaultSchema())
      .meta({ description: "Your vaults by the name that the agent and you will see", minProperties: 1 }),
    ngrokAuthToken: z
      .string()
      .min(1)
      .optional()
      .describe('Token of your ngrok account; write "env:NAME". Without it NGROK_AUTHTOKEN of the environment is used'),
    port: z
      .int()
      .min(1)
      .max(65_535)
      .default(9999)
      .describe("Port of the approval page on this computer; the next free one when it is taken"),
    webhooks: z
      .array(webhook)
      .default([])
      .describe("Where events will be sent; checked, but not sent yet by this version"),
    approval,
    tunnel: kinds(tunnels, () => ({}), "Kind of tunnel")
      .optional()
      .describe("What makes the page reachable from your phone; by default ngrok where its token is known, else none"),
    channels: z
      .array(kinds(channels, () => ({}), "Kind of channel"))
      .max(20)
      .default([])
      .describe("Further ways to tell you that a request waits"),
    audit,
  });
}

/** A vault with its rules, whatever else its provider wants. */
export type VaultEntry = { [Rule in keyof typeof vaultRules]: z.output<(typeof vaultRules)[Rule]> } & TypedEntry;

/** Something configured by its type: the rest are that type's own options. */
interface TypedEntry {
  readonly type: string;
  readonly [option: string]: unknown;
}

/** The file as the schema understands it, defaults filled in. */
export type ConfigFile = z.output<ReturnType<typeof configSchema>>;

function vaultSchema(): z.ZodType<VaultEntry> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- options of unknown shape hide the known rules
  return kinds(PROVIDERS, rulesOf, "Kind of vault") as unknown as z.ZodType<VaultEntry>;
}

function rulesOf({ can }: Pick<ProviderDefinition, "can">): typeof vaultRules {
  return can.includes("write") ? vaultRules : { ...vaultRules, writable: neverWritable };
}

/** One object per type. `commonOf` says what each has besides its type and its own options. */
function kinds<One extends Kind, Common extends z.ZodRawShape>(
  registry: readonly One[],
  commonOf: (kind: One) => Common,
  meaning: string,
) {
  const [first, ...rest] = registry.map((kind) => {
    const { type, title, summary, options } = kind;
    const own = { type: typeSchema(type, meaning), ...commonOf(kind) };
    // First for the order in the documentation, last so that no provider can loosen a rule by redefining it.
    return z.strictObject({ ...own, ...options.shape, ...own }).meta({ title, description: summary });
  });
  if (first === undefined) throw new RangeError("a registry is empty");
  return z.discriminatedUnion("type", [first, ...rest]);
}

function typeSchema(type: string, meaning: string) {
  const literal = z.literal(type);
  return type === DEFAULT_VAULT_TYPE ? literal.optional().default(type).describe(meaning) : literal.describe(meaning);
}

function isSafeTarget(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  if (url.protocol === "https:") return true;
  return url.protocol === "http:" && ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname);
}
