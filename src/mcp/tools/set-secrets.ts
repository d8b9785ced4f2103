import * as z from "zod";
import { VaultError } from "../../core/errors.ts";
import { Secret } from "../../core/secret.ts";
import { quoted } from "../../core/text.ts";
import { lineOf, textReply } from "../reply.ts";
import { answer, defineTool, nameArg, reasonArg, valueArg, vaultArg } from "./define.ts";

/** Checking that a batch can be written takes longer the larger it is, and it is checked before anyone is asked. */
const MOST_CHARACTERS = 1_000_000;

export const setSecrets = defineTool({
  name: "set_secrets",
  needs: "write",
  title: "Save several secrets",
  description:
    "Creates or replaces several secrets in one writable vault after a single approval by a person. Prefer it over repeated " +
    "set_secret. Says per name what was saved and what was not. Do not repeat a value in a name or the reason. " +
    'The result may be a "pending" notice: then call again with the same arguments.',
  annotations: { readOnlyHint: false, openWorldHint: false, destructiveHint: true, idempotentHint: true },
  input: z.strictObject({
    vault: vaultArg,
    secrets: z
      .array(
        z.strictObject({
          name: nameArg.describe("name to save it under"),
          value: valueArg.describe("the value to save"),
        }),
      )
      .min(1)
      .max(100)
      .refine(
        (secrets) => new Set(secrets.map(({ name }) => name)).size === secrets.length,
        "each name may appear once",
      )
      .refine(
        (secrets) => secrets.reduce((sum, { value }) => sum + value.length, 0) <= MOST_CHARACTERS,
        `all values together may have ${MOST_CHARACTERS} characters: save them in several calls`,
      ),
    reason: reasonArg,
  }),
  run: (args, context) => {
    const { session, requester, waiter, broker } = context;
    const { vault, reason } = args;
    const entries = args.secrets.map(({ name, value }) => ({ name, value: new Secret(value) }));
    return answer(
      "set_secrets",
      context,
      broker.write({ session, requester, vault, entries, reason }, waiter),
      (results) => {
        const lines = results.map(({ name, result }) =>
          result instanceof VaultError ? `${quoted(name)}: not saved, ${lineOf(result)}` : `${quoted(name)}: saved`,
        );
        const saved = results.filter(({ result }) => !(result instanceof VaultError)).length;
        return textReply(`saved ${saved} of ${results.length} to vault ${quoted(vault)}\n${lines.join("\n")}`);
      },
    );
  },
});
