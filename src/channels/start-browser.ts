import { spawn } from "node:child_process";
import { posix, win32 } from "node:path";
import type { Clock } from "../core/clock.ts";
import { VaultError } from "../core/errors.ts";

interface Desktop {
  readonly clock: Clock;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
}

interface Opener {
  readonly command: string;
  readonly args: readonly string[];
}

/** Some openers stay for as long as the browser does: one that has not failed by then has done its work. */
const SETTLED_MS = 3_000;

/**
 * Shows a page of this machine in the person's browser. The program that opens it gets no pipe of ours and only those
 * variables a desktop needs, never the tokens around us. Rejects with `channel_unavailable` when nothing opened.
 */
export async function startBrowser(url: string, desktop: Desktop): Promise<void> {
  if (!isLocalPage(url)) throw failed("the browser was to open something that is not a page of this computer");
  for (const opener of openers(url, desktop)) {
    if (await start(opener, desktop)) return;
  }
  throw failed("there is no program here that opens a browser");
}

/** What opens a browser here, best first. */
function openers(url: string, { environment, platform }: Desktop): Opener[] {
  if (platform === "darwin") return [{ command: "/usr/bin/open", args: [url] }];
  if (platform === "win32") {
    const root = environment["SystemRoot"] ?? environment["SYSTEMROOT"] ?? "C:\\Windows";
    return [{ command: win32.join(root, "System32", "rundll32.exe"), args: ["url.dll,FileProtocolHandler", url] }];
  }
  const windows = { command: "rundll32.exe", args: ["url.dll,FileProtocolHandler", url] };
  const chosen = environment["BROWSER"];
  return [
    // In WSL the person's browser is the one of Windows.
    ...(environment["WSL_DISTRO_NAME"] ? [windows] : []),
    { command: "xdg-open", args: [url] },
    // Remote editors leave a program here that opens the browser where the person sits.
    ...(chosen && posix.isAbsolute(chosen) && !/[:%]/.test(chosen) ? [{ command: chosen, args: [url] }] : []),
  ];
}

/** False when there is no such program. */
function start({ command, args }: Opener, { clock, environment, platform }: Desktop): Promise<boolean> {
  const name = command.split(/[\\/]/).at(-1) ?? command;
  const child = spawn(command, args, {
    env: forDesktop(environment, platform),
    stdio: "ignore",
    shell: false,
    // Its own process group: the browser outlives us, and a Ctrl-C for us is not for it.
    detached: platform !== "win32",
    windowsHide: true,
  });
  child.unref();
  return new Promise<boolean>((resolve, reject) => {
    const cancel = clock.after(SETTLED_MS, () => resolve(true));
    child.once("error", (error: NodeJS.ErrnoException) => {
      cancel();
      if (error.code === "ENOENT") resolve(false);
      else reject(failed(`${name} could not be started (${error.code ?? "unknown"})`));
    });
    child.once("exit", (status, signal) => {
      cancel();
      // What rundll32 exits with says nothing.
      if (status === 0 || name === "rundll32.exe") resolve(true);
      else reject(failed(`${name} could not open a browser (${status === null ? signal : `status ${status}`})`));
    });
  });
}

function isLocalPage(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  return protocol === "http:" && ["localhost", "127.0.0.1", "[::1]"].includes(hostname);
}

const DESKTOP_NAMES = new Set(
  // Who and where
  "HOME USER LOGNAME SHELL PATH LANG LANGUAGE TZ TMPDIR "
    .concat(
      // X11, Wayland, the desktop and its bus
      "DISPLAY XAUTHORITY WAYLAND_DISPLAY DBUS_SESSION_BUS_ADDRESS DESKTOP_SESSION SESSION_MANAGER KDE_FULL_SESSION ",
      "KDE_SESSION_VERSION GNOME_DESKTOP_SESSION_ID MATE_DESKTOP_SESSION_ID BROWSER __CF_USER_TEXT_ENCODING ",
      // WSL and remote editors
      "WSL_DISTRO_NAME WSL_INTEROP WSLENV VSCODE_IPC_HOOK_CLI REMOTE_CONTAINERS_IPC ",
      // Windows
      "SYSTEMROOT SYSTEMDRIVE WINDIR COMSPEC PATHEXT TEMP TMP USERNAME USERDOMAIN USERPROFILE HOMEDRIVE HOMEPATH APPDATA ",
      "LOCALAPPDATA PROGRAMDATA PROGRAMFILES PROGRAMFILES(X86) PROGRAMW6432 COMMONPROGRAMFILES PUBLIC ALLUSERSPROFILE",
    )
    .split(" "),
);

/** The variables a desktop needs. A folder of PATH that depends on where we stand could be the agent's: left out. */
function forDesktop(environment: Desktop["environment"], platform: NodeJS.Platform): Record<string, string> {
  const path = platform === "win32" ? win32 : posix;
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    const upper = name.toUpperCase();
    if (value === undefined || !(DESKTOP_NAMES.has(upper) || /^(?:XDG|LC)_/.test(upper))) continue;
    kept[name] =
      upper === "PATH"
        ? value
            .split(path.delimiter)
            .filter((folder) => path.isAbsolute(folder))
            .join(path.delimiter)
        : value;
  }
  return kept;
}

function failed(message: string): VaultError {
  return new VaultError("channel_unavailable", message, {
    hint: 'open the link by hand, or set approval.browser to "never"',
  });
}
