import * as z from "zod";
import { defineProvider, type OptionProblem } from "../define.ts";
import { CATEGORY_NAMES, spelledOurWay } from "./categories.ts";
import { openOnePassword, placeOf } from "./provider.ts";

const vaultId = z.string().min(1);

/** Secrets in 1Password, through a service account. */
export const onepassword = defineProvider({
  type: "1password",
  title: "1Password",
  summary: "The vaults that a 1Password service account may use.",
  can: ["list", "fields", "write"],
  options: z.strictObject({
    serviceAccountToken: z
      .string()
      .min(1)
      .describe('Token of a 1Password service account; write "env:NAME". It begins with `ops_`.'),
    vaultIds: z
      .array(vaultId)
      .min(1)
      .optional()
      .describe(
        "Ids of the 1Password vaults that may be used at all; by default all that the service account can see. `agent-vault doctor` lists them.",
      ),
    write: z
      .strictObject({
        vaultId: vaultId
          .optional()
          .describe("Id of the 1Password vault where new items are made; by default the only one in `vaultIds`."),
        category: z
          .preprocess(spelledOurWay, z.enum(CATEGORY_NAMES))
          .prefault("login")
          .describe("What a new item is: its password, credential or notes take the value."),
      })
      .optional()
      .describe("How new items are made, in a vault that is `writable`."),
  }),
  example: { serviceAccountToken: "env:OP_SERVICE_ACCOUNT_TOKEN" },
  variables: {
    OP_SERVICE_ACCOUNT_TOKEN: { option: "serviceAccountToken", as: "token" },
    AGENT_VAULT_1P_VAULTS: { option: "vaultIds", as: "list" },
  },
  open: (options, context) => openOnePassword(options, context),
  problems: (options, { writable }) => {
    const { vaultIds, write } = options;
    const problems: OptionProblem[] = [];
    if (write?.vaultId !== undefined && vaultIds !== undefined && !vaultIds.includes(write.vaultId)) {
      problems.push({
        path: ["write", "vaultId"],
        message: "is not one of vaultIds",
        hint: "add it to vaultIds, or name one of them",
      });
    }
    if (writable && placeOf(options) === undefined) {
      problems.push({
        path: ["write", "vaultId"],
        message: "is missing, so there is nowhere to make new items",
        hint: "set writable to false, run agent-vault doctor, then put one of the ids here",
      });
    }
    return problems;
  },
});
