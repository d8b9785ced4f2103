import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Notes } from "../../src/core/ports.ts";
import { type Notebook, openNotes } from "../../src/state/notes.ts";
import { scratch } from "../support/audit.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { lockDatabase } from "../support/locker.ts";
import { loadPatched, type Plant } from "../support/patched.ts";

const SCOPE = "12port https://vault.example/acme";
const TRIES = 15;
const LOCKED = expect.objectContaining({
  code: "provider_unavailable",
  message: expect.stringContaining("is locked by another process"),
  hint: expect.stringContaining("close whatever keeps it open"),
});
/** Every call tries, and waits, by itself. */
const FORGETFUL: Plant = { file: "src/state/lock-memory.ts", from: "until: mono() + REST_MS", to: "until: 0" };

async function planted(...plants: readonly Plant[]): Promise<typeof openNotes> {
  const twin = (await loadPatched("src/state/notes.ts", plants)) as { openNotes: typeof openNotes };
  return twin.openNotes;
}

interface Kept {
  readonly file: string;
  readonly notes: Notes;
  readonly notebook: Notebook;
  readonly clock: FakeClock;
}

/** A file with one note in it. */
function kept(open = openNotes): Kept {
  const folder = join(scratch(), "state");
  const clock = new FakeClock();
  const notebook = open(folder, clock.mono);
  onTestFinished(notebook.close);
  const notes = notebook.of(SCOPE);
  notes.put("asset-7", { request: "REQ-4711" });
  return { file: join(folder, "notes.db"), notes, notebook, clock };
}

/** Why each of these was refused. What SQLite said is a new error each time it was tried. */
function refusals(calls: readonly (() => unknown)[]): readonly unknown[] {
  return calls.map((call) => {
    try {
      call();
    } catch (error) {
      return error;
    }
    throw new Error("a call went through");
  });
}

const attempts = (errors: readonly unknown[]): number => new Set(errors.map((error) => (error as Error).cause)).size;

/** As many changes as there are tries, of every kind. */
const changes = ({ put, add, swap, delete: remove }: Notes): (() => unknown)[] =>
  Array.from({ length: TRIES }, (_, i) => {
    const kinds = [
      () => put(`asset-${i}`, 1),
      () => add(`asset-${i}`, 1),
      () => swap("asset-7", 1, 2),
      () => remove("asset-7"),
    ];
    return kinds[i % kinds.length]!;
  });

describe("notes that another process keeps locked", () => {
  it("are waited for by one change in a second, and read all the same", async () => {
    const { file, notes, clock } = kept();
    const free = await lockDatabase(file);
    const first = refusals(changes(notes));
    expect(first).toEqual(Array(TRIES).fill(LOCKED));
    expect(attempts(first)).toBe(1);
    expect(notes.get("asset-7")).toEqual({ request: "REQ-4711" });
    clock.advance(999);
    expect(attempts([...first, ...refusals(changes(notes))])).toBe(1);
    clock.advance(1);
    expect(attempts([...first, ...refusals(changes(notes))])).toBe(2);
    await free();
    clock.advance(1_000);
    notes.put("asset-7", 2);
    expect([...notes.all()]).toEqual([["asset-7", 2]]);
  });

  it("are opened by one call in a second, whatever it is for", async () => {
    const { file, notebook, clock } = kept();
    notebook.close();
    const free = await lockDatabase(file);
    const next = openNotes(join(file, ".."), clock.mono);
    onTestFinished(next.close);
    const notes = next.of(SCOPE);
    const all = [() => notes.get("asset-7"), () => notes.all(), ...changes(notes)];
    const first = refusals(all);
    expect(first).toEqual(Array(all.length).fill(LOCKED));
    expect(attempts(first)).toBe(1);
    clock.advance(1_000);
    expect(attempts([...first, ...refusals(all.toReversed())])).toBe(2);
    await free();
    clock.advance(1_000);
    expect(notes.get("asset-7")).toEqual({ request: "REQ-4711" });
  });

  it("would be waited for by each change if nobody remembered (planted bug)", async () => {
    const short = { file: "src/state/note-table.ts", from: "const BUSY_MS = 200;", to: "const BUSY_MS = 1;" };
    const { file, notes } = kept(await planted(FORGETFUL, short));
    const free = await lockDatabase(file);
    expect(attempts(refusals(changes(notes)))).toBe(TRIES);
    await free();
  });

  it("are let go of all the same", async () => {
    const { file, notes, notebook } = kept();
    const free = await lockDatabase(file);
    notebook.close();
    expect(() => notes.put("asset-7", 1)).toThrow("is closed: agent-vault is stopping");
    await free();
  });
});

describe("notes that another process is reading", () => {
  /** How long each change was ready to wait until it could tidy up. */
  async function waits(...plants: readonly Plant[]): Promise<readonly unknown[]> {
    const told: number[] = [];
    const tells = {
      file: "src/state/note-table.ts",
      from: "db.pragma(`busy_timeout = ${patienceMs}`);",
      to: "db.pragma(`busy_timeout = ${patienceMs}`); globalThis.tidying?.push(patienceMs);",
    };
    const { file, notes } = kept(await planted(tells, ...plants));
    Object.assign(globalThis, { tidying: told });
    onTestFinished(() => void Reflect.deleteProperty(globalThis, "tidying"));
    const reader = new Database(file, { readonly: true });
    reader.exec("BEGIN");
    reader.prepare("SELECT count(*) FROM note").get();
    for (let i = 1; i <= 4; i++) notes.put("asset-7", i);
    reader.close();
    for (let i = 1; i <= 2; i++) notes.put("asset-7", i);
    return told;
  }

  it("are tidied up later: only the first change waits for the reader", async () => {
    expect(await waits()).toEqual([50, 0, 0, 0, 0, 50]);
  });

  it("would have each change wait if nobody remembered (planted bug)", async () => {
    const plant = { file: "src/state/note-table.ts", from: "    patienceMs = 0;\n", to: "" };
    expect(await waits(plant)).toEqual([50, 50, 50, 50, 50, 50]);
  });
});
