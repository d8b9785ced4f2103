import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PROGRAM, type World } from "./agent.ts";

/** One `agent-vault get` of the real program. */
export interface Getting {
  readonly pid: number;
  readonly out: () => string;
  readonly err: () => string;
  /** What stood on the terminal it was started from; empty where there is none. */
  readonly screen: () => string;
  /** Resolves once this stands in what `where` gives. Rejects when the command ends before it does. */
  readonly shows: (where: "out" | "err" | "screen", what: RegExp) => Promise<RegExpExecArray>;
  /** The exit status. */
  readonly ended: Promise<number | null>;
  readonly interrupt: () => void;
}

const LOOK_MS = 20;

/** Without any terminal: in a session of its own, with pipes, as an agent's shell tool runs what it is told to. */
export function getInPipes(world: World, args: readonly string[], program = PROGRAM): Getting {
  const child = spawn(process.execPath, [program, "get", ...args], {
    cwd: world.project,
    env: world.env,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const said = { out: "", err: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (said.out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said.err += text));
  return gettingOf(child, {
    out: () => said.out,
    err: () => said.err,
    screen: () => "",
    interrupt: () => void child.kill("SIGINT"),
  });
}

/** From a terminal, with both of its outputs going elsewhere: `VALUE=$(agent-vault get ...)`. */
export function getAtTerminal(world: World, args: readonly string[], program = PROGRAM): Getting {
  const file = (name: string): string => join(world.project, `get.${name}`);
  const words = [process.execPath, program, "get", ...args].map((word) => `'${word.replaceAll("'", "'\\''")}'`);
  const command = `exec ${words.join(" ")} >'${file("out")}' 2>'${file("err")}' </dev/null`;
  const env = { ...world.env, SHELL: "/bin/sh" };
  const child = spawn("script", ["-qefc", command, "/dev/null"], { cwd: world.project, env });
  let screen = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (screen += text));
  const read = (name: string): string => {
    try {
      return readFileSync(file(name), "utf8");
    } catch {
      return "";
    }
  };
  return gettingOf(child, {
    out: () => read("out"),
    err: () => read("err"),
    screen: () => screen,
    // The terminal makes a signal of it, as it does for a person.
    interrupt: () => void child.stdin.write("\u0003"),
  });
}

/** With an output that takes nothing: a full disk, or a reader that is gone. */
export function getInto(world: World, args: readonly string[], output: "disk" | "nobody", program = PROGRAM): Getting {
  const full = output === "disk" ? openSync("/dev/full", "w") : undefined;
  const child = spawn(process.execPath, [program, "get", ...args], {
    cwd: world.project,
    env: world.env,
    detached: true,
    stdio: ["ignore", full ?? "pipe", "pipe"],
  });
  if (full !== undefined) closeSync(full);
  child.stdout?.destroy();
  let said = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (said += text));
  const interrupt = (): void => void child.kill("SIGINT");
  return gettingOf(child, { out: () => "", err: () => said, screen: () => "", interrupt });
}

function gettingOf(child: ChildProcess, given: Pick<Getting, "out" | "err" | "screen" | "interrupt">): Getting {
  let isOver = false;
  const ended = once(child, "close").then(([status]) => {
    isOver = true;
    return status as number | null;
  });
  return {
    ...given,
    pid: child.pid ?? 0,
    ended,
    shows: async (where, what) => {
      for (;;) {
        const found = what.exec(given[where]());
        if (found) return found;
        if (isOver) throw new Error(`it ended, and said: ${given.err()}`);
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      }
    },
  };
}
