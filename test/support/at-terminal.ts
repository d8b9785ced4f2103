import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { PROGRAM, type World } from "./agent.ts";

/** A command of the real program at a terminal of its own. */
export interface AtTerminal {
  /** Everything that stood on the screen so far. */
  readonly screen: () => string;
  /** Resolves once this stands on the screen. Rejects when the command ends before it does. */
  readonly shows: (what: RegExp) => Promise<RegExpExecArray>;
  readonly type: (line: string) => void;
  /** The exit status. */
  readonly ended: Promise<number | null>;
  readonly kill: () => void;
}

/** Whether a terminal can be made here: by the `script` of util-linux. */
export const hasTerminals = /util-linux/.test(spawnSync("script", ["--version"], { encoding: "utf8" }).stdout ?? "");

export function atTerminal(
  { project, env }: Pick<World, "project" | "env">,
  args: readonly string[],
  program: readonly string[] = [process.execPath, PROGRAM],
): AtTerminal {
  const command = [...program, ...args].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
  const child = spawn("script", ["-qefc", command, "/dev/null"], { cwd: project, env: { ...env, SHELL: "/bin/sh" } });
  let screen = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (screen += text));
  const ended = once(child, "exit").then(([status]) => status as number | null);
  return {
    screen: () => screen,
    shows: async (what) => {
      for (;;) {
        const found = what.exec(screen);
        if (found) return found;
        const more = await Promise.race([once(child.stdout, "data"), ended.then(() => undefined)]);
        if (!more && !what.test(screen)) throw new Error(`the command ended, and its screen was:\n${screen}`);
      }
    },
    type: (line) => void child.stdin.write(`${line}\n`),
    ended,
    kill: () => void child.kill("SIGKILL"),
  };
}
