// Places that are no ordinary file, disks that are full and users who are somebody else, each in a process of its own:
// one that waits for a pipe would take the test with it.
import { execFileSync } from "node:child_process";
import { chmodSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { bundle, start } from "./bundle.ts";
import { file, litter, OTHERS } from "./checks.ts";
import { tempFolder } from "./support.ts";

describe("what is not a file", () => {
  const PLACES: [string, (path: string) => void][] = [
    ["a pipe nobody writes to", (path) => void execFileSync("mkfifo", [path])],
    ["a link to /dev/zero", (path) => symlinkSync("/dev/zero", path)],
    ["a link to /dev/tty", (path) => symlinkSync("/dev/tty", path)],
  ];

  it.each(PLACES)("is refused at once: %s", async (_, make) => {
    const path = join(tempFolder(), "place");
    make(path);
    expect(await start(await bundle(), path).ask("list")).toMatchObject({ code: "provider_unavailable" });
  });

  it("would stop a program that just opens it", async () => {
    const path = join(tempFolder(), "pipe");
    execFileSync("mkfifo", [path]);
    const answer = start(await bundle("trusting"), path).ask("list");
    // It never comes, so there is nothing to await but time.
    expect(await Promise.race([answer, sleep(1_500, "still waiting")])).toBe("still waiting");
  });
});

describe("a full disk", () => {
  const before = `${OTHERS}A='hunter2-4711'\n`;

  async function afterFailure(program: string): Promise<string> {
    const path = file(before);
    const answer = await start(program, path).ask("set", "A", "new");
    expect(answer).toMatchObject({ code: "provider_unavailable", message: expect.stringContaining("disk is full") });
    expect(litter(path)).toEqual([]);
    return readFileSync(path, "utf8");
  }

  it("leaves the old file whole and nothing beside it", async () => {
    expect(await afterFailure(await bundle("fullDisk"))).toBe(before);
  });

  it("would leave half of it if it were written in place", async () => {
    expect(await afterFailure(await bundle("fullDiskInPlace"))).not.toBe(before);
  });

  it("leaves the old file whole on a real one", async ({ skip }) => {
    const folder = tempFolder();
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=128k", "tmpfs", folder], { stdio: "ignore" });
    } catch {
      skip("mounting a small disk takes root on Linux");
    }
    try {
      const path = join(folder, ".env.secrets");
      writeFileSync(path, before);
      expect(() => writeFileSync(join(folder, "filler"), Buffer.alloc(200_000))).toThrow("ENOSPC");
      const agent = start(await bundle(), path);
      expect(await agent.ask("set", "A", "x".repeat(5_000))).toMatchObject({
        code: "provider_unavailable",
        message: expect.stringContaining("disk is full"),
      });
      expect(readFileSync(path, "utf8")).toBe(before);
      expect(litter(path)).toEqual(["filler"]);
      await agent.kill();
    } finally {
      execFileSync("umount", [folder]);
    }
  });
});

describe("another user", () => {
  const root = process.getuid?.() === 0;
  const nobody = root ? { uid: 65_534, gid: 65_534 } : {};

  it("is told that the file is closed to them", async () => {
    const path = file("A=1\n");
    if (root) chmodSync(join(path, ".."), 0o755);
    else chmodSync(path, 0o000);
    expect(await start(await bundle(), path, nobody).ask("list")).toMatchObject({
      message: `env file ${path} is closed to this user`,
    });
  });

  it("cannot take a file from its owner by replacing it", async ({ skip }) => {
    if (!root) skip("acting as another user takes root");
    const path = file("A=old\n");
    chmodSync(join(path, ".."), 0o777);
    chmodSync(path, 0o666);
    const answer = await start(await bundle(), path, nobody).ask("set", "A", "new");
    expect(answer).toMatchObject({
      code: "provider_unavailable",
      message: expect.stringContaining("belongs to another user"),
    });
    expect(readFileSync(path, "utf8")).toBe("A=old\n");
    expect(litter(path)).toEqual([]);
  });

  it("cannot replace a file that is closed to them in a folder that is open", async ({ skip }) => {
    if (!root) skip("acting as another user takes root");
    const path = file("A=old\n");
    chmodSync(join(path, ".."), 0o777);
    chmodSync(path, 0o644);
    const answer = await start(await bundle(), path, nobody).ask("set", "A", "new");
    expect(answer).toMatchObject({ message: `env file ${path} is read-only` });
  });
});
