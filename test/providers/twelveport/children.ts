import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, afterEach } from "vitest";
import { type Counted, type FakeTwelvePort, startFakeTwelvePort } from "../../support/fake-twelveport.ts";
import { buildPatched, type Plant } from "../../support/patched.ts";

/** The value behind every asset here. */
export const PASSWORD = "hunter2-4711";
const NAME = "db-prod";

/** Nothing is noted: every process is the first one. */
export const NO_NOTE: Plant = {
  file: "src/providers/twelveport/ledger.ts",
  from: "return notes.add(asset, record) ? { ...record, asset, raw: record } : undefined;",
  to: "return { ...record, asset, raw: record };",
};

interface Line {
  readonly waiting?: string;
  readonly value?: string;
  readonly error?: string;
}

export interface Reader {
  readonly process: ChildProcess;
  /** Resolves with the first line that fits; rejects when the process ends before. */
  readonly line: (fits: (line: Line) => boolean) => Promise<Line>;
  readonly ended: Promise<unknown>;
  readonly kill: () => Promise<void>;
}

export interface Ward {
  readonly fake: FakeTwelvePort;
  /** A process that asks for the asset. */
  readonly start: () => Reader;
  /** Resolves in the moment an operation has come to the server, or has had its effect there. */
  readonly at: (operation: Counted, when: "before" | "after") => Promise<void>;
}

const programs = new Map<string, ReturnType<typeof buildPatched>>();
const ending: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ending.splice(0).toReversed()) await end();
});

afterAll(async () => {
  for (const program of programs.values()) (await program).remove();
});

/** A server with one asset that its people have to agree to, and processes that share what is noted of it. */
export async function ward(...plants: readonly Plant[]): Promise<Ward> {
  const key = JSON.stringify(plants);
  const program = programs.get(key) ?? buildPatched("test/providers/twelveport/programs/reader.ts", plants);
  programs.set(key, program);
  const { file } = await program;
  const fake = await startFakeTwelvePort();
  fake.add({ name: NAME, password: PASSWORD, way: "approvers" });
  const folder = mkdtempSync(join(tmpdir(), "agent-vault-12port-"));
  ending.push(() => fake.close());
  ending.push(() => rmSync(folder, { recursive: true, force: true }));
  return {
    fake,
    start: () => {
      const child = spawn(process.execPath, [file, folder, JSON.stringify(fake.options), NAME], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      const made = reader(child);
      ending.push(() => made.kill());
      return made;
    },
    at: (operation, when) =>
      new Promise((resolve) => {
        fake.watch = (what, now) => {
          if (what === operation && now === when) resolve();
        };
      }),
  };
}

function reader(child: ChildProcess): Reader {
  const lines: Line[] = [];
  const waiting = new Set<() => void>();
  const ended = once(child, "close").then(() => waiting.forEach((look) => look()));
  if (!child.stdout) throw new Error("a reader without a voice");
  createInterface({ input: child.stdout }).on("line", (text) => {
    lines.push(JSON.parse(text) as Line);
    for (const look of waiting) look();
  });
  return {
    process: child,
    ended,
    line: (fits) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = lines.find(fits);
          const isOver = child.exitCode !== null || child.signalCode !== null;
          if (!found && !isOver) return;
          waiting.delete(look);
          if (found) resolve(found);
          else reject(new Error(`it ended with ${JSON.stringify(lines)}`));
        };
        waiting.add(look);
        look();
      }),
    kill: async () => {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

export const isWaiting = ({ waiting = "" }: Line): boolean => waiting.includes("12Port's approvers: ");
export const isOver = ({ value, error }: Line): boolean => value !== undefined || error !== undefined;

/** A second process takes over what the first left behind; its people agree as soon as it waits for them. */
export async function finish({ fake, start }: Ward): Promise<Line> {
  fake.watch = () => {};
  const second = start();
  const over = second.line(isOver);
  void second.line(isWaiting).then(
    () => fake.approve(NAME),
    () => {},
  );
  const line = await over;
  await second.ended;
  return line;
}

/** Kills a process that asks, at a random moment of up to `withinMs`, and finishes with another: what came of it. */
export async function killSomewhere(
  made: Ward,
  withinMs: number,
): Promise<{ readonly line: Line; readonly requests: number }> {
  const first = made.start();
  await made.at("credentials", "before");
  await new Promise((resolve) => setTimeout(resolve, Math.random() * withinMs));
  await first.kill();
  return { line: await finish(made), requests: made.fake.requests.length };
}
