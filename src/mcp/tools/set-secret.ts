import * as z from "zod";
import { VaultError } from "../../core/errors.ts";
import { Secret } from "../../core/secret.ts";
import { quoted } from "../../core/text.ts";
import { textReply } from "../reply.ts";
import { answer, defineTool, nameArg, reasonArg, valueArg, vaultArg } from "./define.ts";

export const setSecret = defineTool({
  name: "set_secret",
  needs: "write",
  title: "Save a secret",
  description:
    "Creates or replaces one secret in a writable vault after a person approved it. Use it for credentials you generate, " +
    "instead of printing them. The value is never shown again; do not repeat it in the name or the reason. " +
    'The result may be a "pending" notice: then call again with the same arguments.',
  annotations: { readOnlyHint: false, openWorldHint: false, destructiveHint: true, idempotentHint: true },
  input: z.strictObject({
    vault: vaultArg,
    name: nameArg.describe("name to save it under"),
    value: valueArg.describe("the value to save"),
    reason: reasonArg,
  }),
  run: (args, context) => {
    const { session, requester, waiter, broker } = context;
    const { vault, name, reason } = args;
    const entries = [{ name, value: new Secret(args.value) }];
    return answer(
      "set_secret",
      context,
      broker.write({ session, requester, vault, entries, reason }, waiter),
      ([first]) => {
        if (!first || first.result instanceof VaultError)
          throw first?.result ?? new RangeError("an answer without a result");
        return textReply(`saved ${quoted(name)} to vault ${quoted(vault)}`);
      },
    );
  },
});
