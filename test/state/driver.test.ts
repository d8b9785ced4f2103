import { cpSync, mkdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { AUDIT_LOG } from "../../src/audit/file.ts";
import { VaultError } from "../../src/core/errors.ts";
import { loadDriver } from "../../src/state/driver.ts";
import { scratch } from "../support/audit.ts";

const here = createRequire(import.meta.url);
const remedy = (folder: string): string =>
  `npm rebuild better-sqlite3 --ignore-scripts=false --prefix "${realpathSync(folder)}"`;

/** A folder with a copy of the real package as npm leaves it when it runs no install script. */
function installed(): { folder: string; load: NodeJS.Require; binary: string } {
  const folder = scratch();
  for (const name of ["better-sqlite3", "bindings", "file-uri-to-path"]) {
    const from = dirname(here.resolve(`${name}/package.json`));
    const skip = join(from, "build");
    cpSync(from, join(folder, "node_modules", name), {
      recursive: true,
      filter: (path) => path !== skip && !path.startsWith(join(from, "deps")) && !path.startsWith(join(from, "src")),
    });
  }
  return {
    folder,
    load: createRequire(join(folder, "index.js")),
    binary: join(folder, "node_modules/better-sqlite3/build/Release/better_sqlite3.node"),
  };
}

function refusal(load: NodeJS.Require, node?: string): VaultError {
  try {
    loadDriver(AUDIT_LOG, load, node);
  } catch (error) {
    if (error instanceof VaultError) return error;
    throw error;
  }
  throw new Error("it was loaded");
}

describe("loading better-sqlite3", () => {
  it("works here", () => {
    const Driver = loadDriver(AUDIT_LOG);
    expect(new Driver(":memory:").prepare("SELECT 1").pluck().get()).toBe(1);
  });

  it("says what to type when npm blocked its install script", () => {
    const { folder, load } = installed();
    const error = refusal(load);
    expect(error).toMatchObject({ code: "audit_unavailable", hint: remedy(folder) });
    expect(error.message).toContain("npm blocked its install script");
  });

  it("says what to type when the binary does not fit this Node", () => {
    const { folder, load, binary } = installed();
    mkdirSync(dirname(binary), { recursive: true });
    writeFileSync(binary, "built for something else");
    const error = refusal(load);
    expect(error).toMatchObject({ code: "audit_unavailable", hint: remedy(folder) });
    expect(error.message).toContain("was built for another Node");
  });

  it("says so when it is not installed at all", () => {
    const { load, binary } = installed();
    rmSync(dirname(dirname(dirname(binary))), { recursive: true });
    const error = refusal(load);
    expect(error.message).toContain("is not installed");
    expect(error.hint).toBe("install agent-vault again");
  });

  it.each([
    ["13.2.0", "20.20.2"],
    ["13.2.0", "22.13.1"],
    ["14.0.0", "21.7.3"],
  ])("does not load version %s on Node %s, where it would crash", (version, node) => {
    const { load, binary } = installed();
    writeFileSync(join(dirname(binary), "../../package.json"), JSON.stringify({ name: "better-sqlite3", version }));
    const error = refusal(load, node);
    expect(error.message).toBe(`the audit log cannot be opened: better-sqlite3 ${version} cannot run on Node ${node}`);
    expect(error.hint).toContain("22.14");
  });

  it("refuses a SQLite with the bug that damages logs", () => {
    class Old {
      prepare(): { pluck: () => { get: () => string } } {
        return { pluck: () => ({ get: () => "3.51.2" }) };
      }
      close(): void {}
    }
    const load = Object.assign((id: string) => (id.endsWith(".json") ? { version: "12.0.0" } : Old), here);
    expect(refusal(load).message).toContain("3.51.2");
  });
});
