import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { browser, browserChannel } from "../../src/channels/browser.ts";
import type { Channel, Notice } from "../../src/core/ports.ts";
import { FakeClock } from "../support/fake-clock.ts";

const PAGE = "http://localhost:9999/approve/hunter2linkhunter2link";
const never = new AbortController().signal;

let folder: string;
let clock: FakeClock;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "av-browser-"));
  mkdirSync(join(folder, "bin"));
  clock = new FakeClock();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Puts a program on the PATH of the fake desktop that notes how it was called, then does what it is told. */
function install(name: string, then = "exit 0"): string {
  const path = join(folder, "bin", name);
  const note = `/usr/bin/printf '%s\\n' "$@" >> "${folder}/opened"; /usr/bin/env > "${folder}/env"`;
  const fds = `fds=$(/usr/bin/readlink /proc/$$/fd/0 /proc/$$/fd/1 /proc/$$/fd/2); echo "$fds" > "${folder}/fds"`;
  writeFileSync(path, `#!/bin/sh\n${note}\n${fds}\n${then}\n`);
  chmodSync(path, 0o755);
  return path;
}

const opened = (): string[] => readFileSync(join(folder, "opened"), "utf8").trim().split("\n");

function channel(environment: Record<string, string> = {}, platform: NodeJS.Platform = "linux"): Channel {
  return browserChannel({ clock, environment: { PATH: join(folder, "bin"), ...environment }, platform });
}

const notice = (page = PAGE): Notice => ({
  vault: "prod",
  action: "read",
  count: 1,
  link: { local: page, public: "https://abc.ngrok-free.app/approve/hunter2linkhunter2link" },
  expiresAt: clock.now() + 15 * 60_000,
});

async function failure(ring: Promise<void>): Promise<string> {
  const error: unknown = await ring.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(inspect(error, { depth: Infinity, showHidden: true })).not.toContain("hunter2");
  expect(error).toMatchObject({ code: "channel_unavailable" });
  return (error as Error).message; // it has a code, so it is one
}

// The programs that stand in for a desktop are shell scripts.
const POSIX = process.platform !== "win32";

describe.runIf(POSIX)("opening a page", () => {
  it("hands the local link, and only that, to the xdg-open of the system", async () => {
    install("xdg-open");
    await channel().ring(notice(), never);
    expect(opened()).toEqual([PAGE]);
  });

  it.runIf(process.platform === "linux")("is what its definition opens", async () => {
    install("xdg-open");
    const environment = { PATH: join(folder, "bin") };
    const found = browser.open({}, { clock, environment });
    expect(found).toMatchObject({ name: "browser", local: true });
    await found.ring(notice(), never);
    expect(opened()).toEqual([PAGE]);
  });

  it("gives the program the variables of a desktop and none of ours", async () => {
    install("xdg-open");
    const tokens = {
      NGROK_AUTHTOKEN: "hunter2-4711",
      OP_SERVICE_ACCOUNT_TOKEN: "hunter2-4712",
      NODE_OPTIONS: "--hunter2",
      XDG: "hunter2",
    };
    const desktop = { DISPLAY: ":0", XDG_CURRENT_DESKTOP: "GNOME", LC_ALL: "C.UTF-8", HOME: folder };
    await channel({ ...tokens, ...desktop, LD_PRELOAD: "" }).ring(notice(), never);
    const env = readFileSync(join(folder, "env"), "utf8");
    expect(env).not.toContain("hunter2");
    expect(env).not.toContain("LD_PRELOAD");
    for (const [name, value] of Object.entries(desktop)) expect(env).toContain(`${name}=${value}\n`);
  });

  it.runIf(process.platform === "linux")("leaves no stream of ours to the program", async () => {
    install("xdg-open");
    await channel().ring(notice(), never);
    expect(readFileSync(join(folder, "fds"), "utf8")).toBe("/dev/null\n".repeat(3));
  });

  it("does not look for the program in the folder we stand in", async () => {
    install("xdg-open");
    const PATH = ["", ".", join(folder, "bin"), "bin"].join(delimiter);
    await channel({ PATH }).ring(notice(), never);
    expect(readFileSync(join(folder, "env"), "utf8")).toContain(`PATH=${join(folder, "bin")}\n`);
  });

  it("does not wait for a program that stays as long as the browser", async () => {
    // The program tells that it runs, then stays until its pipe is closed.
    const [told, stay] = [join(folder, "told"), join(folder, "stay")];
    execFileSync("/usr/bin/mkfifo", [told, stay]);
    install("xdg-open", `echo running > "${told}"; read -r line < "${stay}"; echo "$line" > "${told}"`);
    const ring = channel().ring(notice(), never);
    expect(await readFile(told, "utf8")).toBe("running\n");
    clock.advance(3_000);
    await ring;
    writeFileSync(stay, "still here\n");
    expect(await readFile(told, "utf8")).toBe("still here\n");
  });

  it("opens the browser of Windows from WSL, and the one a remote editor offers where there is no other", async () => {
    install("rundll32.exe");
    await channel({ WSL_DISTRO_NAME: "Debian" }).ring(notice(), never);
    expect(opened()).toEqual(["url.dll,FileProtocolHandler", PAGE]);
    const helper = install("helper.sh");
    await channel({ BROWSER: helper }).ring(notice(), never);
    expect(opened().slice(2)).toEqual([PAGE]);
  });
});

