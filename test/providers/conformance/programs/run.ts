import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import type { Source } from "../world.ts";

const ROOT = resolve(import.meta.dirname, "../../../..");

/** A program that runs one of ours on a definition, and what it may be told. */
export interface Running {
  readonly child: ChildProcessWithoutNullStreams;
  /** Resolves with what it printed so far, once that holds this text; rejects when it ends without. */
  readonly says: (text: string) => Promise<string>;
  /** Resolves when it is gone; "killed" when it did not go by itself. */
  readonly ended: Promise<{ readonly how: number | string; readonly stdout: string; readonly stderr: string }>;
}

/** How long a program may go on after it has closed, ms; only a broken promise ever takes as long. */
const HANGING_MS = 2_000;

/**
 * Runs `opens` or `closes` on a module of ours, in a process of its own. Each module of ours is a file of its own there,
 * so that what is imported late is loaded late.
 */
export async function run(
  program: "opens" | "closes",
  source: Source,
  variables: Readonly<Record<string, string>>,
): Promise<Running> {
  const cache = join(ROOT, "node_modules/.cache");
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, "conformance-"));
  const load = `import(${JSON.stringify(join(ROOT, source.file))}).then((module) => module[${JSON.stringify(source.name)}])`;
  const argument =
    program === "closes" && source.is === "definition"
      ? `async (options, context) => { const it = await ${load}; return it.open(it.options.parse(options), context); }`
      : program === "closes"
        ? `async (options, context) => (await ${load})(options, context)`
        : `() => ${load}`;
  try {
    await build({
      stdin: {
        contents: `import { ${program} } from "./${program}.ts"; await ${program}(${argument});`,
        resolveDir: import.meta.dirname,
        sourcefile: "start.ts",
        loader: "ts",
      },
      outdir: folder,
      bundle: true,
      splitting: true,
      format: "esm",
      outExtension: { ".js": ".mjs" },
      platform: "node",
      target: "node20.19",
      logLevel: "silent",
      packages: "external",
      define: { __VERSION__: JSON.stringify("0.0.0-test") },
    });
    const loaded = join(folder, "loaded");
    writeFileSync(loaded, "");
    const spy = pathToFileURL(join(import.meta.dirname, "spy.mjs")).href;
    const child = spawn(process.execPath, ["--import", spy, join(folder, "stdin.mjs")], {
      env: { PATH: process.env["PATH"], LOADED: loaded, ...variables },
      stdio: "pipe",
    });
    return watch(child, () => rmSync(folder, { recursive: true, force: true }));
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

function watch(child: ChildProcessWithoutNullStreams, tidy: () => void): Running {
  let [stdout, stderr] = ["", ""];
  let timer: NodeJS.Timeout | undefined;
  const seekers = new Set<() => void>();
  child.stdin.on("error", () => {}); // It may be gone already.
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    if (stdout.endsWith("closed\n")) timer = setTimeout(() => child.kill("SIGKILL"), HANGING_MS);
    for (const look of seekers) look();
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const ended = new Promise<Awaited<Running["ended"]>>((resolve) => {
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      tidy();
      resolve({ how: code ?? (signal === "SIGKILL" ? "killed" : String(signal)), stdout, stderr });
    });
  });
  return {
    child,
    ended,
    says: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (!stdout.includes(text)) return;
          seekers.delete(look);
          resolve(stdout);
        };
        seekers.add(look);
        look();
        void ended.then(({ how }) => reject(new Error(`the program ended (${how}) before it said ${text}: ${stderr}`)));
      }),
  };
}
