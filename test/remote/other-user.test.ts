import { execFile, execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { openNotes } from "../../src/state/notes.ts";
import { type Account, type Accounts, installForAll, makeAccounts, noAccounts } from "../support/accounts.ts";
import { type Agent, statusOf, textOf } from "../support/agent.ts";
import { clientOf, layOut as layOutIn, type Place, placeIn, settingsOf, startServing } from "../support/apart.ts";
import { ask, type Served } from "../support/asked.ts";
import { type Authenticator, createAuthenticator, recordOf } from "../support/authenticator.ts";
import { approve, approveSigned, deny, readPage } from "../support/person.ts";

const VALUE = "postgres://hunter2-4711";
const TOKEN = "token-4711-0815";
const hasDebugger = spawnSync("gdb", ["--version"]).status === 0;
const READS = [
  "read the configuration",
  "read the tokens",
  "read the secrets",
  "look into the state folder",
  "read the audit log",
  "read who may approve",
  "read the environment of the process",
  "list the files that the process has open",
  "ask whether the process may be signalled",
];
const CHANGES = [
  "write who may approve",
  "change the configuration",
  "put another socket in the place of the broker's",
  "move the folder of the socket away",
  "put a file beside the socket",
  "change the program",
  "read the memory of the process",
  ...(hasDebugger ? ["attach a debugger to the process"] : []),
  "open the inspector of the process",
  "stop the process",
];

describe.skipIf(noAccounts !== undefined)("a broker under a user of its own", () => {
  let accounts: Accounts;
  let installed: ReturnType<typeof installForAll>;
  let phone: Authenticator;
  const closing: (() => Promise<unknown>)[] = [];

  beforeAll(() => {
    accounts = makeAccounts();
    installed = installForAll();
    copyFileSync(resolve(import.meta.dirname, "../support/agent-attacks.mjs"), join(installed.root, "opt/attacks.mjs"));
    execFileSync("chmod", ["644", join(installed.root, "opt/attacks.mjs")]);
  });
  afterAll(() => {
    installed.remove();
    accounts.remove();
  });
  afterEach(async () => {
    for (const close of closing.splice(0).toReversed()) await close();
  });

  let count = 0;

  /** The files of a broker, and the phone that is enrolled there. */
  function layOut(vault: object = {}): Place {
    const place = placeIn(join(installed.root, `place-${(count += 1)}`));
    const port = 12_000 + Math.floor(Math.random() * 20_000);
    phone = createAuthenticator({ origin: `http://localhost:${port}` });
    layOutIn(place, accounts, {
      config: {
        port,
        vaults: {
          dev: { type: "env", file: place.secrets, ttl: 5, minAssurance: "passkey/other-user", ...vault },
        },
        ngrokAuthToken: "env:NGROK_AUTHTOKEN_4711",
        tunnel: { type: "none" },
        approval: { browser: "never" },
      },
      tokens: `NGROK_AUTHTOKEN_4711=${TOKEN}\n`,
      secrets: `DATABASE_URL=${VALUE}\n`,
      before: (state) => {
        const notes = openNotes(join(state, "agent-vault"));
        notes.of("approvers").put(phone.credentialId, recordOf(phone));
        notes.close();
      },
    });
    return place;
  }

  async function start(place: Place): Promise<Served> {
    const started = startServing(place, accounts, installed.program);
    closing.push(started.stop);
    await started.ready;
    return started;
  }

  /** A client of a user, who starts the shim as clients do. */
  async function client(
    who: Account,
    { socket }: Place,
    groups: readonly number[],
  ): Promise<Pick<Agent, "get" | "call">> {
    const started = await clientOf(who, [installed.program, "connect", socket], { groups });
    closing.push(started.close);
    return started;
  }

  /** While a user is in one more group. */
  async function during({ name }: Account, group: string, run: () => Promise<void>): Promise<void> {
    execFileSync("usermod", ["--append", "--groups", group, name]);
    try {
      await run();
    } finally {
      execFileSync("gpasswd", ["--delete", name, group], { stdio: "ignore" });
    }
  }

  async function attack(
    who: Account,
    place: Place,
    served: Served,
    wanted: readonly string[],
  ): Promise<Record<string, string>> {
    const desk = join(
      place.state,
      "agent-vault/desk",
      readdirSync(join(place.state, "agent-vault/desk")).find((name) => name.endsWith("sock")) ?? "none",
    );
    const about = JSON.stringify({ ...place, pid: served.child.pid, program: installed.program, desk });
    const script = join(installed.root, "opt/attacks.mjs");
    const { command, args } = who.as([process.execPath, script, about, JSON.stringify(wanted)], [accounts.clients.gid]);
    const { stdout } = await promisify(execFile)(command, args, { cwd: "/", env: { PATH: process.env["PATH"] ?? "" } });
    return JSON.parse(stdout) as Record<string, string>;
  }

  it("serves the agent of another user what an enrolled passkey signs, at the level passkey/other-user", async () => {
    const place = layOut();
    const served = await start(place);
    const agent = await client(accounts.agent, place, [accounts.clients.gid]);
    expect(textOf(await agent.call("list_secrets", {}))).toContain("DATABASE_URL");
    const { link, result } = await ask(agent, "DATABASE_URL");
    const [, seen = ""] = (await readPage(link)).split("<h2>We saw</h2>");
    expect(seen).toContain(accounts.agent.name);
    expect(await approve(link)).not.toBe(303);
    expect(await approveSigned(link, phone, "window")).toBe(303);
    expect(textOf(await result)).toBe(VALUE);
    expect(textOf(await agent.get("DATABASE_URL"))).toBe(VALUE);
    expect(served.stderr()).not.toContain("/approve/");
  });

  it("takes the signature of no other passkey", async () => {
    const place = layOut();
    await start(place);
    const agent = await client(accounts.agent, place, [accounts.clients.gid]);
    const { link, result } = await ask(agent, "DATABASE_URL");
    const forger = { ...createAuthenticator({ origin: phone.origin }), credentialId: phone.credentialId };
    expect(await approveSigned(link, forger)).not.toBe(303);
    expect(await deny(link)).toBe(303);
    expect(statusOf(await result)).toBe("denied");
  });

  it("says so itself: doctor, run as its user, shows the level", async () => {
    const place = layOut();
    const words = ["doctor", "--json", "--for", accounts.agent.name];
    const { command, args } = accounts.broker.as(
      [process.execPath, installed.program, ...words],
      [accounts.clients.gid],
    );
    const { stdout } = await promisify(execFile)(command, args, { cwd: "/", env: settingsOf(place) });
    expect(JSON.parse(stdout)).toMatchObject({ level: "passkey/other-user" });
  });

  it.each([
    [
      "the configuration",
      ({ config }: Place) => execFileSync("chmod", ["666", config]),
      ({ etc }: Place) => execFileSync("chmod", ["755", etc]),
    ],
    [
      "the state folder",
      ({ state }: Place) => execFileSync("chgrp", [accounts.agent.name, state]),
      ({ state }: Place) => execFileSync("chmod", ["770", state]),
    ],
  ])("hands out nothing where the agent's user can change %s", async (what, ...spoil) => {
    const place = layOut();
    await start(place);
    for (const each of spoil) each(place);
    const agent = await client(accounts.agent, place, [accounts.clients.gid]);
    expect([what, statusOf(await agent.get("DATABASE_URL"))]).toEqual([what, "assurance_unmet"]);
  });

  it("keeps all it has from the agent's user, who may only ask", async () => {
    const place = layOut();
    const served = await start(place);
    const agent = await client(accounts.agent, place, [accounts.clients.gid]);
    const { link, result } = await ask(agent, "DATABASE_URL");
    const outcomes = await attack(accounts.agent, place, served, [...READS, ...CHANGES]);
    expect(Object.keys(outcomes)).toHaveLength(READS.length + CHANGES.length + 2);
    expect(Object.entries(outcomes).filter(([, outcome]) => !["EACCES", "EPERM"].includes(outcome))).toEqual([]);
    // And the broker is as well as before.
    expect(await approveSigned(link, phone, "once")).toBe(303);
    expect(textOf(await result)).toBe(VALUE);
  });

  it("would be seen to keep little from a program of its own user", async () => {
    const place = layOut();
    const served = await start(place);
    const agent = await client(accounts.agent, place, [accounts.clients.gid]);
    await ask(agent, "DATABASE_URL");
    const outcomes = await attack(accounts.broker, place, served, [
      ...READS,
      "write who may approve",
      "put a file beside the socket",
    ]);
    const kept = Object.entries(outcomes).filter(([, outcome]) => outcome !== "done");
    expect(kept).toEqual([]);
  });

  it("lets in nobody who is not in the group", async () => {
    const place = layOut();
    await start(place);
    const stranger = await client(accounts.stranger, place, []);
    const result = await stranger.call("list_secrets", {});
    expect(statusOf(result)).toBe("broker_unavailable");
    expect(textOf(result)).toContain("you may not use the broker");
  });

  it("does not start when others than the named user are in the group", async () => {
    const place = layOut();
    execFileSync("usermod", ["--append", "--groups", accounts.clients.name, accounts.stranger.name]);
    try {
      await expect(start(place)).rejects.toThrow(
        `others than ${accounts.agent.name} may use the socket: ${accounts.stranger.name}`,
      );
    } finally {
      execFileSync("gpasswd", ["--delete", accounts.stranger.name, accounts.clients.name], { stdio: "ignore" });
    }
  });

  it("lets nobody in while others than the named user are in the group, from the moment they are", async () => {
    const place = layOut();
    await start(place);
    const agent = await client(accounts.agent, place, [accounts.clients.gid]);
    await during(accounts.stranger, accounts.clients.name, async () => {
      const stranger = await client(accounts.stranger, place, [accounts.clients.gid]);
      const result = await stranger.call("list_secrets", {});
      expect(statusOf(result)).toBe("broker_unavailable");
      expect(textOf(result)).toContain(`others than ${accounts.agent.name} may use the socket`);
      expect(textOf(await agent.call("list_secrets", {})), "who was there before stays").toContain("DATABASE_URL");
    });
    const again = await client(accounts.agent, place, [accounts.clients.gid]);
    expect(textOf(await again.call("list_secrets", {}))).toContain("DATABASE_URL");
  });

  it("hands out nothing once the agent's user is in a group that is as good as root", async () => {
    const place = layOut();
    await start(place);
    const agent = await client(accounts.agent, place, [accounts.clients.gid]);
    const { link, result } = await ask(agent, "DATABASE_URL");
    expect(await approveSigned(link, phone, "once")).toBe(303);
    expect(textOf(await result)).toBe(VALUE);
    await during(accounts.agent, "disk", async () => {
      expect(statusOf(await agent.get("DATABASE_URL"))).toBe("assurance_unmet");
    });
  });

  it("has no token in the environment that the system shows of it", async () => {
    const place = layOut();
    const served = await start(place);
    const environment = readFileSync(`/proc/${served.child.pid}/environ`, "utf8");
    expect(environment).toContain("AGENT_VAULT_CONFIG=");
    expect(environment).not.toContain(TOKEN);
  });
});
