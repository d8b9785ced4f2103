import * as z from "zod";
import { valuesReply } from "../reply.ts";
import { answer, defineTool, nameArg, OR_REFERENCE, reasonArg, vaultArg } from "./define.ts";

export const getSecrets = defineTool({
  name: "get_secrets",
  title: "Get several secrets",
  description:
    "Returns several secrets of one vault after a single approval by a person. Prefer it over repeated get_secret. " +
    'Waits for that person; the result may be a "pending" notice: then call again with the same arguments. ' +
    "The first content block is a JSON object name -> value; names that could not be read follow in a second block.",
  annotations: { readOnlyHint: true, openWorldHint: false },
  input: z.strictObject({
    vault: vaultArg,
    names: z.array(nameArg).min(1).max(100).describe(`secret names, as list_secrets shows them, ${OR_REFERENCE}`),
    reason: reasonArg,
  }),
  run: (args, context) => {
    const { session, requester, waiter, broker } = context;
    const names = [...new Set(args.names)];
    const { vault, reason } = args;
    return answer(
      "get_secrets",
      context,
      broker.read({ session, requester, vault, names, reason }, waiter),
      valuesReply,
    );
  },
});
