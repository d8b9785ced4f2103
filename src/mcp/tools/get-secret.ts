import * as z from "zod";
import { VaultError } from "../../core/errors.ts";
import { valueReply } from "../reply.ts";
import { answer, defineTool, nameArg, reasonArg, vaultArg } from "./define.ts";

export const getSecret = defineTool({
  name: "get_secret",
  title: "Get a secret",
  description:
    "Returns one secret (password, API key, token, connection string) from the user's vault, after a person approved it. " +
    'Waits for that person; the result may be a "pending" notice: then call again with the same arguments. ' +
    "The first content block is exactly the value. For several secrets use get_secrets: one approval instead of many.",
  annotations: { readOnlyHint: true, openWorldHint: false },
  input: z.strictObject({
    vault: vaultArg,
    name: nameArg.describe("secret name, as list_secrets shows it"),
    reason: reasonArg,
  }),
  run: (args, context) => {
    const { session, requester, waiter, broker } = context;
    const { vault, name, reason } = args;
    return answer(
      "get_secret",
      context,
      broker.read({ session, requester, vault, names: [name], reason }, waiter),
      ([first]) => {
        if (!first || first.result instanceof VaultError)
          throw first?.result ?? new RangeError("an answer without a result");
        return valueReply(first.result);
      },
    );
  },
});
