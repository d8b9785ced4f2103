import { homedir, userInfo } from "node:os";
import { isAbsolute, join, resolve } from "node:path";

/** The environment as handed in: what `process.env` is, without being it. */
export type Variables = Readonly<Record<string, string | undefined>>;

/** What the rest of the house may know of the world around this process. */
export interface Surroundings {
  readonly cwd: string;
  readonly home: string;
  readonly platform: NodeJS.Platform;
  /** Folder of the audit log and of whatever else must outlive a process: never inside a project. */
  readonly stateDir: string;
  /** Whether a browser that opens here would be in front of a person. */
  readonly display: boolean;
}

/** The same with the environment itself: it holds tokens, so it goes no further than this folder. */
export interface Around extends Surroundings {
  readonly variables: Variables;
}

/** Looks around. An empty variable counts as unset, as the XDG rule and most shells' habits have it. */
export function lookAround(variables: Variables, cwd: string, platform: NodeJS.Platform): Around {
  const set = (name: string): string | undefined => variables[name] || undefined;
  const home = homeFolder(set, platform);
  return {
    variables,
    cwd,
    home,
    platform,
    stateDir: stateFolder(set, home, platform),
    display: hasDisplay(set, platform),
  };
}

/** The part that others may have. */
export function withoutVariables({ cwd, home, platform, stateDir, display }: Around): Surroundings {
  return { cwd, home, platform, stateDir, display };
}

/** The folder this process was started in, or undefined when somebody has removed it since. */
export function workingFolder(): string | undefined {
  try {
    return process.cwd();
  } catch {
    return undefined;
  }
}

/** A path as people write it in a configuration: `~/` is home, the rest is relative to `base`. */
export function expandPath(text: string, base: string, home: string): string {
  if (text === "~") return home;
  if (text.startsWith("~/") || text.startsWith("~\\")) return join(home, text.slice(2));
  return resolve(base, text);
}

/** Where the audit database lies: AGENT_VAULT_DB, else what is configured, else in the state folder. */
export function databasePath(around: Around, configured?: { path: string; folder: string }): string {
  const named = around.variables["AGENT_VAULT_DB"];
  if (named) return expandPath(named, around.cwd, around.home);
  if (configured !== undefined) return expandPath(configured.path, configured.folder, around.home);
  return join(around.stateDir, "audit.db");
}

type Get = (name: string) => string | undefined;

function homeFolder(set: Get, platform: NodeJS.Platform): string {
  const named = set(platform === "win32" ? "USERPROFILE" : "HOME");
  if (named !== undefined && isAbsolute(named)) return named;
  try {
    return userInfo().homedir;
  } catch {
    // A user id without an entry in the password file, as containers have it.
    return homedir();
  }
}

function stateFolder(set: Get, home: string, platform: NodeJS.Platform): string {
  if (platform === "win32") return join(set("LOCALAPPDATA") ?? join(home, "AppData", "Local"), "agent-vault");
  const named = set("XDG_STATE_HOME");
  // The XDG rule: a relative path there is invalid and to be ignored.
  return join(named !== undefined && isAbsolute(named) ? named : join(home, ".local", "state"), "agent-vault");
}

function hasDisplay(set: Get, platform: NodeJS.Platform): boolean {
  if (set("SSH_CONNECTION") !== undefined || set("SSH_TTY") !== undefined || set("CI") !== undefined) return false;
  if (platform === "darwin" || platform === "win32") return true;
  return set("DISPLAY") !== undefined || set("WAYLAND_DISPLAY") !== undefined;
}
