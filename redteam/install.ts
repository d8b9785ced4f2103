import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** The program as it is installed somewhere: built anew, with what it needs to run beside it. */
export interface Install {
  readonly folder: string;
  readonly remove: () => void;
}

/** Builds and installs it where every account can read it. `root` is the repository. */
export function install(root: string): Install {
  const folder = mkdtempSync(join(tmpdir(), "agent-vault-redteam-install-"));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    chmodSync(folder, 0o755);
    execFileSync(process.execPath, [join(root, "scripts/build.mjs"), "--outdir", join(folder, "dist")], { cwd: root });
    for (const name of runtimePackages(root)) copyPackage(root, name, folder);
    cpSync(join(root, "package.json"), join(folder, "package.json"));
    return { folder, remove };
  } catch (error) {
    remove();
    throw error;
  }
}

/** What is loaded at run time: the driver of the log, and what that needs. Vaults and tunnels of others are not attacked. */
function runtimePackages(root: string): Set<string> {
  const found = new Set<string>();
  const add = (name: string): void => {
    if (found.has(name)) return;
    found.add(name);
    const file = join(root, "node_modules", name, "package.json");
    const { dependencies = {} } = JSON.parse(readFileSync(file, "utf8")) as { dependencies?: Record<string, string> };
    if (name !== "better-sqlite3") return Object.keys(dependencies).forEach(add);
    // The rest of what it depends on is for building it.
    for (const each of ["bindings"]) if (each in dependencies) add(each);
  };
  add("better-sqlite3");
  return found;
}

function copyPackage(root: string, name: string, folder: string): void {
  const from = dirname(createRequire(join(root, "package.json")).resolve(`${name}/package.json`));
  const to = join(folder, "node_modules", name);
  mkdirSync(dirname(to), { recursive: true });
  const skipped = /\/(?:deps|src|obj|obj\.target|test|docs)$|\.a$|test_extension/;
  cpSync(from, to, { recursive: true, filter: (path) => !skipped.test(path.slice(from.length)) });
}
