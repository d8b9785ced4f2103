import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { rmSync } from "node:fs";
import type { Config, LoadResult } from "../../src/config/config.ts";
import { loadConfig, type World } from "../../src/config/load.ts";
import { pathText } from "../../src/config/problem.ts";

/** A project folder with a home folder beside it, gone when the test is. */
export interface Folder {
  readonly cwd: string;
  readonly home: string;
  readonly write: (name: string, text: string | Buffer, mode?: number) => string;
  readonly load: (variables?: Record<string, string>, world?: World) => Promise<LoadResult>;
}

export function makeFolder(): Folder {
  const root = mkdtempSync(join(tmpdir(), "agent-vault-config-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const [cwd, home] = [join(root, "project"), join(root, "home")];
  mkdirSync(cwd);
  mkdirSync(home);
  return {
    cwd,
    home,
    write: (name, text, mode = 0o644) => {
      const path = join(cwd, name);
      writeFileSync(path, text, { mode });
      return path;
    },
    load: (variables = {}, world = {}) =>
      loadConfig({ cwd, variables: { HOME: home, ...variables }, platform: "linux", ...world }),
  };
}

/** Loads a text as the configuration of a fresh folder. */
export function loadText(text: string | Buffer, variables: Record<string, string> = {}): Promise<LoadResult> {
  const folder = makeFolder();
  folder.write("agent-vault.config.json", text);
  return folder.load(variables);
}

/** The configuration, or a failure that says what was wrong. */
export function configOf(result: LoadResult): Config {
  if (result.ok) return result.config;
  throw new Error(`no configuration: ${result.error.message}`);
}

/** Path, message and hint of every problem. */
export function problemsOf(result: LoadResult): { path: string; line?: number; message: string; hint: string }[] {
  if (result.ok) return [];
  return result.problems.map(({ path, line, message, hint = "" }) => ({
    path: pathText(path),
    message,
    hint,
    ...(line === undefined ? {} : { line }),
  }));
}
