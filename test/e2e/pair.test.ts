import { spawn } from "node:child_process";
import { once } from "node:events";
import { dirname, join } from "node:path";
import type {
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
} from "@simplewebauthn/server";
import { afterEach, describe, expect, it } from "vitest";
import type { Front, OwnFront } from "../../src/core/card.ts";
import type { PairingView } from "../../src/core/pairing.ts";
import { createHub } from "../../src/hub/hub.ts";
import { openNotes } from "../../src/state/notes.ts";
import { systemClock } from "../../src/wall-clock.ts";
import { eventsOf, PROGRAM, type World } from "../support/agent.ts";
import { atTerminal, type AtTerminal, hasTerminals } from "../support/at-terminal.ts";
import { type Authenticator, createAuthenticator, enrolled } from "../support/authenticator.ts";
import { world } from "../support/begin.ts";

const PAGE = "https://desk.example.org";
const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

/** A session that hosts the page already: what the phone does there reaches the command over a real socket. */
async function hosting({ database }: World): Promise<Front> {
  let hosted: Front | undefined;
  const hub = createHub({
    folder: dirname(database),
    clock: systemClock,
    own: nobodyAsks(),
    startDoor: (front) => {
      hosted = front;
      return {
        open: () => Promise.resolve(),
        listen: () => Promise.resolve(),
        settled: () => Promise.resolve(),
        isSettled: () => true,
        link: (token) => ({ local: `http://localhost:4711/approve/${token}`, public: `${PAGE}/approve/${token}` }),
        close: () => Promise.resolve(),
      };
    },
    onFault: () => undefined,
    say: () => undefined,
  });
  closing.push(hub.close);
  await hub.open();
  if (!hosted) throw new Error("somebody else hosts the page");
  return hosted;
}

function nobodyAsks(): OwnFront {
  const forever = (signal: AbortSignal): Promise<void> => once(signal, "abort").then(() => undefined);
  return {
    card: () => Promise.resolve(undefined),
    decision: () => Promise.resolve(undefined),
    statement: () => Promise.resolve(undefined),
    answer: () => Promise.resolve(false),
    revoke: () => Promise.resolve(false),
    changed: (_token, _version, signal) => forever(signal),
    overview: () => Promise.resolve({ waiting: [], windows: [], version: 1 }),
    overviewChanged: (_version, signal) => forever(signal),
    endApproval: () => Promise.resolve(false),
    pairing: () => Promise.resolve(undefined),
  };
}

function run(at: World, args: readonly string[]): AtTerminal {
  const command = atTerminal(at, args);
  closing.push(command.kill);
  return command;
}

const LINK = /https:\/\/desk\.example\.org\/pair\/([\w-]+)/;
const DEVICE = "device-of-its-own-4711";

async function step(front: Front, token: string, phone: Authenticator, response?: unknown): Promise<PairingView> {
  const at = { device: DEVICE, origin: phone.origin };
  const view = await front.pairing(
    token,
    response === undefined ? { do: "begin", ...at } : { do: "finish", ...at, response },
  );
  if (!view) throw new Error("no such page");
  return view;
}

async function register(front: Front, token: string, phone: Authenticator): Promise<PairingView> {
  const { options } = await step(front, token, phone);
  return step(front, token, phone, phone.register(options as PublicKeyCredentialCreationOptionsJSON));
}

async function sign(front: Front, token: string, phone: Authenticator): Promise<PairingView> {
  const { options } = await step(front, token, phone);
  return step(front, token, phone, phone.sign(options as PublicKeyCredentialRequestOptionsJSON));
}

/** Enrols a phone through the program, from beginning to end. */
async function paired(at: World, front: Front, name: string, by?: Authenticator): Promise<Authenticator> {
  const phone = createAuthenticator({ origin: PAGE });
  const command = run(at, ["pair", "--name", name]);
  const [, token = ""] = await command.shows(LINK);
  let { code } = await register(front, token, phone);
  if (by) await sign(front, token, by);
  if (by) ({ code } = (await front.pairing(token, { do: "look", device: DEVICE })) ?? {});
  await command.shows(/Type the code/);
  command.type(code ?? "");
  // The page asks until it is over, and then for how it ended; the command stays that long.
  const stage = async () => (await front.pairing(token, { do: "look", device: DEVICE }))?.stage;
  await expect.poll(stage, { timeout: 10_000 }).toBe("done");
  expect(await stage()).toBe("done");
  expect([await command.ended, command.screen()]).toEqual([0, expect.stringContaining("is enrolled")]);
  return phone;
}

/** What a command says where there is no terminal. */
async function piped(
  { project, env }: World,
  args: readonly string[],
): Promise<{ status: number; out: string; err: string }> {
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    cwd: project,
    env,
    detached: true,
    stdio: ["pipe", "pipe", "pipe"],
  });
  let [out, err] = ["", ""];
  child.stdout.on("data", (text: Buffer) => (out += text.toString()));
  child.stderr.on("data", (text: Buffer) => (err += text.toString()));
  child.stdin.end("123456\n");
  const [status] = (await once(child, "close")) as [number];
  return { status, out, err };
}

