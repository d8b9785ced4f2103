import { createRequire } from "node:module";
import { dirname } from "node:path";
import type Database from "better-sqlite3";
import { VaultError } from "../core/errors.ts";
import { codeOf } from "./faults.ts";
import type { Contents } from "./file.ts";

export type Driver = typeof Database;
export type Connection = Database.Database;

/** What it is loaded for: a file of ours, or nothing yet but what such a file holds. */
type Wanted = Contents & { readonly path?: string };

/** Earlier ones can damage a WAL file that several processes write: https://sqlite.org/changes.html, 3.51.3. */
const OLDEST_SQLITE = [3, 51, 3] as const;
/** better-sqlite3 13 crashes the process on earlier ones instead of saying so (WiseLibs/better-sqlite3#1514). */
const OLDEST_NODE_FOR_13 = [22, 14, 0] as const;

/**
 * Loads better-sqlite3, on first use because most starts never need it, and proves that it works. Throws, about the file
 * it is wanted for, with the line to type when its binary is missing or was built for another Node.
 */
export function loadDriver(
  wanted: Wanted,
  load: NodeJS.Require = createRequire(import.meta.url),
  node = process.versions.node,
): Driver {
  const version = versionOf(wanted, load);
  if (!atLeast(version, [13, 0, 0]) || atLeast(node, OLDEST_NODE_FOR_13)) return proven(wanted, load);
  throw refused(wanted, `better-sqlite3 ${version} cannot run on Node ${node}`, {
    hint: "use Node 22.14 or newer, or install better-sqlite3 12",
  });
}

function proven(wanted: Wanted, load: NodeJS.Require): Driver {
  let version: unknown;
  let driver: Driver;
  try {
    driver = load("better-sqlite3");
    const memory = new driver(":memory:");
    version = memory.prepare("SELECT sqlite_version()").pluck().get();
    memory.close();
  } catch (error) {
    throw notLoaded(error, wanted, load);
  }
  if (atLeast(String(version), OLDEST_SQLITE)) return driver;
  throw refused(wanted, `the SQLite in better-sqlite3 is ${String(version)}, which can lose data`, {
    hint: `it must be ${OLDEST_SQLITE.join(".")} or newer: npm install better-sqlite3@latest`,
  });
}

function versionOf(wanted: Wanted, load: NodeJS.Require): string {
  try {
    const manifest: { version: string } = load("better-sqlite3/package.json");
    return manifest.version;
  } catch (error) {
    throw notLoaded(error, wanted, load);
  }
}

function notLoaded(cause: unknown, wanted: Wanted, load: NodeJS.Require): VaultError {
  const text = cause instanceof Error ? cause.message : "";
  const code = codeOf(cause);
  const folder = folderOf(load);
  const why =
    code === "ERR_DLOPEN_FAILED" || text.includes("NODE_MODULE_VERSION")
      ? `better-sqlite3 was built for another Node than ${process.versions.node}`
      : folder === undefined
        ? "better-sqlite3 is not installed"
        : "the binary of better-sqlite3 is missing, most likely because npm blocked its install script";
  return refused(wanted, why, {
    hint: folder === undefined ? "install agent-vault again" : rebuild(folder),
    cause,
  });
}

function refused({ code, name, path }: Wanted, why: string, options: { hint: string; cause?: unknown }): VaultError {
  return new VaultError(code, `${path === undefined ? name : `${name} ${path}`} cannot be opened: ${why}`, options);
}

/** One line for a project, a global install and the cache of npx, from any folder and whatever npm is set to block. */
function rebuild(folder: string): string {
  return `npm rebuild better-sqlite3 --ignore-scripts=false --prefix "${folder}"`;
}

/** The folder in whose node_modules better-sqlite3 lies. */
function folderOf(load: NodeJS.Require): string | undefined {
  try {
    return dirname(dirname(dirname(load.resolve("better-sqlite3/package.json"))));
  } catch {
    // It is the answer, not a fault: nothing of that name is installed.
    return undefined;
  }
}

function atLeast(version: string, floor: readonly [number, number, number]): boolean {
  const parts = version.split(".").map((part) => Number.parseInt(part, 10));
  for (const [i, least] of floor.entries()) {
    const part = parts[i] ?? 0;
    if (part !== least) return part > least;
  }
  return true;
}
