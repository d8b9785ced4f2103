import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { AgentUser } from "../../src/core/isolation.ts";
import { canOpen, changeableBy } from "../../src/isolation/paths.ts";
import { loadPatched } from "../support/patched.ts";

/** Nobody on any computer that runs these tests. */
const STRANGER: AgentUser = { name: "stranger", uid: 54_321, groups: [{ gid: 54_321, name: "stranger" }] };
const isRoot = process.getuid?.() === 0;
/** Whether it can be tried what another user may do. */
const canBecome = isRoot && existsSync("/usr/bin/setpriv");

function place(): string {
  const root = mkdtempSync(join(tmpdir(), "agent-vault-paths-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  chmodSync(root, 0o755);
  return root;
}

function folder(path: string, mode: number): string {
  mkdirSync(path);
  chmodSync(path, mode);
  return path;
}

function file(path: string, mode: number): string {
  writeFileSync(path, "hunter2-4711");
  chmodSync(path, mode);
  return path;
}

describe.skipIf(process.platform === "win32")("what another user can change", () => {
  it("is nothing where everything is ours", async () => {
    const root = place();
    const path = file(join(folder(join(root, "a"), 0o755), "f"), 0o644);
    expect(await changeableBy(STRANGER, path)).toBeUndefined();
    expect(await changeableBy(STRANGER, join(root, "a", "not there"))).toBeUndefined();
  });

  it("is a file that everybody may write", async () => {
    const path = file(join(place(), "f"), 0o646);
    expect(await changeableBy(STRANGER, path)).toBe(path);
  });

  it("is a file below a folder where everybody may move things", async () => {
    const open = folder(join(place(), "open"), 0o777);
    const path = file(join(folder(join(open, "inner"), 0o755), "f"), 0o600);
    expect(await changeableBy(STRANGER, path)).toBe(open);
  });

  it("is what is not there yet in a folder like /tmp, and nothing of ours that is", async () => {
    const open = folder(join(place(), "tmp"), 0o1777);
    const path = file(join(open, "f"), 0o600);
    expect(await changeableBy(STRANGER, path)).toBeUndefined();
    expect(await changeableBy(STRANGER, join(open, "later"))).toBe(open);
    // As a state folder, it would take whatever anybody puts there.
    expect(await changeableBy(STRANGER, open)).toBe(open);
  });

  it("goes by the groups of that user, of which the group's own rights count and not those of the others", async () => {
    const root = place();
    const gid = process.getegid?.() ?? 0;
    const member: AgentUser = { ...STRANGER, groups: [...STRANGER.groups, { gid, name: "ours" }] };
    const forGroup = file(join(root, "group"), 0o664);
    expect(await changeableBy(member, forGroup)).toBe(forGroup);
    expect(await changeableBy(STRANGER, forGroup)).toBeUndefined();
    const notForGroup = file(join(root, "others"), 0o606);
    expect(await changeableBy(member, notForGroup)).toBeUndefined();
    expect(await changeableBy(STRANGER, notForGroup)).toBe(notForGroup);
  });

  it("follows links, and looks at each folder on the way", async () => {
    const root = place();
    const real = file(join(folder(join(root, "open"), 0o777), "f"), 0o600);
    const away = join(folder(join(root, "links"), 0o755), "away");
    symlinkSync(join("..", "open", "f"), away);
    expect(await changeableBy(STRANGER, away)).toBe(join(root, "open"));
    const far = join(root, "far");
    symlinkSync(away, far);
    expect(await changeableBy(STRANGER, far)).toBe(join(root, "open"));
    expect(await canOpen(STRANGER, far, "read")).toBe(false);
    chmodSync(real, 0o644);
    expect(await canOpen(STRANGER, far, "read")).toBe(true);
  });

  it("is a chain of links without an end, which cannot be looked at", async () => {
    const root = place();
    symlinkSync(join(root, "b"), join(root, "a"));
    symlinkSync(join(root, "a"), join(root, "b"));
    expect(await changeableBy(STRANGER, join(root, "a"))).toBeDefined();
    expect(await canOpen(STRANGER, join(root, "a"), "read")).toBe(true);
  });

  it("opens a file only through folders it may pass", async () => {
    const shut = folder(join(place(), "shut"), 0o700);
    const path = file(join(shut, "f"), 0o666);
    expect(await canOpen(STRANGER, path, "read")).toBe(false);
    chmodSync(shut, 0o711);
    expect(await canOpen(STRANGER, path, "read")).toBe(true);
    expect(await canOpen(STRANGER, path, "write")).toBe(true);
    expect(await canOpen(STRANGER, join(shut, "not there"), "read")).toBe(false);
  });

  it.runIf(isRoot)("is everything that user owns, whatever its mode", async () => {
    const path = file(join(place(), "f"), 0o400);
    chownSync(path, STRANGER.uid, STRANGER.uid);
    expect(await changeableBy(STRANGER, path)).toBe(path);
  });

  it("is everything for the administrator", async () => {
    const admin: AgentUser = { name: "root", uid: 0, groups: [] };
    const path = file(join(place(), "f"), 0o000);
    expect(await changeableBy(admin, path)).toBeDefined();
    expect(await canOpen(admin, path, "read")).toBe(true);
  });
});

/** What a user tries who wants to change what lies at a path: says which of the paths gave way. */
const TRY = `
  const fs = require("node:fs"), { dirname, join } = require("node:path");
  const [root, ...paths] = process.argv.slice(1);
  const works = (attempt) => { try { attempt(); return true; } catch { return false; } };
  const gaveWay = paths.filter((path) => {
    let changed = works(() => fs.closeSync(fs.openSync(path, "r+")));
    for (let at = path; at !== root; at = dirname(at)) {
      changed = works(() => { fs.renameSync(at, at + ".away"); fs.renameSync(at + ".away", at); }) || changed;
      changed = works(() => fs.chmodSync(at, fs.lstatSync(at).mode & 0o7777)) || changed;
    }
    return changed;
  });
  process.stdout.write(JSON.stringify(gaveWay));
`;

describe.runIf(canBecome)("what another user can change, tried by that user", () => {
  const BITS = [
    0o444, 0o500, 0o555, 0o600, 0o644, 0o646, 0o664, 0o666, 0o700, 0o711, 0o755, 0o775, 0o777, 0o1777, 0o1755,
  ];

  /** Files below two folders, of all modes and owners there can be. */
  function trees(): { root: string; paths: string[] } {
    const root = place();
    const paths: string[] = [];
    for (const [i, outer] of BITS.entries()) {
      for (const [j, inner] of BITS.entries()) {
        const a = folder(join(root, `a${i}-${j}`), 0o755);
        const path = file(join(folder(join(a, "b"), 0o755), "f"), BITS[(i + j) % BITS.length] ?? 0);
        const owner = [0, STRANGER.uid][(i * 5 + j * 3) % 7 === 0 ? 1 : 0] ?? 0;
        const group = [0, STRANGER.uid][(i + j) % 2] ?? 0;
        chownSync([path, join(a, "b"), a][(i + j) % 3] ?? path, owner, group);
        chmodSync(join(a, "b"), inner);
        chmodSync(a, outer);
        paths.push(path);
      }
    }
    return { root, paths };
  }

  /** Which gave way although they were said not to. */
  async function wrong(changeable: typeof changeableBy): Promise<{ wrong: string[]; gaveWay: number; held: number }> {
    const { root, paths } = trees();
    const said = await Promise.all(paths.map((path) => changeable(STRANGER, path)));
    const ids = ["--reuid", String(STRANGER.uid), "--regid", String(STRANGER.uid), "--clear-groups"];
    // The node of this test may lie where others cannot go; what it is called with does not.
    const out = execFileSync("/usr/bin/setpriv", [...ids, process.execPath, "-e", TRY, root, ...paths], { cwd: "/" });
    const gaveWay = new Set(JSON.parse(out.toString()) as string[]);
    return {
      wrong: paths.filter((path, i) => gaveWay.has(path) && said[i] === undefined),
      gaveWay: gaveWay.size,
      held: said.filter((one) => one === undefined).length,
    };
  }

  it("is never more than what was said", async () => {
    const result = await wrong(changeableBy);
    expect(result.wrong).toEqual([]);
    expect(result.gaveWay).toBeGreaterThan(20);
    expect(result.held).toBeGreaterThan(20);
  });

  it.each([
    ["owners", "if (stats.uid === user.uid) return at;", ""],
    [
      "folders",
      "if (stats.isSymbolicLink() || !may(user, stats, 0o2)) continue;",
      "if (!stats.isFile() || !may(user, stats, 0o2)) continue;",
    ],
    ["groups", "(stats.mode & (bit << 3)) !== 0", "false"],
  ])("would be more if %s were overlooked", async (_, from, to) => {
    const patched = (await loadPatched("src/isolation/paths.ts", [{ file: "src/isolation/paths.ts", from, to }])) as {
      changeableBy: typeof changeableBy;
    };
    expect((await wrong(patched.changeableBy)).wrong).not.toEqual([]);
  });
});
