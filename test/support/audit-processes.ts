import { spawn } from "node:child_process";
import type { ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import { onTestFinished } from "vitest";
import type { openLog } from "../../src/audit/sqlite.ts";
import type { Plant } from "./patched.ts";

const ROOT = resolve(import.meta.dirname, "../..");

/** A real process that works on a log. */
export interface Worker {
  readonly process: ChildProcessByStdio<Writable, Readable, null>;
  /** The whole lines it has written so far. */
  readonly lines: () => readonly string[];
  /** Resolves with the first line; rejects when the process ends without one. */
  readonly first: () => Promise<string>;
  /** Resolves when it has ended by itself or otherwise. */
  readonly over: Promise<unknown>;
  /** kill -9, and everything it wrote before. */
  readonly kill: () => Promise<readonly string[]>;
  /** Ends its stdin and waits for it to stop in good order. */
  readonly stop: () => Promise<void>;
}

/** What audit-child.ts can do. */
type Mode = "work" | "blurt" | "until-refused" | "some" | "begin" | "hold";

export interface Workshop {
  readonly start: (mode: Mode, file: string, label?: string, env?: Record<string, string>) => Worker;
  readonly close: () => void;
}

/** Bundles the child once, with bugs planted in it if so wished; what it starts are real processes of their own. */
export async function openWorkshop(plants: readonly Plant[] = []): Promise<Workshop> {
  const { script, remove } = await bundle(fileURLToPath(new URL("./audit-child.ts", import.meta.url)), plants);
  const running = new Set<Worker["process"]>();

  const start: Workshop["start"] = (mode, file, label = mode, env = {}) => {
    const child = spawn(process.execPath, [script, mode, file, label], {
      stdio: ["pipe", "pipe", "inherit"],
      env: { ...process.env, ...env },
    });
    running.add(child);
    let text = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
    const lines = (): readonly string[] => text.split("\n").slice(0, -1);
    const over = once(child, "close").then(() => running.delete(child));
    const first = async (): Promise<string> => {
      while (lines().length === 0) {
        const ended = await Promise.race([once(child.stdout, "data").then(() => false), over.then(() => true)]);
        if (ended && lines().length === 0) throw new Error(`${mode} ended without a word`);
      }
      return lines()[0] ?? "";
    };
    const kill = async (): Promise<readonly string[]> => {
      child.kill("SIGKILL");
      await over;
      return lines();
    };
    const stop = async (): Promise<void> => {
      child.stdin.end();
      await over;
    };
    return { process: child, lines, first, over, kill, stop };
  };
  const close = (): void => {
    for (const child of running) child.kill("SIGKILL");
    remove();
  };
  return { start, close };
}

/** The log with bugs planted in it, in this process: a twin on which the same check must go red. */
export async function plantedLog(plants: readonly Plant[]): Promise<typeof openLog> {
  const { script, remove } = await bundle(join(ROOT, "src/audit/sqlite.ts"), plants);
  onTestFinished(remove);
  const twin: { openLog: typeof openLog } = await import(/* @vite-ignore */ pathToFileURL(script).href);
  return twin.openLog;
}

async function bundle(entry: string, plants: readonly Plant[]): Promise<{ script: string; remove: () => void }> {
  const folder = mkdtempSync(join(tmpdir(), "agent-vault-workers-"));
  // better-sqlite3 is native and stays where it is.
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  const script = join(folder, "bundle.mjs");
  let planted = 0;
  await build({
    entryPoints: [entry],
    outfile: script,
    bundle: true,
    format: "esm",
    platform: "node",
    external: ["better-sqlite3"],
    logLevel: "error",
    plugins: [
      {
        name: "plant",
        setup: (b) =>
          b.onLoad({ filter: /\.ts$/ }, ({ path }) => {
            let contents = readFileSync(path, "utf8");
            for (const { file, from, to } of plants) {
              if (path !== join(ROOT, file)) continue;
              if (contents.split(from).length !== 2) throw new Error(`${file} does not hold exactly once: ${from}`);
              contents = contents.replace(from, () => to);
              planted += 1;
            }
            return { contents, loader: "ts" };
          }),
      },
    ],
  });
  if (planted !== plants.length) throw new Error("a planted bug is in no file of the bundle");
  return { script, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
