import { resolve } from "node:path";
import { type ExitStatus, VaultError } from "../core/errors.ts";
import type { Context } from "./command.ts";

/** Runs a broker over a socket until the process is told to end. */
export async function serve({ options, cwd, services }: Context): Promise<ExitStatus> {
  const { socket, group, for: user } = options;
  if (typeof socket !== "string") {
    throw new VaultError("usage", "agent-vault serve needs --socket PATH", {
      hint: "for example --socket /run/agent-vault/mcp.sock; docs/other-user.md shows the rest",
    });
  }
  await services.serve({
    socket: resolve(cwd, socket),
    ...(typeof group === "string" && { group }),
    ...(typeof user === "string" && { user }),
  });
  return 0;
}