describe.runIf(POSIX)("what does not open is one line", () => {
  it("when there is no program", async () => {
    expect(await failure(channel().ring(notice(), never))).toBe("there is no program here that opens a browser");
  });

  it("when the program finds no browser", async () => {
    install("xdg-open", "exit 3");
    expect(await failure(channel().ring(notice(), never))).toBe("xdg-open could not open a browser (status 3)");
  });

  it("when the program is killed", async () => {
    install("xdg-open", "kill -9 $$");
    expect(await failure(channel().ring(notice(), never))).toBe("xdg-open could not open a browser (SIGKILL)");
  });

  it("when it may not be run", async () => {
    chmodSync(install("xdg-open"), 0o644);
    expect(await failure(channel().ring(notice(), never))).toMatch(/^xdg-open could not be started \(EACCES\)$/);
  });

  it.each([
    "file:///etc/hunter2",
    "https://hunter2.example/",
    "http://127.0.0.1.hunter2.example/",
    "-hunter2",
    "hunter2",
    "javascript:hunter2",
  ])("when it is to open %s", async (page) => {
    install("xdg-open");
    expect(await failure(channel().ring(notice(page), never))).toMatch(/not a page of this computer/);
    expect(() => opened()).toThrow("ENOENT");
  });
});

describe.runIf(POSIX)("at most one page opens every ten seconds", () => {
  const page = (index: number): string => `${PAGE}${index}`;

  it("and the others wait their turn", async () => {
    install("xdg-open");
    const one = channel();
    const [first, second, third] = [1, 2, 3].map((index) => one.ring(notice(page(index)), never));
    await first;
    clock.advance(9_999);
    expect(opened()).toEqual([page(1)]);
    clock.advance(1);
    await second;
    expect(opened()).toEqual([page(1), page(2)]);
    clock.advance(10_000);
    await third;
    expect(opened()).toEqual([page(1), page(2), page(3)]);
  });

  it("and one that is decided meanwhile does not open at all, nor hold up the next", async () => {
    install("xdg-open");
    const one = channel();
    const decided = new AbortController();
    await one.ring(notice(page(1)), never);
    const second = one.ring(notice(page(2)), decided.signal);
    const third = one.ring(notice(page(3)), never);
    decided.abort();
    await second;
    clock.advance(10_000);
    await third;
    expect(opened()).toEqual([page(1), page(3)]);
  });

  it("and one that has expired meanwhile does not open", async () => {
    install("xdg-open");
    const one = channel();
    await one.ring(notice(page(1)), never);
    const second = one.ring({ ...notice(page(2)), expiresAt: clock.now() + 5_000 }, never);
    clock.advance(10_000);
    await second;
    expect(opened()).toEqual([page(1)]);
  });

  it("and 5,000 requests that come and go open one", async () => {
    install("xdg-open");
    const one = channel();
    const gone = new AbortController();
    await one.ring(notice(), never);
    const rings = Array.from({ length: 5_000 }, (_, index) => one.ring(notice(page(index)), gone.signal));
    gone.abort();
    await Promise.all(rings);
    expect(opened()).toEqual([PAGE]);
  });

  it("which shows when each request has a limiter to itself", async () => {
    install("xdg-open");
    await Promise.all([channel().ring(notice(page(1)), never), channel().ring(notice(page(2)), never)]);
    expect(opened().sort()).toEqual([page(1), page(2)]);
  });
});
