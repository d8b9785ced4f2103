import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, statSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { openNotes } from "../../src/state/notes.ts";
import { buildPatched, type Plant } from "./patched.ts";
import { buildShim, type CutReport, cutPower } from "./power-cut.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const CHILD = fileURLToPath(new URL("./notes-child.ts", import.meta.url));

/** The scope in which all of them work. */
export const SCOPE = "12port/acme";

/** So many at once take longer over it, on a busy machine, than one call may stand still. */
export const PATIENT: Plant = {
  file: "src/state/note-table.ts",
  from: "const BUSY_MS = 200;",
  to: "const BUSY_MS = 5_000;",
};

/** A real process that works on the notes of a folder. */
export interface NoteTaker {
  /** The next whole line it says; rejects when it ends without one. */
  readonly next: () => Promise<string>;
  readonly tell: (line: string) => void;
  /** kill -9. */
  readonly kill: () => Promise<void>;
  /** Resolves with the lines nobody has asked for yet when it has ended. */
  readonly over: Promise<readonly string[]>;
}

/** What notes-child.ts can do. */
type Mode = "add" | "swap" | "open" | "put" | "some" | "first-use" | "try";

export interface NoteTakers {
  /** The bundle they run. */
  readonly script: string;
  readonly start: (mode: Mode, folder: string, options?: StartOptions) => NoteTaker;
}

interface StartOptions {
  readonly label?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly script?: string;
}

/** Bundles the child, with bugs planted in it if so wished. Everything it starts is gone after the test. */
export async function noteTakers(plants: readonly Plant[] = []): Promise<NoteTakers> {
  const { file, remove } = await buildPatched(relative(ROOT, CHILD), plants);
  const running = new Set<ChildProcess>();
  onTestFinished(() => {
    for (const child of running) child.kill("SIGKILL");
    remove();
  });
  const start: NoteTakers["start"] = (mode, folder, { label = mode, env = {}, script = file } = {}) => {
    const child = spawn(process.execPath, [script, mode, folder, label], {
      stdio: ["pipe", "pipe", "inherit"],
      env: { ...process.env, ...env },
    });
    running.add(child);
    child.stdin.on("error", () => {}); // It may be dead already.
    const said: string[] = [];
    const askers: ((line: string) => void)[] = [];
    createInterface(child.stdout).on("line", (line) => {
      const asker = askers.shift();
      if (asker) asker(line);
      else said.push(line);
    });
    const over = once(child, "close").then(() => (running.delete(child), said));
    const next = (): Promise<string> => {
      const line = said.shift();
      if (line !== undefined) return Promise.resolve(line);
      const answer = new Promise<string>((resolve) => askers.push(resolve));
      return Promise.race([answer, over.then(() => Promise.reject(new Error(`${mode} ended without a word`)))]);
    };
    return {
      next,
      tell: (line) => void child.stdin.write(`${line}\n`),
      kill: async () => {
        child.kill("SIGKILL");
        await over;
      },
      over,
    };
  };
  return { script: file, start };
}

interface Contention {
  readonly takers: NoteTakers;
  readonly processes: number;
  readonly rounds: number;
  /** What they do at once: add a note, take one that is there, or add one to a new file, which they all have to make. */
  readonly mode?: "add" | "swap" | "open";
}

/**
 * The answers of rounds in which not exactly one of all that did the same at the same moment was told that it was the
 * first, and all others that they were not.
 */
export async function contended(
  folder: string,
  { takers, processes, rounds, mode = "add" }: Contention,
): Promise<readonly string[][]> {
  const all = Array.from({ length: processes }, (_, i) => takers.start(mode, folder, { label: `p${i}` }));
  await Promise.all(all.map((each) => each.next()));
  const own = openNotes(folder);
  onTestFinished(own.close);
  const wrong: string[][] = [];
  for (let round = 1; round <= rounds; round++) {
    const subject = mode === "open" ? join(folder, `state-${round}`) : `request-${round}`;
    if (mode === "swap") own.of(SCOPE).put(subject, { by: "nobody" });
    for (const each of all) each.tell(subject);
    const answers = await Promise.all(all.map((each) => each.next()));
    const firsts = answers.filter((line) => line === `${subject} true`).length;
    const others = answers.filter((line) => line === `${subject} false`).length;
    if (firsts !== 1 || others !== processes - 1) wrong.push(answers);
  }
  await Promise.all(all.map((each) => each.kill()));
  return wrong;
}

/** Keys whose `put` had returned and that are not there after a kill -9. */
export async function lostByKills(
  folder: string,
  { takers, kills }: { takers: NoteTakers; kills: number },
): Promise<readonly string[]> {
  const said: string[] = [];
  for (let run = 1; run <= kills; run++) {
    const taker = takers.start("put", folder, { label: `run-${run}` });
    for (let n = run % 4; n >= 0; n--) {
      said.push(await taker.next());
      if (n > 0) taker.tell("next");
    }
    await taker.kill();
  }
  const notebook = openNotes(folder);
  const kept = notebook.of(SCOPE).all();
  notebook.close();
  return said.filter((key) => !kept.has(key));
}

/** What power cuts at random moments would have left of a process that keeps notes. Only where `canWatch`. */
export async function cutNotes(
  folder: string,
  { takers, cuts }: { takers: NoteTakers; cuts: number },
): Promise<CutReport> {
  const journal = join(folder, "journal");
  const state = join(folder, "state");
  mkdirSync(state, { mode: 0o700 });
  const env = { LD_PRELOAD: buildShim(folder), POWER_JOURNAL: journal };
  const said = await takers.start("some", state, { label: "note", env }).over;
  if (said.length !== 300 || statSync(journal).size === 0) throw new Error("there is nothing to play back");
  return cutPower(journal, { cuts, folder, table: "note", query: "SELECT key FROM note" });
}
