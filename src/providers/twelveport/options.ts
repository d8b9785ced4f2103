import * as z from "zod";
import { isServerAddress } from "../http.ts";

/** How messages call it. */
export const WHO = "12Port";

/** The options that its hints name. */
export const OPTION_NAMES = { address: "server", ca: "ca" } as const;

/** An id that can stand in a path by itself, whatever the server calls an id. */
export const ASSET_ID = /^[A-Za-z0-9][\w.:~-]{0,127}$/;

const ACTION = /^[\w-]{1,64}$/;

/** The five operations that are used, by our own names for them. */
export const OPERATIONS = ["search", "credentials", "createRequest", "requestStatus", "completeRequest"] as const;

export type OperationName = (typeof OPERATIONS)[number];

const operationId = z.string().min(1).max(200).optional();

/** What a 12Port vault takes in the configuration. */
export const options = z.strictObject({
  server: z
    .string()
    .refine(orVariable(isServerAddress), "must be https://host or https://host:port, with nothing behind it")
    .describe("Address of the server: https://vault.example.com, with the port where it is not 443"),
  tenant: z
    .string()
    .min(1, { abort: true })
    .refine(orVariable(isTenant), "must be its name alone, without / ? # and \\")
    .describe("Name of the tenant, as it stands in the addresses after /ztna/"),
  token: z.string().min(1).describe('API token that an administrator made for you; write "env:NAME"'),
  ca: z
    .string()
    .min(1)
    .optional()
    .describe(
      "Certificate of the authority that signed the server's own, where that is not a public one: a PEM file, relative to the configuration file, or its text. Then no other is trusted",
    ),
  assets: z
    .record(
      z.string().min(1).max(200),
      z.string().refine(
        orVariable((text) => ASSET_ID.test(text)),
        "must be the id that stands in the asset's address",
      ),
    )
    .default({})
    .describe("Names for asset ids: these assets need no search"),
  requestMinutes: z
    .number()
    .min(1)
    .max(43_200)
    .default(60)
    .describe("For how many minutes access is requested where an asset needs the approval of the vault's own people"),
  pollSeconds: z
    .number()
    .min(5)
    .max(300)
    .default(20)
    .describe("How often is looked whether they have answered, in seconds"),
  timeoutMinutes: z
    .number()
    .min(1)
    .max(43_200)
    .optional()
    .describe(
      "After how many minutes without an answer from them the agent is told so; by default when the time that was requested is over",
    ),
  onReject: z
    .enum(["ask", "giveUp"])
    .default("giveUp")
    .describe(
      'What a rejection means: "giveUp" refuses the asset until the time that was requested is over, "ask" lets a call request access once more after five minutes',
    ),
  complete: z
    .enum(["use", "window", "exit", "never"])
    .default("window")
    .describe(
      'When an approved request is closed in 12Port: after the "use", at the end of the "window" you opened, at the "exit" of agent-vault, or "never" by us',
    ),
  operations: z
    .strictObject({
      search: operationId,
      credentials: operationId,
      createRequest: operationId,
      requestStatus: operationId,
      completeRequest: operationId,
    })
    .default({})
    .describe("operationIds of the server's own document, where doctor says that one was not found"),
  requestActions: z
    .array(z.string().regex(ACTION, "an action is one word"))
    .min(1)
    .max(32)
    .optional()
    .describe("The values of RequestAction, where the server's own document does not list them"),
});

/** The options with their defaults. */
export type TwelvePortOptions = z.output<typeof options>;

/** Whether a text is an action as it may stand in a path. */
export function isAction(text: string): boolean {
  return ACTION.test(text);
}

/** A reference is looked at once it is resolved. */
function orVariable(fits: (text: string) => boolean): (text: string) => boolean {
  return (text) => text.startsWith("env:") || fits(text);
}

function isTenant(text: string): boolean {
  return /^[^/?#\\\p{C}]{1,200}$/u.test(text) && text.trim() === text && text !== "." && text !== "..";
}
