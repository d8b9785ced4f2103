import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Notebook, openNotes } from "../../src/state/notes.ts";
import { query, scratch } from "../support/audit.ts";
import { loadPatched, type Plant } from "../support/patched.ts";

const SCOPE = "12port https://vault.example/acme";
const RECORD = { request: "REQ-4711", asked: ["Prüfung", "☂", "\u0000"], at: 1_795_000_000_000 };

const stateFolder = (): string => join(scratch(), "state");

function notebookIn(folder: string, open = openNotes): Notebook {
  const notebook = open(folder);
  onTestFinished(() => notebook.close());
  return notebook;
}

describe("notes", () => {
  it("come back as they were put, in this process and in the next", () => {
    const folder = stateFolder();
    const first = openNotes(folder);
    first.of(SCOPE).put("asset-7", RECORD);
    expect(first.of(SCOPE).get("asset-7")).toEqual(RECORD);
    first.close();
    const next = notebookIn(folder).of(SCOPE);
    expect(next.get("asset-7")).toEqual(RECORD);
    expect(next.get("asset-8")).toBeUndefined();
    expect([...next.all()]).toEqual([["asset-7", RECORD]]);
  });

  it("are replaced by put, left alone by add, and gone after delete", () => {
    const notes = notebookIn(stateFolder()).of(SCOPE);
    expect(notes.add("a", 1)).toBe(true);
    expect(notes.add("a", 2)).toBe(false);
    expect(notes.get("a")).toBe(1);
    notes.put("a", 3);
    expect(notes.get("a")).toBe(3);
    notes.delete("a");
    notes.delete("a");
    expect(notes.get("a")).toBeUndefined();
    expect(notes.add("a", null)).toBe(true);
    expect(notes.get("a")).toBeNull();
  });

  it("are swapped or taken away only while they are still what they were", () => {
    const notes = notebookIn(stateFolder()).of(SCOPE);
    expect(notes.swap("a", RECORD, 1)).toBe(false);
    notes.put("a", RECORD);
    expect(notes.swap("a", { ...RECORD, at: 0 }, 1)).toBe(false);
    expect(notes.swap("a", notes.get("a"), { 2: "b", a: 1 })).toBe(true);
    expect(notes.swap("a", notes.get("a"), undefined)).toBe(true);
    expect(notes.swap("a", RECORD, undefined)).toBe(false);
    expect(notes.get("a")).toBeUndefined();
  });

  it("of one scope are not seen, replaced or deleted by another", () => {
    const notebook = notebookIn(stateFolder());
    const [ours, theirs] = [notebook.of("acme"), notebook.of("acme ")];
    ours.put("a", "ours");
    expect([theirs.get("a"), theirs.all().size, theirs.swap("a", "ours", 1)]).toEqual([undefined, 0, false]);
    expect(theirs.add("a", "theirs")).toBe(true);
    theirs.delete("a");
    expect([...ours.all()]).toEqual([["a", "ours"]]);
  });

  it("are shared at once by two that have the file open", () => {
    const folder = stateFolder();
    const [one, two] = [notebookIn(folder).of(SCOPE), notebookIn(folder).of(SCOPE)];
    one.put("a", 1);
    expect(two.get("a")).toBe(1);
    two.put("a", 2);
    expect(one.get("a")).toBe(2);
  });

  it("make no file before there is something to keep", () => {
    const folder = stateFolder();
    const notes = notebookIn(folder).of(SCOPE);
    expect([notes.get("a"), notes.all().size]).toEqual([undefined, 0]);
    notes.delete("a");
    expect(existsSync(folder)).toBe(false);
  });

  it("are refused after close, which may come twice or before anything else", () => {
    const folder = stateFolder();
    const notebook = openNotes(folder);
    notebook.of(SCOPE).put("a", 1);
    notebook.close();
    notebook.close();
    const closed = expect.objectContaining({
      code: "provider_unavailable",
      message: expect.stringContaining("is closed"),
    });
    expect(() => notebook.of(SCOPE).get("a")).toThrow(closed);
    expect(() => notebook.of(SCOPE).put("a", 2)).toThrow(closed);
    expect(readdirSync(folder)).toEqual(["notes.db"]);
    const unused = openNotes(stateFolder());
    unused.close();
    expect(() => unused.of(SCOPE).all()).toThrow(closed);
  });

  it.skipIf(process.platform === "win32")("lie in a file that is ours alone, under any umask", () => {
    const before = process.umask(0);
    onTestFinished(() => void process.umask(before));
    const folder = stateFolder();
    notebookIn(folder).of(SCOPE).put("a", 1);
    const mode = (path: string): string => (statSync(path).mode & 0o777).toString(8);
    const file = join(folder, "notes.db");
    expect([folder, file, `${file}-wal`, `${file}-shm`].map(mode)).toEqual(["700", "600", "600", "600"]);
  });
});

