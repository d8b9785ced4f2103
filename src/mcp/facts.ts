import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { hostname, userInfo } from "node:os";
import { basename } from "node:path";
import { promisify } from "node:util";
import type { Requester } from "../core/request.ts";
import { clip, visible } from "../core/text.ts";

type Facts = Requester["facts"];

/** Starters that say nothing about who asked: shells, and the package runners between a client and us. */
const BETWEEN = /^(?:sh|bash|zsh|dash|fish|ash|ksh|env|npm|npx|pnpm|yarn|bunx?|corepack|login|su|sudo)$/;
const NODE = /^(?:node|nodejs|MainThread)$/;
const MAX_STEPS = 8;

/** What we see ourselves of who started us. Never throws; what cannot be seen is left out. */
export async function observe(folder: string): Promise<Facts> {
  const starter = await starterName(process.ppid).catch(() => undefined);
  return {
    user: clip(visible(userName()), 64),
    host: clip(visible(hostname()), 64),
    folder: clip(visible(folder), 200),
    ...(starter !== undefined && { process: clip(visible(starter), 64) }),
  };
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? "unknown"}`;
  }
}

/** The nearest ancestor that is neither a shell nor a package runner: its name, never its arguments. */
async function starterName(parent: number): Promise<string | undefined> {
  let pid = parent;
  for (let step = 0; step < MAX_STEPS && pid > 1; step++) {
    const seen = process.platform === "linux" ? await linuxProcess(pid) : await otherProcess(pid);
    if (!seen) return undefined;
    if (!BETWEEN.test(seen.name)) return seen.name;
    pid = seen.parent;
  }
  return undefined;
}

interface Seen {
  readonly name: string;
  readonly parent: number;
}

async function linuxProcess(pid: number): Promise<Seen | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  const comm = stat.slice(stat.indexOf("(") + 1, stat.lastIndexOf(")"));
  // Everything written for Node is called "node" here; the script's file name says more, and is not an argument a
  // person typed a secret into.
  if (!NODE.test(comm) && !comm.startsWith("npm")) return { name: comm, parent };
  const [, script = ""] = (await readFile(`/proc/${pid}/cmdline`, "utf8")).split("\0");
  const name = script.startsWith("-") ? "" : basename(script).replace(/(?:-cli)?\.[cm]?js$/, "");
  return { name: name === "" ? comm.replace(/^npm .*/s, "npm") : name, parent };
}

async function otherProcess(pid: number): Promise<Seen | undefined> {
  if (process.platform === "win32") return undefined;
  const { stdout } = await promisify(execFile)("ps", ["-o", "ppid=,comm=", "-p", String(pid)], {
    env: {},
    timeout: 1_000,
  });
  const match = /^\s*(\d+)\s+(.*)$/m.exec(stdout);
  return match ? { parent: Number(match[1]), name: basename(match[2] ?? "").replace(/^-/, "") } : undefined;
}
