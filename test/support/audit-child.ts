// A process that works on the log until it is killed. Started by audit-processes.ts, which bundles it.
import { createInterface } from "node:readline";
import { writeSync } from "node:fs";
import Database from "better-sqlite3";
import { openLog } from "../../src/audit/sqlite.ts";

const [mode = "", file = "", label = ""] = process.argv.slice(2);
const say = (line: string): void => void writeSync(1, `${line}\n`);

switch (mode) {
  case "work":
  case "blurt":
    await work();
    break;
  case "until-refused":
    await work().catch(() => process.exit(3));
    break;
  case "some":
    await some();
    break;
  case "begin":
    await begin();
    break;
  case "hold":
    await hold();
    break;
  default:
    throw new Error(`unknown mode ${mode}`);
}

/** Releases without end, four at a time. What it says has left the house. `blurt` says it too early: a planted bug. */
async function work(): Promise<void> {
  const log = openLog({ file });
  let n = 0;
  const release = async (): Promise<never> => {
    for (;;) {
      const mine = ++n;
      const id = `${label}-${mine}`;
      const about = { release: id, at: Date.now(), vault: "dev", action: "read", names: ["DATABASE_URL"] } as const;
      if (mode === "blurt") say(id);
      await log.record([{ kind: "releasing", ...about }]);
      if (mode !== "blurt") say(id);
      // Every seventh is left without an end, as if the transport had never told.
      if (mine % 7 !== 0) log.note({ kind: "released", ...about });
    }
  };
  await Promise.all([release(), release(), release(), release()]);
}

/** Four hundred releases one after the other, enough for the write-ahead log to be folded back more than once. */
async function some(): Promise<void> {
  const log = openLog({ file });
  for (let n = 1; n <= 400; n++) {
    const about = {
      release: `${label}-${n}`,
      at: n,
      vault: "dev",
      action: "read",
      names: ["A"],
      request: `q${n}`,
    } as const;
    await log.record([{ kind: "releasing", ...about }]);
    say(about.release);
    log.note({ kind: "released", ...about });
  }
}

/** Begins three deliveries, ends one, says its instance id, and waits to be told to stop. */
async function begin(): Promise<void> {
  const log = openLog({ file });
  const about = { at: 1_000, vault: "dev", action: "write", names: ["A", "B"], session: "s", request: "q" } as const;
  const ids = [1, 2, 3].map((n) => `${label}-${n}`);
  await log.record(ids.map((release) => ({ kind: "releasing", release, ...about })));
  await log.record([{ kind: "failed", release: `${label}-2`, code: "conflict", ...about }]);
  say(log.instance());
  for await (const _ of createInterface(process.stdin)) break;
  log.close();
}

/** Holds the write lock of the database, as a careless tool would, until its stdin ends. */
async function hold(): Promise<void> {
  const db = new Database(file);
  db.exec("BEGIN IMMEDIATE");
  say("locked");
  for await (const _ of createInterface(process.stdin)) break;
  db.exec("ROLLBACK");
  db.close();
}