describe("what is no note", () => {
  const notes = () => notebookIn(stateFolder()).of(SCOPE);

  it.each([
    ["an empty one", ""],
    ["one that is too long", "ü".repeat(513)],
    ["one with half a character", "asset-\ud800"],
  ])("is refused: a name, %s", (_, name) => {
    const notebook = notebookIn(stateFolder());
    expect(() => notebook.of(name)).toThrow(RangeError);
    const { get, put, add, delete: remove } = notebook.of(SCOPE);
    for (const run of [() => get(name), () => put(name, 1), () => add(name, 1), () => remove(name)]) {
      expect(run).toThrow(RangeError);
    }
  });

  it.each([
    ["one that is too long", "x".repeat(16_383)],
    ["one that is long in bytes", "ü".repeat(8_192)],
    ["none", undefined],
    ["a function", () => 1],
  ])("is refused: a record, %s", (_, record) => {
    const { put, add } = notes();
    expect(() => put("a", record)).toThrow(RangeError);
    expect(() => add("a", record)).toThrow(RangeError);
  });

  it("begins just beyond what is one", () => {
    const { put, get } = notes();
    const [key, record] = ["ü".repeat(512), "x".repeat(16_382)];
    put(key, record);
    expect(get(key)).toBe(record);
  });
});

describe("what was noted and deleted", () => {
  /** Read by another process: for one that has the file open, looking at it would free SQLite's locks. */
  const bytesOf = (folder: string): Buffer =>
    execFileSync("cat", [join(folder, "notes.db"), join(folder, "notes.db-wal")], { maxBuffer: 64 * 1_024 * 1_024 });

  const remains = async (plants: readonly Plant[]): Promise<readonly string[]> => {
    const { openNotes: open } = (await loadPatched("src/state/notes.ts", plants)) as { openNotes: typeof openNotes };
    const folder = stateFolder();
    const notes = notebookIn(folder, open).of(SCOPE);
    const keys = Array.from({ length: 60 }, (_, i) => `canary-${i}-4711`);
    for (const [i, key] of keys.entries()) notes.put(key, { key, padding: `${key} `.repeat([1, 20, 90, 400][i % 4]!) });
    notes.put("replaced", "hunter2-4711-first");
    notes.put("replaced", "second");
    const before = bytesOf(folder);
    expect(keys.every((key) => before.includes(key))).toBe(true);
    const gone = keys.filter((_, i) => i % 5 !== 0);
    for (const key of gone) notes.delete(key);
    expect(notes.all().size).toBe(13);
    const after = bytesOf(folder);
    return [...gone, "hunter2-4711-first"].filter((text) => after.includes(text));
  };

  it("is not in the file any more, which is still open", async () => {
    expect(await remains([])).toEqual([]);
  });

  const file = "src/state/note-table.ts";
  it.each([
    ["SQLite did not overwrite it", { file, from: `"secure_delete = ON"`, to: `"secure_delete = OFF"` }],
    ["the write-ahead log stayed", { file, from: `db.pragma("wal_checkpoint(TRUNCATE)", { simple: true })`, to: "0" }],
  ])("would be if %s (planted bug)", async (_, plant) => {
    expect(await remains([plant])).not.toEqual([]);
  });

  it("goes a little later when somebody was reading just then", () => {
    const folder = stateFolder();
    const notes = notebookIn(folder).of(SCOPE);
    notes.put("a", "hunter2-4711-read");
    const reader = new Database(join(folder, "notes.db"), { readonly: true });
    reader.exec("BEGIN");
    expect(reader.prepare("SELECT count(*) FROM note").pluck().get()).toBe(1);
    notes.delete("a");
    expect(bytesOf(folder).includes("hunter2-4711-read")).toBe(true);
    reader.close();
    notes.put("b", 1);
    expect(bytesOf(folder).includes("hunter2-4711-read")).toBe(false);
    expect(query(join(folder, "notes.db"), "SELECT key FROM note")).toEqual([{ key: "b" }]);
  });
});