describe.skipIf(!hasTerminals)("agent-vault pair, at a terminal", () => {
  it("enrols the first phone and then one more, through the page that a session hosts, and removes one", async () => {
    const at = world();
    const front = await hosting(at);
    const maria = await paired(at, front, "Maria's phone");
    await paired(at, front, "Tablet", maria);
    const listed = await piped(at, ["approvers", "--json"]);
    expect(JSON.parse(listed.out)).toMatchObject({
      approvers: [{ name: "Maria's phone" }, { name: "Tablet" }],
      oddities: [],
    });

    const removing = run(at, ["approvers", "--remove", "Tablet"]);
    const [, token = ""] = await removing.shows(LINK);
    expect(await sign(front, token, maria)).toMatchObject({ stage: "done" });
    expect(await front.pairing(token, { do: "look" })).toMatchObject({ kind: "remove", stage: "done" });
    expect(await removing.ended).toBe(0);
    expect(JSON.parse((await piped(at, ["approvers", "--json"])).out)).toMatchObject({
      approvers: [{ name: "Maria's phone" }],
    });
    expect(eventsOf(at).map(({ kind, approver }) => [kind, String(approver).replace(/ \(.*/, "")])).toEqual([
      ["approver_added", "Maria's phone"],
      ["approver_added", "Tablet"],
      ["approver_removed", "Tablet"],
    ]);
  });

  it("hosts the page itself where no session does, and shows where it is", async () => {
    const at = world();
    const command = run(at, ["pair"]);
    const [link] = await command.shows(/http:\/\/localhost:\d+\/pair\/[\w-]+/);
    expect((await fetch(new URL("/", link))).status).toBeLessThan(500);
    expect(command.screen()).toContain("Only this computer can be paired");
  });

  it("says once what is wrong with the tunnel, and pairs this computer", async () => {
    const at = world({ config: { tunnel: { type: "ngrok", authToken: "env:GONE_4711" } } });
    const command = run(at, ["pair"]);
    await command.shows(/http:\/\/localhost:\d+\/pair\/[\w-]+/);
    await command.shows(/Waiting for the device/);
    expect(command.screen()).toContain("The tunnel does not work, so only this computer can be paired: ");
    expect(command.screen().match(/GONE_4711/g)).toHaveLength(1);
    expect(command.screen()).toMatch(/Pairing ".*'s computer"/);
  });

  it("enrols nobody on Ctrl-C, and says so", async () => {
    const at = world();
    const command = run(at, ["pair"]);
    await command.shows(/Waiting for the device/);
    command.type("\u0003");
    await command.shows(/agent-vault: not paired/);
    await command.ended;
    expect(JSON.parse((await piped(at, ["approvers", "--json"])).out)).toEqual({ approvers: [], oddities: [] });
  });

  it("enrols nobody when the program is killed in the middle of it", async () => {
    const at = world();
    const front = await hosting(at);
    const command = run(at, ["pair"]);
    const [, token = ""] = await command.shows(LINK);
    await register(front, token, createAuthenticator({ origin: PAGE }));
    await command.shows(/Type the code/);
    command.kill();
    await command.ended;
    expect(JSON.parse((await piped(at, ["approvers", "--json"])).out)).toEqual({ approvers: [], oddities: [] });
  });
});

describe("agent-vault approvers", () => {
  it("says which file to move aside where a record is damaged, and takes nobody for enrolled or gone", async () => {
    const at = world();
    const notes = openNotes(dirname(at.database));
    notes.of("approvers").put("c3JlZGVudGlhbA", { v: 99 });
    notes.close();
    const { status, out, err } = await piped(at, ["approvers"]);
    expect([status, out]).toEqual([1, ""]);
    expect(err).toContain("the record of an approver is damaged");
    expect(err).toContain(`move ${join(dirname(at.database), "notes.db")} aside`);
  });

  it("points at a record that came past the program", async () => {
    const at = world();
    const notes = openNotes(dirname(at.database));
    enrolled(createAuthenticator({ origin: PAGE }), "Printer", { notes: notes.of("approvers"), clock: systemClock });
    notes.close();
    const { status, out, err } = await piped(at, ["approvers"]);
    expect([status, out]).toEqual([0, expect.stringContaining("Printer")]);
    expect(err).toContain("could not be compared with the log");
  });
});

describe("agent-vault pair, in a pipe", () => {
  it("refuses: whoever started it could type the code", async () => {
    const at = world();
    const { status, out, err } = await piped(at, ["pair", "--name", "agent"]);
    expect([status, out, err]).toEqual([2, "", expect.stringContaining("pairing needs a terminal")]);
    expect(err).not.toMatch(/https?:/);
  });
});
