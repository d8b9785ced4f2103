import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll, onTestFinished } from "vitest";

/** A bug planted into a copy of one file of src/providers/env: the text that is there and what stands there instead. */
export interface Bug {
  readonly file: string;
  readonly is: string;
  readonly becomes: string;
}

const SLOW = "await new Promise((resolve) => setTimeout(resolve, 4));";

export const BUGS = {
  /** Nobody waits for anybody. */
  noLock: {
    file: "lock.ts",
    is: "const mine = await acquire(path, signal);",
    becomes: "const mine = path; return work({ held: () => true });",
  },
  /** Looks around first and announces itself afterwards, as a lock by mere checking does. */
  looksTooEarly: {
    file: "lock.ts",
    is: "mine = announce(path, self);",
    becomes: `${SLOW} return announce(path, self).file;`,
  },
  /** A dead writer's lock file stays in the way. */
  noTakeover: {
    file: "process.ts",
    is: "if (start === undefined) return true;",
    becomes: "if (start === undefined) return false;",
  },
  /** Writes into the file itself, as most programs do. */
  inPlace: {
    file: "replace.ts",
    is: "await writeDraft(draft, path, text, options.old);",
    becomes: `const file = await open(path, "w"); await file.write(text.slice(0, text.length / 2)); ${SLOW}
      await file.write(text.slice(Math.floor(text.length / 2))); await file.close(); return true;`,
  },
  /** The disk takes its time between the last look and the rename. No bug, but what makes a missing lock show. */
  slowDisk: { file: "replace.ts", is: "await moveOver(draft, path);", becomes: `${SLOW} await moveOver(draft, path);` },
  /** Waits with its draft until a file named "go" appears. No bug: it lets somebody else be faster. */
  holdsDraft: {
    file: "replace.ts",
    is: "if (!options.still()) return false;",
    becomes: 'while (!(await readdir(folder)).includes("go")) await sleep(1); if (!options.still()) return false;',
  },
  /** The same without the last look before the rename. */
  holdsDraftBlindly: {
    file: "replace.ts",
    is: "if (!options.still()) return false;",
    becomes: 'while (!(await readdir(folder)).includes("go")) await sleep(1);',
  },
  /** The disk fills up while the draft is written. */
  fullDisk: {
    file: "replace.ts",
    is: 'await file.writeFile(text, "utf8");',
    becomes: 'await file.write(text.slice(0, 10)); throw Object.assign(new Error("no space"), { code: "ENOSPC" });',
  },
  /** The same, for a program that writes in place. */
  fullDiskInPlace: {
    file: "replace.ts",
    is: "await writeDraft(draft, path, text, options.old);",
    becomes: `const file = await open(path, "w"); await file.write(text.slice(0, text.length / 2)); await file.close();
      throw Object.assign(new Error("no space"), { code: "ENOSPC" });`,
  },
  /** Opens whatever it is told to, and waits for it. */
  trusting: { file: "file.ts", is: "refuseUnfit(real, statSync(real));", becomes: 'openSync(real, "r");' },
  impatient: { file: "lock.ts", is: "PATIENCE_MS = 5_000", becomes: "PATIENCE_MS = 300" },
} as const satisfies Record<string, Bug>;

const folder = mkdtempSync(join(tmpdir(), "agent-"));
const built = new Map<string, Promise<string>>();
afterAll(() => rmSync(folder, { recursive: true, force: true }));
// It is started by another user as well.
chmodSync(folder, 0o755);

/** The program of programs/agent.ts with these changes, ready to be started. */
export function bundle(...bugs: readonly (keyof typeof BUGS)[]): Promise<string> {
  const name = ["agent", ...bugs].join("-");
  const program = built.get(name) ?? make(join(folder, `${name}.mjs`), bugs);
  built.set(name, program);
  return program;
}

async function make(outfile: string, bugs: readonly (keyof typeof BUGS)[]): Promise<string> {
  await build({
    entryPoints: [fileURLToPath(new URL("./programs/agent.ts", import.meta.url))],
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20.19",
    logLevel: "error",
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
    plugins: [
      {
        name: "planted-bugs",
        setup(b) {
          b.onLoad({ filter: /src[\\/]providers[\\/]env[\\/][a-z]+\.ts$/ }, ({ path }) => {
            let contents = readFileSync(path, "utf8");
            for (const bug of bugs.map((name): Bug => BUGS[name])) {
              if (bug.file !== basename(path)) continue;
              if (!contents.includes(bug.is)) throw new Error(`${bug.file} no longer contains: ${bug.is}`);
              contents = contents.replace(bug.is, () => bug.becomes);
            }
            return { contents, loader: "ts" };
          });
        },
      },
    ],
  });
  return outfile;
}

export interface Answer {
  readonly ok?: unknown;
  readonly code?: string;
  readonly message?: string;
  readonly hint?: string;
  readonly crash?: string;
}

export interface Agent {
  readonly child: ChildProcess;
  /** Gives an order and waits for its answer. */
  readonly ask: (...order: string[]) => Promise<Answer>;
  /** The next answer, for orders that give several. Undefined when the process has ended. */
  readonly next: () => Promise<Answer | undefined>;
  readonly send: (...order: string[]) => void;
  /** Kills it, as `kill -9` does, and waits until it is gone. */
  readonly kill: () => Promise<void>;
}

/** Starts the program on an env file. */
export function start(program: string, file: string, as: { uid?: number; gid?: number } = {}): Agent {
  const child = spawn(process.execPath, [program, file], { stdio: ["pipe", "pipe", "inherit"], env: {}, ...as });
  const ended = once(child, "close");
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const send: Agent["send"] = (...order) => void child.stdin.write(`${JSON.stringify(order)}\n`);
  const next: Agent["next"] = async () => {
    const { done, value } = (await lines.next()) as IteratorResult<string, undefined>;
    return done ? undefined : (JSON.parse(value) as Answer);
  };
  const kill: Agent["kill"] = async () => {
    child.kill("SIGKILL");
    await ended;
  };
  // A killed process no longer listens.
  child.stdin.on("error", () => {});
  onTestFinished(kill);
  return {
    child,
    send,
    next,
    kill,
    ask: async (...order) => {
      send(...order);
      return (await next()) ?? { crash: "the process has ended" };
    },
  };
}
