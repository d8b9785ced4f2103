import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

// The launcher itself, under a Node that claims to be another one, beside a better-sqlite3 that is only a version and a
// program that only says that it was started. The real ones meet in scripts/ci/package-check.mjs.
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "agent-vault-launcher-"));
  cpSync("dist/agent-vault.js", join(folder, "agent-vault.js"));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  writeFileSync(join(folder, "main.js"), 'process.stdout.write("started");');
});
afterAll(() => rmSync(folder, { recursive: true }));

const STARTED = { status: 0, stdout: "started", stderr: "" };
const refused = (line: string): object => ({ status: 1, stdout: "", stderr: `agent-vault: ${line}\n` });
const tooOld = (node: string): object => refused(`Node ${node} is too old: install Node 24 (20.19 or newer works)`);
const without13 = (node: string, or = ""): object =>
  refused(`better-sqlite3 13.2.0 cannot run on Node ${node}: install Node 24 (22.14 or newer works)${or}`);

describe("the launcher", () => {
  it.each([
    ["14.21.3", "8", "12.11.1", tooOld("14.21.3")],
    ["18.20.8", "9", "13.2.0", tooOld("18.20.8")],
    ["20.18.3", "9", "12.11.1", tooOld("20.18.3")],
    ["20.19.0", "9", "12.11.1", STARTED],
    ["20.20.2", "9", "13.2.0", without13("20.20.2", ", or install agent-vault anew with this Node")],
    ["21.7.3", "9", "12.11.1", STARTED],
    ["21.7.3", "9", "13.2.0", without13("21.7.3")],
    ["22.13.1", "9", "13.2.0", without13("22.13.1")],
    ["22.13.1", "9", "12.11.1", STARTED],
    ["22.14.0", "10", "13.2.0", STARTED],
    ["23.5.0", "9", "13.2.0", without13("23.5.0")],
    ["24.21.0", "10", "13.2.0", STARTED],
    ["26.0.0", "12", "13.2.0", STARTED],
    ["24.21.0", "10", undefined, STARTED],
  ])("on Node %s with Node-API %s and better-sqlite3 %s", (node, napi, sqlite, outcome) => {
    expect(launch({ node, napi, sqlite })).toEqual(outcome);
  });

  it("says why before it looks at what it was asked for", () => {
    expect(launch({ node: "18.20.8", napi: "9", sqlite: undefined }, "audit", "--json")).toEqual(tooOld("18.20.8"));
  });
});

interface Claims {
  readonly node: string;
  readonly napi: string;
  readonly sqlite: string | undefined;
}

function launch({ node, napi, sqlite }: Claims, ...args: string[]): object {
  const home = join(folder, "node_modules", "better-sqlite3");
  rmSync(home, { recursive: true, force: true });
  if (sqlite !== undefined) {
    mkdirSync(home, { recursive: true });
    writeFileSync(join(home, "package.json"), JSON.stringify({ name: "better-sqlite3", version: sqlite }));
  }
  const versions = JSON.stringify({ node, napi });
  writeFileSync(
    join(folder, "pretend.cjs"),
    `Object.defineProperty(process, "versions", { value: { ...process.versions, ...${versions} } });`,
  );
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["--require", join(folder, "pretend.cjs"), join(folder, "agent-vault.js"), ...args],
    { encoding: "utf8" },
  );
  return { status, stdout, stderr };
}
