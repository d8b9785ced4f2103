// The pictures of README and docs/other-user.md that show the way of one request: the real program at a terminal and
// under clients, a real browser of a phone's size, nothing invented but the people. As root on Linux, in names of its
// own for users, folders and computer, so that the pictures tell nothing of where they were taken. Run it again after the
// page has changed:
//   npx esbuild test/docs/journey.ts --bundle --packages=external --platform=node --format=esm --outfile=node_modules/.cache/journey.mjs
//   unshare --mount --uts --propagation private node node_modules/.cache/journey.mjs
import { execFileSync } from "node:child_process";
import {
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Browser, Page } from "playwright-core";
import { accountOf, installForAll } from "../support/accounts.ts";
import type { Agent } from "../support/agent.ts";
import { clientOf, layOut, placeIn, settingsOf, startServing } from "../support/apart.ts";
import { ask } from "../support/asked.ts";
import { atTerminal } from "../support/at-terminal.ts";
import { startBrowser } from "../support/browser.ts";
import { beginPairing, endPairing, openInbox, openPhone } from "../support/handset.ts";

const IMAGES = resolve("docs/images");
const MARIA = "/home/maria";
const SHOP = join(MARIA, "shop");
const SECRETS = "DATABASE_URL=postgres://hunter2-4711\nSTRIPE_KEY=sk_live_canary_0815\n";
const REASON = "Run migration 0042_add_roles and check that checkout still works";
const VAULT = { type: "env", ttl: 15 };

/** Where one request is asked for and approved. */
interface Scene {
  readonly session: Pick<Agent, "get">;
  /** What stands before `pair` on the command line, and what it finds around it. */
  readonly commands: {
    readonly program: readonly string[];
    readonly project: string;
    readonly env: Record<string, string>;
  };
  /** What the pictures are called, by what they show; what has no name is not kept. */
  readonly files: Partial<Record<"pair" | "ask" | "window" | "inbox" | "revoked", string>>;
}

if (!process.argv[1]?.endsWith("claude.mjs")) pretend();
else await main();

