import type { ExitStatus } from "./core/errors.ts";
import { INSTRUCTIONS } from "./mcp/instructions.ts";
import { observe } from "./mcp/facts.ts";
import type { Ends } from "./remote/relay.ts";
import { runShim } from "./remote/shim.ts";
import { systemClock } from "./wall-clock.ts";

/** The version of the program, put in by the build. */
declare const __VERSION__: string;

/** Connects a client on stdio with the broker behind a socket. Loads nothing that reads a configuration or a secret. */
export async function connectTo(
  path: string,
  folder: string,
  ends: Ends & { readonly say: (line: string) => void },
): Promise<ExitStatus> {
  const { process: starter } = await observe(folder);
  const hello = { version: __VERSION__, folder, ...(starter !== undefined && { process: starter }) };
  return runShim({ ...ends, path, hello, instructions: INSTRUCTIONS, clock: systemClock });
}
