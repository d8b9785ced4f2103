import * as z from "zod";
import { defineProvider } from "../define.ts";
import { absolutePath } from "./file.ts";
import { openEnvFile } from "./provider.ts";
import { warningsOf } from "./warnings.ts";

/** Secrets in a file of `NAME=value` lines, read and written the way dotenv does. */
export const env = defineProvider({
  type: "env",
  title: "env file",
  summary: "A file of NAME=value lines on this machine, as dotenv reads it.",
  can: ["list", "write"],
  options: z.strictObject({
    file: z
      .string()
      .min(1)
      .default(".env.secrets")
      .describe("Path of the file; relative to the configuration file, `~/` is the home folder."),
  }),
  example: { file: "~/.config/agent-vault/dev.env" },
  variables: { AGENT_VAULT_ENV_FILE: { option: "file", as: "text" } },
  open: ({ file }, context) => openEnvFile(absolutePath(file, context.folder), context),
  files: ({ file }, { folder }) => [absolutePath(file, folder)],
  warnings: ({ file }, { folder, workFolder }) => warningsOf(absolutePath(file, folder), workFolder),
});