/** Everything that has a name gets another one here, and this file is started once more as what clients are. */
function pretend(): void {
  if (readlinkSync("/proc/self/ns/mnt") === readlinkSync(`/proc/${process.ppid}/ns/mnt`))
    throw new Error("start it with unshare");
  const folder = mkdtempSync(join(tmpdir(), "agent-vault-journey-"));
  try {
    for (const [file, lines] of Object.entries({
      passwd: ["maria:x:20001:20001::/home/maria:/bin/sh", "agent-vault:x:20002:20002::/nonexistent:/bin/sh"],
      group: ["maria:x:20001:", "agent-vault:x:20002:", "agent-vault-clients:x:20003:maria"],
    })) {
      writeFileSync(join(folder, file), `${readFileSync(`/etc/${file}`, "utf8").trimEnd()}\n${lines.join("\n")}\n`);
      execFileSync("mount", ["--bind", join(folder, file), `/etc/${file}`]);
    }
    execFileSync("mount", ["-t", "tmpfs", "-o", "mode=755", "none", "/home"]);
    execFileSync("hostname", ["devbox"]);
    const self = join(folder, "claude.mjs");
    symlinkSync(resolve(process.argv[1] ?? ""), self);
    execFileSync(process.execPath, [self], { stdio: "inherit" });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function main(): Promise<void> {
  if (hostname() !== "devbox") throw new Error("start it with unshare");
  const installed = installForAll();
  const browser = await startBrowser();
  mkdirSync(IMAGES, { recursive: true });
  try {
    await sameUser(installed.program, browser);
    await otherUser(installed, browser);
  } finally {
    await browser.close();
    installed.remove();
  }
}

/** As most people have it: the client starts the program. */
async function sameUser(program: string, browser: Browser): Promise<void> {
  const maria = accountOf("maria");
  mkdirSync(SHOP, { recursive: true });
  const files = {
    [join(SHOP, "agent-vault.config.json")]: JSON.stringify({
      vaults: { dev: { ...VAULT, file: "../shop.env" } },
      approval: { browser: "never" },
    }),
    [join(MARIA, "shop.env")]: SECRETS,
  };
  for (const [file, text] of Object.entries(files)) writeFileSync(file, text, { mode: 0o600 });
  for (const path of [MARIA, SHOP, ...Object.keys(files)]) chownSync(path, maria.uid, maria.gid);
  const env = { PATH: process.env["PATH"] ?? "", HOME: MARIA };
  const session = await clientOf(maria, [program], { client: "claude-code", cwd: SHOP, env });
  const { command, args } = maria.as([process.execPath, program]);
  try {
    const names = ["pair", "ask", "window", "inbox", "revoked"] as const;
    await travel(browser, {
      session,
      commands: { program: [command, ...args], project: SHOP, env },
      files: Object.fromEntries(names.map((name) => [name, `${name}.png`])),
    });
  } finally {
    await session.close();
  }
}

/** With the broker under a user of its own. */
async function otherUser({ root, program }: { root: string; program: string }, browser: Browser): Promise<void> {
  const [broker, agent] = [accountOf("agent-vault"), accountOf("maria")];
  const clients = { name: "agent-vault-clients", gid: 20_003 };
  const place = placeIn(join(root, "place"));
  layOut(
    place,
    { broker, clients },
    {
      config: {
        vaults: { dev: { ...VAULT, file: place.secrets, minAssurance: "passkey/other-user" } },
        approval: { browser: "never" },
      },
      tokens: "",
      secrets: SECRETS,
    },
  );
  const served = startServing(place, { broker, agent, clients }, program);
  await served.ready;
  const shim = [program, "connect", place.socket];
  const session = await clientOf(agent, shim, { client: "claude-code", cwd: SHOP, groups: [clients.gid] });
  const { command, args } = broker.as([process.execPath, program], [clients.gid]);
  try {
    await travel(browser, {
      session,
      commands: { program: [command, ...args], project: "/", env: settingsOf(place) },
      files: { ask: "other-user-ask.png", window: "other-user-window.png", revoked: "other-user-revoked.png" },
    });
  } finally {
    await session.close();
    await served.stop();
  }
}

/** Pairs, asks, approves with the passkey, looks at the window, revokes it. */
async function travel(browser: Browser, { session, commands, files }: Scene): Promise<void> {
  const phone = await openPhone(browser, { deviceScaleFactor: 1.5 });
  const keep = async (what: keyof Scene["files"]): Promise<void> => {
    const file = files[what];
    if (file !== undefined) await picture(phone, join(IMAGES, file));
  };
  const terminal = atTerminal(commands, ["pair", "--name", "Maria's phone"], commands.program);
  const code = await beginPairing(phone, terminal);
  await keep("pair");
  await endPairing(phone, terminal, code);
  await terminal.ended;

  const { link, result } = await ask(session, "DATABASE_URL", REASON);
  await phone.goto(link);
  await keep("ask");
  await phone.locator("#approve").click();
  await result;
  await phone.locator("#revoke").waitFor();
  await keep("window");

  const next = await ask(session, "STRIPE_KEY", "Check that the webhook is registered");
  await openInbox(phone, link);
  await keep("inbox");
  await phone.goto(next.link);
  await phone.getByRole("button", { name: /deny/i }).click();
  await next.result;

  await phone.goto(link);
  await phone.locator("#revoke").click();
  await phone.getByRole("heading", { name: "Revoked" }).waitFor();
  await keep("revoked");
  await phone.context().close();
}

/** The mouse is where it was last tapped, and would be in the picture. */
async function picture(phone: Page, path: string): Promise<void> {
  await phone.mouse.move(0, 0);
  await phone.evaluate("document.fonts.ready");
  await phone.screenshot({ path });
}
