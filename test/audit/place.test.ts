import { chmodSync, chownSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { instancesFolder } from "../../src/audit/instance.ts";
import { openLog } from "../../src/audit/sqlite.ts";
import { event, logAt, logPath, scratch } from "../support/audit.ts";

const isRoot = process.getuid?.() === 0;
const mode = (path: string): string => (statSync(path).mode & 0o777).toString(8);
const refusal = (message: string): unknown =>
  expect.objectContaining({ code: "audit_unavailable", message: expect.stringContaining(message) });

describe.skipIf(process.platform === "win32")("where the log lies", () => {
  it.each([0o000, 0o022, 0o077, 0o777])("is ours alone under any umask: %o", async (umask) => {
    const file = join(scratch(), "deep", "er", "audit.db");
    const before = process.umask(umask);
    onTestFinished(() => void process.umask(before));
    const log = logAt(file);
    await log.record([event()]);
    const folders = [dirname(dirname(file)), dirname(file), instancesFolder(file)];
    expect(folders.map(mode)).toEqual(["700", "700", "700"]);
    const lock = join(instancesFolder(file), `${log.instance()}.lock`);
    expect([file, `${file}-wal`, `${file}-shm`, lock].map(mode)).toEqual(["600", "600", "600", "600"]);
    expect(readdirSync(dirname(file)).sort()).toEqual([
      "audit.db",
      "audit.db-instances",
      "audit.db-shm",
      "audit.db-wal",
    ]);
  });

  it("is made ours alone where others could read it", async () => {
    const file = logPath();
    const first = openLog({ file });
    await first.open();
    first.close();
    chmodSync(file, 0o644);
    await logAt(file).record([event()]);
    expect([file, `${file}-wal`, `${file}-shm`].map(mode)).toEqual(["600", "600", "600"]);
  });

  it("is no folder that others can change", async () => {
    const file = logPath();
    mkdirSync(dirname(file));
    chmodSync(dirname(file), 0o777);
    await expect(logAt(file).open()).rejects.toEqual(refusal("can be changed by other users"));
  });

  it("is no symbolic link, nor behind one", async () => {
    const folder = scratch();
    writeFileSync(join(folder, "elsewhere"), "");
    for (const name of ["audit.db", "other.db-wal"]) symlinkSync(join(folder, "elsewhere"), join(folder, name));
    symlinkSync(folder, join(folder, "detour"));
    const open = (name: string): Promise<void> => logAt(join(folder, name)).open();
    await expect(open("audit.db")).rejects.toEqual(refusal("audit.db is a symbolic link"));
    await expect(open("other.db")).rejects.toEqual(refusal("other.db-wal is a symbolic link"));
    await expect(open("detour/third.db")).rejects.toEqual(refusal("detour is a symbolic link"));
    expect(statSync(join(folder, "elsewhere")).size).toBe(0);
  });

  it("is a file", async () => {
    const file = logPath();
    mkdirSync(file, { recursive: true, mode: 0o700 });
    await expect(logAt(file).open()).rejects.toEqual(refusal("is not a file"));
  });

  it.runIf(isRoot)("belongs to nobody else", async () => {
    const theirs = 12_345;
    const file = logPath();
    const first = openLog({ file });
    await first.open();
    first.close();
    chownSync(file, theirs, theirs);
    await expect(logAt(file).open()).rejects.toEqual(refusal("audit.db belongs to another user"));
    chownSync(file, 0, 0);
    chownSync(dirname(file), theirs, theirs);
    await expect(logAt(file).open()).rejects.toEqual(refusal("state belongs to another user"));
  });
});
