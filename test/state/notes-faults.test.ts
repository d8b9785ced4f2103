import {
  chmodSync,
  chownSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it, onTestFinished } from "vitest";
import { openLog } from "../../src/audit/sqlite.ts";
import type { Notes } from "../../src/core/ports.ts";
import { type Notebook, openNotes } from "../../src/state/notes.ts";
import { event, scratch } from "../support/audit.ts";
import { type Disk, mountDisk } from "../support/locker.ts";
import { loadPatched, type Plant } from "../support/patched.ts";

const SCOPE = "12port https://vault.example/acme";
const isRoot = process.getuid?.() === 0;
const PEOPLE = "what a vault's people are deciding may then be asked for a second time";

const notesPath = (): string => join(scratch(), "state", "notes.db");

function notesAt(file: string, open = openNotes): Notes {
  const notebook = open(dirname(file));
  onTestFinished(() => notebook.close());
  return notebook.of(SCOPE);
}

/** A file with one note in it that nobody has open. */
function left(file: string): string {
  const notebook = openNotes(dirname(file));
  notebook.of(SCOPE).put("asset-7", { request: "REQ-4711" });
  notebook.close();
  return file;
}

const refusal = (message: string, hint = ""): unknown =>
  expect.objectContaining({
    code: "provider_unavailable",
    message: expect.stringContaining(message),
    hint: expect.stringContaining(hint),
  });

/** Every way in says the same. */
function expectRefused(notes: Notes, why: unknown): void {
  expect(() => notes.get("asset-7")).toThrow(why);
  expect(() => notes.all()).toThrow(why);
  expect(() => notes.put("asset-7", 1)).toThrow(why);
  expect(() => notes.add("asset-7", 1)).toThrow(why);
  expect(() => notes.delete("asset-7")).toThrow(why);
}

function diskOf(size: string, skip: () => never): Disk {
  const disk = mountDisk(size) ?? skip();
  onTestFinished(disk.remove);
  return disk;
}

async function planted(plants: readonly Plant[]): Promise<(folder: string) => Notebook> {
  const twin = (await loadPatched("src/state/notes.ts", plants)) as { openNotes: typeof openNotes };
  return twin.openNotes;
}

