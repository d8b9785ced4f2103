import { readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { withLock } from "../../../src/providers/env/lock.ts";
import { isDead, ownProcess } from "../../../src/providers/env/process.ts";
import { bundle, start } from "./bundle.ts";
import { file, litter } from "./checks.ts";
import { must, signal, tempFolder } from "./support.ts";

/** Leaves a lock file of such a writer, this long ago. */
function leave(path: string, id: ReturnType<typeof ownProcess>, ageMs = 0): string {
  const name = `${path}.lock-${id.host}-${id.boot}-${id.space}-${id.pid}-${id.start}-0000000000000000`;
  writeFileSync(name, "");
  const at = (Date.now() - ageMs) / 1000;
  utimesSync(name, at, at);
  return name;
}

it("lets one in at a time, in one process too", async () => {
  const path = join(tempFolder(), "env");
  let inside = 0;
  let most = 0;
  const work = async (): Promise<void> => {
    most = Math.max(most, ++inside);
    await new Promise((resolve) => setImmediate(resolve));
    inside--;
  };
  await Promise.all(Array.from({ length: 30 }, () => withLock(path, signal, work)));
  expect(most).toBe(1);
  expect(readdirSync(join(path, ".."))).toEqual([]);
});

it("opens again when the work fails", async () => {
  const path = join(tempFolder(), "env");
  await expect(withLock(path, signal, () => Promise.reject(new Error("broke")))).rejects.toThrow("broke");
  expect(readdirSync(join(path, ".."))).toEqual([]);
});

it("knows when it was taken away", async () => {
  const path = join(tempFolder(), "env");
  const seen = await withLock(path, signal, async (lock) => {
    const before = lock.held();
    const { rmSync } = await import("node:fs");
    for (const name of readdirSync(join(path, ".."))) rmSync(join(path, "..", name));
    return [before, lock.held()];
  });
  expect(seen).toEqual([true, false]);
});

it("is passed over when its process has ended, also when the number belongs to another one now", async () => {
  const path = join(tempFolder(), "env");
  const self = ownProcess();
  leave(path, { ...self, start: String(Number(self.start) + 1) });
  await withLock(path, signal, async () => {});
  expect(readdirSync(join(path, ".."))).toEqual([]);
});

it("is not confused by files that only look alike", async () => {
  const path = join(tempFolder(), "env");
  writeFileSync(`${path}.lock-note`, "mine");
  writeFileSync(`${path}.lock`, "mine");
  await withLock(path, signal, async () => {});
  expect(readdirSync(join(path, "..")).sort()).toEqual(["env.lock", "env.lock-note"]);
});

describe("a writer", () => {
  const self = ownProcess();
  const MINUTES = 60_000;

  it.each<[string, Partial<typeof self>, number, boolean]>([
    ["that is this process", {}, 0, false],
    ["that was another process of the same number", { start: "1" }, 0, true],
    ["of a number nobody has", { pid: 4_194_305 }, 0, true],
    ["of an earlier boot", { boot: "00000000" }, 0, true],
    ["of another container, a moment ago", { space: "00000000" }, 0, false],
    ["of another container, long ago", { space: "00000000" }, 11 * MINUTES, true],
    ["of another machine, a moment ago", { host: "00000000", boot: "00000000" }, 0, false],
    ["of another machine, long ago", { host: "00000000" }, 11 * MINUTES, true],
    ["that is this process, for hours", {}, 300 * MINUTES, false],
    ["whose start nobody knows", { start: "0" }, 0, false],
  ])("%s", (_, other, ageMs, dead) => {
    expect(isDead({ ...self, ...other }, self, ageMs)).toBe(dead);
  });
});

it("of another machine is waited for, and the person is told which file stands for it", async () => {
  const path = file("A=old\n");
  const name = leave(path, { ...ownProcess(), host: "00000000" });
  const answer = await start(await bundle("impatient"), path).ask("set", "A", "new");
  expect(answer).toMatchObject({ code: "provider_unavailable", message: expect.stringContaining("another machine") });
  expect(answer.hint).toContain(name);
  expect(litter(path)).toHaveLength(1);
  expect(must(readFileSync(path, "utf8"))).toBe("A=old\n");
});
