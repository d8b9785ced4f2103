import * as z from "zod";
import type { Outcome } from "../../core/asks.ts";
import { VaultError } from "../../core/errors.ts";
import type { Secret } from "../../core/secret.ts";
import { fieldsReply, valueReply } from "../reply.ts";
import { answer, defineTool, nameArg, OR_REFERENCE, reasonArg, vaultArg } from "./define.ts";

const EVERY = "*";
const fieldArg = z.string().min(1).max(256);

export const getSecret = defineTool({
  name: "get_secret",
  title: "Get a secret",
  description:
    "Returns one secret (password, API key, token, connection string) from the user's vault, after a person approved it. " +
    'Waits for that person; the result may be a "pending" notice: then call again with the same arguments. ' +
    "The first content block is exactly the value; with fields it is a JSON object field -> value. " +
    "For several secrets use get_secrets: one approval instead of many.",
  annotations: { readOnlyHint: true, openWorldHint: false },
  input: z
    .strictObject({
      vault: vaultArg,
      name: nameArg.describe(`secret name, as list_secrets shows it, ${OR_REFERENCE}`),
      reason: reasonArg,
      field: fieldArg
        .refine((field) => field !== EVERY, `must name one field; for every field pass fields: ["${EVERY}"]`)
        .optional()
        .describe("only this field, such as username; left out: the secret's main field"),
      fields: z
        .array(fieldArg)
        .min(1)
        .max(100)
        .refine((fields) => new Set(fields).size === fields.length, "may name each field once")
        .refine((fields) => !fields.includes(EVERY) || fields.length === 1, `may hold "${EVERY}" only alone`)
        .optional()
        .describe(`several fields, as a JSON object; ["${EVERY}"]: every field`),
    })
    .refine(({ field, fields }) => field === undefined || fields === undefined, "may hold field or fields, not both"),
  run: (args, context) => {
    const { session, requester, waiter, broker } = context;
    const { vault, name, reason, field } = args;
    const fields = field === undefined ? args.fields : [field];
    const ask = { session, requester, vault, names: [name], ...(fields && { fields }), reason };
    return answer("get_secret", context, broker.read(ask, waiter), args.fields ? fieldsReply : theOne);
  },
});

function theOne([first]: readonly Outcome<Secret>[]): ReturnType<typeof valueReply> {
  if (!first || first.result instanceof VaultError) throw first?.result ?? new RangeError("an answer without a result");
  return valueReply(first.result);
}
