import { chmodSync, chownSync, mkdirSync } from "node:fs";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { type Accounts, as } from "./accounts.ts";
import type { Paths } from "./world.ts";

/** A broker under the person's account, with a socket for the agent's. */
export interface Broker {
  readonly pid: number;
  readonly socket: string;
  readonly close: () => Promise<void>;
}

/** Starts it as docs/other-user.md has it: a folder of the person's, with the agent's group. Rejects with what it said. */
export async function serve(options: {
  readonly paths: Paths;
  readonly accounts: Accounts;
  readonly env: Readonly<Record<string, string>>;
  readonly onStderr: (text: string) => void;
}): Promise<Broker> {
  const { paths, accounts, env, onStderr } = options;
  const { person, stranger } = accounts;
  const folder = join(paths.root, "run");
  const socket = join(folder, "mcp.sock");
  mkdirSync(folder);
  chownSync(folder, person.uid, stranger.gid);
  // What is made in it gets its group: the person need not be in that.
  chmodSync(folder, 0o2755);
  const words = [process.execPath, paths.program, "serve", "--socket", socket, "--for", stranger.name];
  const [command, args] = as(person, words);
  const child = spawn(command, args, { cwd: paths.home, env, stdio: ["ignore", "ignore", "pipe"] });
  const exited = once(child, "close");
  let said = "";
  await new Promise<void>((resolve, reject) => {
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      onStderr(text);
      if (said.includes("serving at ")) resolve();
    });
    child.once("close", () => reject(new Error(`the broker ended: ${said}`)));
  });
  return {
    pid: child.pid ?? 0,
    socket,
    close: async () => {
      child.kill("SIGTERM");
      const cut = setTimeout(() => child.kill("SIGKILL"), 3_000);
      await exited;
      clearTimeout(cut);
    },
  };
}