describe("a notes file that is not ours to use", () => {
  it("is refused when it is no database", () => {
    const file = notesPath();
    mkdirSync(dirname(file), { mode: 0o700 });
    writeFileSync(file, "hunter2-4711 ".repeat(1_000));
    expectRefused(notesAt(file), refusal(`the notes file ${file} is damaged`, PEOPLE));
    expect(readFileSync(file, "utf8")).toBe("hunter2-4711 ".repeat(1_000));
  });

  it("is refused when it belongs to another program, and left as it is", () => {
    const file = notesPath();
    mkdirSync(dirname(file), { mode: 0o700 });
    const theirs = new Database(file);
    theirs.exec("CREATE TABLE note (scope TEXT, key TEXT, record TEXT)");
    theirs.close();
    const before = readFileSync(file);
    expectRefused(notesAt(file), refusal("is a database of something else, not the notes file", "move it aside"));
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  it("is refused when it is our audit log", async () => {
    const file = notesPath();
    const log = openLog({ file });
    await log.record([event()]);
    log.close();
    expectRefused(notesAt(file), refusal("is a database of something else, not the notes file"));
  });

  it("is refused when a newer release has written it", () => {
    const file = left(notesPath());
    const db = new Database(file);
    db.pragma("user_version = 99");
    db.close();
    expectRefused(notesAt(file), refusal("was written by a newer agent-vault", "update agent-vault"));
  });

  it("is refused when it is a link, or lies behind one", () => {
    const folder = scratch();
    const file = left(join(folder, "elsewhere", "notes.db"));
    const before = statSync(file).mtimeMs;
    mkdirSync(join(folder, "state"), { mode: 0o700 });
    symlinkSync(file, join(folder, "state", "notes.db"));
    symlinkSync(dirname(file), join(folder, "detour"));
    const elsewhere = process.platform === "win32" ? "LOCALAPPDATA" : "XDG_STATE_HOME";
    const hint = `remove it, or set ${elsewhere} to another folder`;
    expectRefused(notesAt(join(folder, "state", "notes.db")), refusal("notes.db is a symbolic link", hint));
    expectRefused(notesAt(join(folder, "detour", "notes.db")), refusal("detour is a symbolic link", hint));
    expect(statSync(file).mtimeMs).toBe(before);
  });

  it("is refused where others can change the folder, and made ours alone where they can read the file", () => {
    const file = left(notesPath());
    chmodSync(file, 0o644);
    expect(notesAt(file).get("asset-7")).toEqual({ request: "REQ-4711" });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    chmodSync(dirname(file), 0o770);
    expectRefused(notesAt(file), refusal("can be changed by other users", `chmod go-w ${dirname(file)}, or set`));
  });

  it.runIf(isRoot)("is refused when it belongs to another user", () => {
    const file = left(notesPath());
    chownSync(file, 12_345, 12_345);
    expectRefused(notesAt(file), refusal("notes.db belongs to another user"));
  });

  it("is refused when the folder is a file", () => {
    const file = join(scratch(), "plain", "notes.db");
    writeFileSync(dirname(file), "");
    expect(() => notesAt(file).add("asset-7", 1)).toThrow(refusal("is not a folder"));
  });
});

describe("a damaged notes file", () => {
  it("is refused when its pages are damaged", () => {
    const file = left(notesPath());
    const bytes = readFileSync(file);
    writeFileSync(file, bytes.fill(0x5a, 4_096));
    const notes = notesAt(file);
    const damaged = refusal("is damaged", PEOPLE);
    expect(() => notes.get("asset-7")).toThrow(damaged);
    expect(() => notes.all()).toThrow(damaged);
    expect(() => notes.add("asset-7", 1)).toThrow(damaged);
  });

  it("never passes a damaged record off as none, and gives the others and its place", () => {
    const file = left(notesPath());
    const notes = notesAt(file);
    notes.put("asset-8", 8);
    const db = new Database(file);
    db.exec(`UPDATE note SET record = '{"request": "hunter2-4711' WHERE key = 'asset-7'`);
    db.close();
    const damaged = refusal("holds a record that is damaged", PEOPLE);
    expect(() => notes.get("asset-7")).toThrow(damaged);
    expect(() => notes.get("asset-7")).not.toThrow("hunter2-4711");
    expect(() => notes.all()).toThrow(damaged);
    expect(notes.add("asset-7", 1)).toBe(false);
    expect(notes.get("asset-8")).toBe(8);
    notes.delete("asset-7");
    expect([...notes.all()]).toEqual([["asset-8", 8]]);
  });
});

describe("a full disk", () => {
  it("refuses the note whole, keeps those that are there, and takes more when there is room", async () => {
    const file = "src/state/note-table.ts";
    const full = await planted([{ file, from: "busyMs: BUSY_MS,", to: "busyMs: BUSY_MS,\n    maxPages: 12," }]);
    const notes = notesAt(notesPath(), full);
    const kept: string[] = [];
    const fill = (): void => {
      for (let n = 1; n < 100; n++) {
        notes.put(`asset-${n}`, "x".repeat(8_000));
        kept.push(`asset-${n}`);
      }
    };
    expect(fill).toThrow(refusal("cannot grow: its disk is full", "free some space"));
    expect(kept.length).toBeGreaterThan(1);
    expect([...notes.all().keys()]).toEqual(kept);
    expect(notes.add(kept[0]!, 1)).toBe(false);
    notes.delete(kept[0]!);
    expect(notes.add("asset-100", "x".repeat(8_000))).toBe(true);
  });

  it("refuses on a real one", (context) => {
    const disk = diskOf("256k", () => context.skip("no disk can be mounted here"));
    const notes = notesAt(join(disk.folder, "state", "notes.db"));
    notes.put("asset-0", 0);
    const fill = (): void => {
      for (let n = 1; n < 100; n++) notes.put(`asset-${n}`, "x".repeat(16_000));
    };
    expect(fill).toThrow(refusal("its disk"));
    expect(notes.get("asset-0")).toBe(0);
  });
});

describe("a notes file that cannot be written", () => {
  it("is refused on a read-only disk", (context) => {
    const disk = diskOf("1m", () => context.skip("no disk can be mounted here"));
    const file = left(join(disk.folder, "state", "notes.db"));
    disk.makeReadOnly();
    expectRefused(notesAt(file), refusal("the notes file"));
  });

  it.skipIf(isRoot || process.platform === "win32")("is refused in a folder we may not write to", () => {
    const file = notesPath();
    mkdirSync(dirname(file), { mode: 0o500 });
    onTestFinished(() => chmodSync(dirname(file), 0o700));
    expect(() => notesAt(file).add("asset-7", 1)).toThrow(refusal("is read-only"));
  });
});

describe("a notes file that is taken away while it is open", () => {
  const parts = [
    ["the database", "", "deleted"],
    ["the write-ahead log", "-wal", "deleted"],
    ["the index of the write-ahead log", "-shm", "deleted"],
    ["the database", "", "replaced"],
  ] as const;

  it.each(parts)("is noticed, until it is back: %s%s, %s", (_, suffix, what) => {
    const file = notesPath();
    const notes = notesAt(file);
    notes.put("asset-7", "before");
    renameSync(file + suffix, `${file}.aside`);
    if (what === "replaced") writeFileSync(file, "");
    expectRefused(notes, refusal("was moved, deleted or replaced while in use", "put it back, or restart agent-vault"));
    rmSync(file + suffix, { force: true });
    renameSync(`${file}.aside`, file + suffix);
    expect(notes.get("asset-7")).toBe("before");
    notes.put("asset-7", "after");
    expect(notes.get("asset-7")).toBe("after");
  });

  it("would not be if nobody looked (planted bug)", async () => {
    const check = "if (!isSame(part.identity, identify(part.path))) throw gone(file, part.path);";
    const blind = await planted([{ file: "src/state/database.ts", from: check, to: "void part;" }]);
    const file = notesPath();
    const notes = notesAt(file, blind);
    notes.put("asset-7", "before");
    rmSync(file);
    expect(notes.add("asset-8", "lost with the process")).toBe(true);
  });
});
