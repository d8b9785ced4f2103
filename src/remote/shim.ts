import type { Socket } from "node:net";
import type { Clock } from "../core/clock.ts";
import { asVaultError, type ExitStatus } from "../core/errors.ts";
import { reach } from "./reach.ts";
import { type Ends, relay } from "./relay.ts";
import { standIn } from "./stand-in.ts";
import type { Hello } from "./words.ts";

export interface ShimOptions extends Ends {
  readonly path: string;
  readonly hello: Hello;
  /** How to use the tools, for a client that starts before the broker. */
  readonly instructions: string;
  readonly clock: Clock;
  /** One line for people, on stderr. */
  readonly say: (line: string) => void;
}

/**
 * Puts a client's standard input and output on the socket of a broker. Holds no secret, no configuration and no state.
 * Resolves when either side has ended: 0 when it was the client.
 */
export async function runShim(options: ShimOptions): Promise<ExitStatus> {
  const { path, hello, say } = options;
  const socket = await session(options);
  if (!socket) return 0;
  if ((await relay(options, socket)) === "client") return 0;
  say(
    `the broker at ${path} ended the session; restart the client once it runs again (version here: ${hello.version})`,
  );
  return 1;
}

async function session(options: ShimOptions): Promise<Socket | undefined> {
  const { path, hello, say, input, output, clock, instructions } = options;
  try {
    return await reach(path, hello);
  } catch (error) {
    const why = asVaultError(error);
    say(`${why.message}; ${why.hint ?? ""}`);
    const { version } = hello;
    return standIn({ why, reach: () => reach(path, hello), version, instructions, clock, input, output });
  }
}
