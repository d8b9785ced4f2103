import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeWorld, query, type World } from "../support/agent.ts";
import { type Disk, lockDatabase, mountDisk } from "../support/locker.ts";
import { buildPatched } from "../support/patched.ts";
import { approve, deny, readPage } from "../support/person.ts";
import { type Raw, type RpcAnswer, startRaw, statusOfAnswer, textOfAnswer } from "../support/raw.ts";

const VALUE = "postgres://hunter2-4711";
const worlds: World[] = [];
const disks: Disk[] = [];
afterAll(() => [...worlds, ...disks].forEach((each) => each.remove()));

function newWorld(): World {
  const world = makeWorld({ vault: { ttl: 60 } });
  worlds.push(world);
  return world;
}

function newDisk(size: string): Disk | undefined {
  const disk = mountDisk(size);
  if (disk) disks.push(disk);
  return disk;
}

const get = (raw: Raw): Promise<RpcAnswer> =>
  raw.call("get_secret", { vault: "dev", name: "DATABASE_URL", reason: "run migration 0042" });

/** Whether the value came back, or what did instead. */
const gotten = (answer: RpcAnswer): unknown => (textOfAnswer(answer) === VALUE ? "value" : statusOfAnswer(answer));

/** Opens a window; one value comes through it. */
async function openWindow(raw: Raw): Promise<string> {
  const first = get(raw);
  const link = await raw.link();
  await approve(link, "window");
  expect(gotten(await first)).toBe("value");
  return link;
}

