import { setTimeout as sleep } from "node:timers/promises";
import Database from "better-sqlite3";
import { openLog } from "../../src/audit/sqlite.ts";
import type { Worker, Workshop } from "./audit-processes.ts";

export interface KillPlan {
  readonly workshop: Workshop;
  readonly file: string;
  readonly runs: number;
  /** How many work on the one log at the same time; they are killed one after the other. */
  readonly processes: 1 | 2;
  /** "blurt" lets values out before their event is durable: the planted bug. */
  readonly mode: "work" | "blurt";
}

/** What the kills did. Everything but `released`, `unknown` and `integrity` must be empty. */
export interface KillReport {
  /** How many values left the house. */
  readonly released: number;
  /** Those of them that the log knows nothing of. */
  readonly unrecorded: readonly string[];
  /** Deliveries of living processes that were closed as unknown. */
  readonly closedAlive: readonly string[];
  /** Deliveries without exactly one end although every process is dead. */
  readonly notClosedOnce: readonly string[];
  /** How many were closed as `unknown_outcome`. */
  readonly unknown: number;
  readonly integrity: string;
}

/** Kills processes at random moments and opens the log again after each, as the next start would. */
export async function killRuns({ workshop, file, runs, processes, mode }: KillPlan): Promise<KillReport> {
  const said: string[] = [];
  const closedAlive: string[] = [];
  for (let run = 0; run < runs; run++) {
    const workers = Array.from({ length: processes }, (_, i) => workshop.start(mode, file, `${run}-${i}-`));
    for (const [i, worker] of workers.entries()) {
      said.push(...(await killSometime(worker)));
      await openOnce(file);
      for (const alive of workers.slice(i + 1))
        closedAlive.push(...closedOf(file, `${run}-${workers.indexOf(alive)}-`));
    }
  }
  return { closedAlive, ...examine(file, said) };
}

/** Now and then while it is still starting, mostly in the middle of its work. */
async function killSometime(worker: Worker): Promise<readonly string[]> {
  if (Math.random() < 0.2) await sleep(Math.random() * 150);
  else {
    await worker.first();
    await sleep(Math.random() * 30);
  }
  return worker.kill();
}

async function openOnce(file: string): Promise<void> {
  const log = openLog({ file });
  await log.record([{ kind: "started", at: Date.now() }]);
  const trouble = log.close();
  if (trouble) throw trouble;
}

function closedOf(file: string, label: string): string[] {
  return reading(file, (db) =>
    db
      .prepare<[string], string>("SELECT release FROM event WHERE kind = 'unknown_outcome' AND release LIKE ? || '%'")
      .pluck()
      .all(label),
  );
}

function examine(file: string, said: readonly string[]): Omit<KillReport, "closedAlive"> {
  return reading(file, (db) => {
    const all = (sql: string): string[] => db.prepare<[], string>(sql).pluck().all();
    const recorded = new Set(all("SELECT release FROM event WHERE kind = 'releasing'"));
    const ends = new Map<string, number>();
    for (const id of all("SELECT release FROM event WHERE kind IN ('released', 'unknown_outcome')")) {
      ends.set(id, (ends.get(id) ?? 0) + 1);
    }
    return {
      released: said.length,
      unrecorded: said.filter((id) => !recorded.has(id)),
      notClosedOnce: [...recorded].filter((id) => ends.get(id) !== 1),
      unknown: all("SELECT release FROM event WHERE kind = 'unknown_outcome'").length,
      integrity: String(db.pragma("integrity_check", { simple: true })),
    };
  });
}

function reading<T>(file: string, look: (db: Database.Database) => T): T {
  const db = new Database(file, { readonly: true });
  try {
    return look(db);
  } finally {
    db.close();
  }
}