/** Looks at the page until `over`, and says how often it answered and how long it took at most. */
async function watchPage(link: string, over: Promise<unknown>): Promise<{ looks: number; slowestMs: number }> {
  const ended = new AbortController();
  void over.finally(() => ended.abort()).catch(() => {});
  let [looks, slowestMs] = [0, 0];
  while (!ended.signal.aborted) {
    const began = performance.now();
    if ((await fetch(link)).status === 200) looks += 1;
    slowestMs = Math.max(slowestMs, performance.now() - began);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return { looks, slowestMs };
}

/** Values that came back beside the deliveries the log knows of. */
function counts(database: string, raw: Raw): { values: number; recorded: unknown } {
  const values = raw.lines.filter((line) => line.includes("hunter2")).length;
  const found = query({ ...worlds[0], database } as World, "SELECT count(*) AS n FROM event WHERE kind = 'releasing'");
  return { values, recorded: found[0]?.["n"] };
}

/** Another process takes the log while a window is open. */
async function lockedWindow(program?: string) {
  const world = newWorld();
  const raw = await startRaw(world, program === undefined ? {} : { program });
  const link = await openWindow(raw);
  const unlock = await lockDatabase(world.database);
  const began = performance.now();
  const asked = get(raw);
  const { looks, slowestMs } = await watchPage(link, asked);
  const meanwhile = await asked;
  const tookMs = performance.now() - began;
  await unlock();
  const after = gotten(await get(raw));
  await raw.close();
  return { meanwhile, looks, slowestMs, tookMs, after, ...counts(world.database, raw) };
}

/** Somebody approves while another process has the log. */
async function lockedApproval() {
  const world = newWorld();
  const raw = await startRaw(world);
  const asked = get(raw);
  const link = await raw.link();
  const unlock = await lockDatabase(world.database);
  const tapped = approve(link, "window");
  const { looks } = await watchPage(link, tapped);
  const [first, page] = [await tapped, await readPage(link)];
  await unlock();
  const second = await approve(link, "window");
  const answer = gotten(await asked);
  await raw.close();
  const lines = query(world, "SELECT kind FROM event WHERE kind IN ('approved', 'releasing')");
  return { first, page, looks, second, answer, lines: lines.map(({ kind }) => kind) };
}

/** The disk of the log fills up while a window is open. */
async function fullDisk() {
  const disk = newDisk("1m");
  if (!disk) return undefined;
  const database = join(disk.folder, "audit.db");
  const raw = await startRaw(newWorld(), { env: { AGENT_VAULT_DB: database } });
  await openWindow(raw);
  const ballast = join(disk.folder, "ballast");
  fill(ballast);
  let last = await get(raw);
  for (let at = 0; at < 50 && gotten(last) === "value"; at++) last = await get(raw);
  rmSync(ballast);
  const after = gotten(await get(raw));
  await raw.close();
  return { last, after, ...counts(database, raw) };
}

function fill(file: string): void {
  for (let size = 1_000_000; size > 0; size -= 4_096) {
    try {
      return writeFileSync(file, Buffer.alloc(size));
    } catch {
      // Still too large.
    }
  }
}

const PLANT = {
  file: "src/core/deliveries.ts",
  from: 'await journal.record([{ ...about, kind: "releasing", at: clock.now() }]);',
  to: 'await journal.record([{ ...about, kind: "releasing", at: clock.now() }]).catch(() => {});',
};

describe("with the log away", () => {
  let seen: {
    readonly window: Awaited<ReturnType<typeof lockedWindow>>;
    readonly twin: Awaited<ReturnType<typeof lockedWindow>>;
    readonly approval: Awaited<ReturnType<typeof lockedApproval>>;
    readonly disk: Awaited<ReturnType<typeof fullDisk>>;
  };
  // Each waits out the five seconds that a log is waited for, so they do it side by side.
  beforeAll(async () => {
    const patched = await buildPatched("src/main.ts", [PLANT]);
    const all = [lockedWindow(), lockedWindow(patched.file), lockedApproval(), fullDisk()] as const;
    const [window, twin, approval, disk] = await Promise.all(all).finally(patched.remove);
    seen = { window, twin, approval, disk };
    if (!process.env["OBSERVE"]) return;
    const { tookMs, looks, slowestMs } = window;
    console.log(`refused after ${tookMs} ms, the page answered ${looks} times, at most after ${slowestMs} ms`);
  });

  it("no value leaves an open window, the answer says why, and all recovers", () => {
    expect(gotten(seen.window.meanwhile)).toBe("audit_unavailable");
    expect(textOfAnswer(seen.window.meanwhile)).toContain("is locked by another process");
    expect(textOfAnswer(seen.window.meanwhile).split("\n")).toHaveLength(2);
    expect(seen.window).toMatchObject({ after: "value", values: 2, recorded: 2 });
  });

  it("the page keeps answering", () => {
    expect(seen.window.looks).toBeGreaterThan(5);
    expect(seen.approval.looks).toBeGreaterThan(5);
  });

  it("a value that did not wait for the log would be seen to leave", () => {
    expect(gotten(seen.twin.meanwhile)).toBe("value");
    expect(seen.twin.values).toBeGreaterThan(Number(seen.twin.recorded));
  });

  it("an approval is none: the page says so, the request waits, and the next tap counts", () => {
    expect(seen.approval.first).toBe(503);
    expect(seen.approval.page).toContain('value="approve"');
    expect(seen.approval.second).toBe(303);
    expect(seen.approval).toMatchObject({ answer: "value", lines: ["approved", "releasing"] });
  });

  it("because its disk is full, values stop when their lines do not fit and come again with room", ({ skip }) => {
    const { last, after, values, recorded } = seen.disk ?? skip("no disk can be mounted here");
    expect(gotten(last)).toBe("audit_unavailable");
    expect(textOfAnswer(last)).toContain("disk is full");
    expect(after).toBe("value");
    expect(values).toBe(recorded);
  });

  it("a no is taken at once, and stands in the log when it is back", async () => {
    const world = newWorld();
    const raw = await startRaw(world);
    const asked = get(raw);
    const link = await raw.link();
    const unlock = await lockDatabase(world.database);
    expect(await deny(link)).toBe(303);
    expect(gotten(await asked)).toBe("denied");
    await unlock();
    await raw.close();
    expect(query(world, "SELECT count(*) AS n FROM event WHERE kind = 'denied'")).toEqual([{ n: 1 }]);
  });

  it("because it lies on a read-only disk, nobody is asked and the answer says so", async ({ skip }) => {
    const disk = newDisk("4m") ?? skip("no disk can be mounted here");
    const env = { AGENT_VAULT_DB: join(disk.folder, "audit.db") };
    const before = await startRaw(newWorld(), { env });
    await openWindow(before);
    await before.close();
    disk.makeReadOnly();
    const raw = await startRaw(newWorld(), { env });
    const answer = await get(raw);
    expect(gotten(answer)).toBe("audit_unavailable");
    expect(textOfAnswer(answer)).toMatch(/audit log .*audit\.db/);
    expect(raw.stderr()).not.toContain("approve/");
  });

  it.each(["/dev/null/audit.db", "/proc/self/nowhere/audit.db", "/"])(
    "because it can never be at %s, nobody is asked and the answer says what to do",
    async (database) => {
      const raw = await startRaw(newWorld(), { env: { AGENT_VAULT_DB: database } });
      const answer = await get(raw);
      expect(gotten(answer)).toBe("audit_unavailable");
      expect(textOfAnswer(answer)).toContain("audit.database");
      expect(raw.stderr()).not.toContain("approve/");
      expect((await raw.close()).code).toBe(0);
      expect(raw.lines.join("\n")).not.toContain("hunter2");
    },
  );
});
