import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { expect, vi } from "vitest";
import { startFakeNtfy } from "../channels/fake-ntfy.ts";
import { PROGRAM, type World } from "./agent.ts";
import { world as makeWorld } from "./begin.ts";
import { addFiles, type Canary, newCanary, type Places } from "./canaries.ts";
import { approve, decide } from "./person.ts";
import { type Raw, type RpcAnswer, startRaw, statusOfAnswer, textOfAnswer } from "./raw.ts";

const REASON = "run migration 0042";

/** A house whose every utterance is kept. */
export interface Scene {
  readonly world: World;
  readonly raw: Raw;
  readonly places: Places;
  readonly canaries: Canary[];
  /** A canary that stands in the vault under this name. */
  readonly kept: (name: string) => Canary;
  /** A canary to be written. */
  readonly fresh: (kind: string) => Canary;
  readonly read: (...names: string[]) => ReturnType<Raw["call"]>;
  readonly write: (name: string, value: string, reason?: string) => ReturnType<Raw["call"]>;
  /** Waits for the next link; keeps its page as it stands before and after what is done there. */
  readonly atPage: (label: string, act: (link: string) => Promise<unknown>) => Promise<void>;
  readonly keepPage: (label: string, link: string) => Promise<void>;
  /** An answer that may hold these values, and holds them exactly. */
  readonly expectValues: (answer: RpcAnswer, ...canaries: readonly Canary[]) => void;
  /** Ends it, and keeps whatever it left. */
  readonly end: (how?: "close" | "kill") => Promise<void>;
}

/** Starts a house that keeps these names. Its temporary files have a folder of their own. */
export async function openScene(
  names: readonly string[],
  as: { program?: string; env?: Record<string, string> } = {},
): Promise<Scene> {
  const places: Places = new Map();
  const kept = new Map(names.map((name) => [name, newCanary(name)]));
  const canaries = [...kept.values()];
  const ntfy = await startFakeNtfy();
  const world = makeWorld({
    vault: { writable: true, ttl: 5 },
    secrets: Object.fromEntries([...kept].map(([name, { value }]) => [name, value])),
    config: {
      channels: [{ type: "ntfy", topic: "topic-0815", server: ntfy.url }],
      approval: { waitSeconds: 1, expireMinutes: 0.1, denyCooldownSeconds: 0, maxWaiting: 100 },
    },
  });
  const temporary = join(world.project, "tmp");
  mkdirSync(temporary);
  const env = { TMPDIR: temporary, ...as.env };
  const raw = await startRaw(world, { ...as, env, capabilities: { elicitation: { form: {} }, roots: {} } });
  const allowed = new Set<string>();
  let pages = 0;

  const keepPage = async (label: string, link: string): Promise<void> => {
    const response = await fetch(link);
    const head = JSON.stringify([...response.headers]);
    places.set(`page ${++pages}, ${label}`, Buffer.from(`${response.status}\n${head}\n${await response.text()}`));
  };
  const keepFiles = (when: string): void =>
    addFiles(places, when, dirname(world.project), (path) => path === world.secrets);
  const run = promisify(execFile);
  const keepCommand = async (...args: string[]): Promise<void> => {
    const { stdout, stderr } = await run(process.execPath, [PROGRAM, ...args], {
      cwd: world.project,
      env: { ...world.env, ...env },
    }).catch((failed: unknown) => failed as { stdout: string; stderr: string });
    places.set(`agent-vault ${args.join(" ")}`, Buffer.from(`${stdout}\n${stderr}`));
  };
  const dev = { vault: "dev", reason: REASON };
  return {
    world,
    raw,
    places,
    canaries,
    keepPage,
    kept: (name) => kept.get(name) ?? newCanary("nothing"),
    fresh: (kind) => {
      const canary = newCanary(kind);
      canaries.push(canary);
      return canary;
    },
    read: (...names) =>
      names.length === 1
        ? raw.call("get_secret", { ...dev, name: names[0] }, { progressToken: names[0] })
        : raw.call("get_secrets", { ...dev, names }),
    write: (name, value, reason = REASON) =>
      raw.call("set_secret", { ...dev, name, value, reason }, { progressToken: name }),
    atPage: async (label, act) => {
      const link = await raw.link();
      await keepPage(`${label}, before`, link);
      await act(link);
      await keepPage(`${label}, after`, link);
    },
    expectValues: (answer, ...wanted) => {
      expect(statusOfAnswer(answer)).toBe("ok");
      const text = textOfAnswer(answer);
      const values = wanted.length === 1 ? [text] : Object.values(JSON.parse(text) as Record<string, string>);
      expect(values.toSorted()).toEqual(wanted.map(({ value }) => value).toSorted());
      allowed.add(String(answer.id));
    },
    end: async (how = "close") => {
      keepFiles("while it ran");
      if (how === "kill") raw.child.kill("SIGKILL");
      else raw.child.stdin.end();
      await raw.exited;
      await ntfy.close();
      keepFiles("after it ended");
      for (const args of [["audit", "--json", "--limit", "9999"], ["audit", "--limit", "9999"], ["doctor"]])
        await keepCommand(...args);
      const said = raw.lines.filter((line) => !allowed.has(String((JSON.parse(line) as RpcAnswer).id)));
      places.set("stdout, but for what was approved", Buffer.from(said.join("\n")));
      places.set("stderr", Buffer.from(raw.stderr()));
      places.set("ntfy", Buffer.from(JSON.stringify(ntfy.posted)));
      // One approved answer each, and only that one.
      const answers = raw.lines.filter((line) => allowed.has(String((JSON.parse(line) as RpcAnswer).id)));
      expect(answers).toHaveLength(allowed.size);
    },
  };
}

const READS = [
  "R_YES",
  "R_NO",
  "R_AGAIN",
  "R_GONE",
  "R_BATCH_1",
  "R_BATCH_2",
  "R_LATER",
  "R_LATE",
  "R_STOPPED",
  "R_OPEN",
];

/** Reads and writes in every way they can go in a day, and at the end one that nobody answered. */
export async function everyday(options: { program?: string; untilExpiry?: boolean } = {}): Promise<Scene> {
  const scene = await openScene(READS, options);
  const { raw, read, write, kept, fresh, atPage, keepPage, expectValues, world } = scene;
  const status = async (answer: Promise<RpcAnswer>): Promise<unknown> => statusOfAnswer(await answer);
  const no = (link: string): Promise<number> => decide(link, { verdict: "deny" });
  const again = (link: string): Promise<number> => decide(link, { verdict: "again", note: "use staging" });
  const once = (link: string): Promise<number> => approve(link, "once");

  const late = [read("R_LATE"), write("W_LATE", fresh("W_LATE").value)];
  const lateLinks = [await raw.link(), await raw.link()];

  const yes = read("R_YES");
  await atPage("read approved", (link) => approve(link, "window"));
  expectValues(await yes, kept("R_YES"));
  expectValues(await read("R_YES"), kept("R_YES"));
  const denied = read("R_NO");
  await atPage("read denied", no);
  expect(await status(denied)).toBe("denied");
  const returned = read("R_AGAIN");
  await atPage("read sent back", again);
  expect(await status(returned)).toBe("ask_differently");
  const gone = read("R_GONE");
  await atPage("read of what has gone", async (link) => {
    const lines = readFileSync(world.secrets, "utf8").split("\n");
    writeFileSync(world.secrets, lines.filter((line) => !line.startsWith("R_GONE=")).join("\n"));
    await once(link);
  });
  expect(await status(gone)).toBe("conflict");
  const batch = read("R_BATCH_1", "R_BATCH_2");
  await atPage("batch approved", once);
  expectValues(await batch, kept("R_BATCH_1"), kept("R_BATCH_2"));
  const stopped = read("R_STOPPED");
  await atPage("read stopped", async () => {
    await raw.notify("notifications/cancelled", { requestId: stopped.id, reason: "user-cancel" });
    await raw.request("ping");
  });

  const [saved, multi] = [fresh("W_YES"), fresh("W_MULTI")];
  const saving = write("W_YES", saved.value);
  await atPage("write approved", once);
  expect(await status(saving)).toBe("ok");
  const saveNo = write("W_NO", fresh("W_NO").value);
  await atPage("write denied", no);
  expect(await status(saveNo)).toBe("denied");
  const saveAgain = write("W_AGAIN", fresh("W_AGAIN").value);
  await atPage("write sent back", again);
  expect(await status(saveAgain)).toBe("ask_differently");
  const exposed = fresh("W_EXPOSED").value;
  expect(await status(write("W_EXPOSED", exposed, `store ${exposed} there`))).toBe("value_exposed");
  const key = `-----BEGIN KEY-----\n${multi.value}\n\tmore\n-----END KEY-----`;
  expect(await status(write("W_MULTI", key, `store this:\r\n${key.replaceAll("\n", "\r\n")}`))).toBe("value_exposed");
  expect(await status(write(exposed, exposed))).toBe("value_exposed");
  const conflict = write("W_CONFLICT", fresh("W_CONFLICT").value);
  await atPage("write that comes too late", async (link) => {
    writeFileSync(world.secrets, `${readFileSync(world.secrets, "utf8")}\nW_CONFLICT=somebody-else\n`);
    await once(link);
  });
  expect(await status(conflict)).toBe("conflict");
  expect(await status(write("W_NUL", `${fresh("W_NUL").value}\0`))).toBe("unrepresentable");
  expect(await status(write("W_LONG", `${fresh("W_LONG").value}${"x".repeat(131_072)}`))).toBe("invalid_arguments");
  expect(await status(write("W BAD NAME", fresh("W_BAD_NAME").value))).toBe("invalid_name");
  const both = [fresh("W_BATCH_1"), fresh("W_BATCH_2")];
  const secrets = both.map(({ kind, value }) => ({ name: kind, value }));
  const saveBoth = raw.call("set_secrets", { vault: "dev", reason: REASON, secrets });
  await atPage("batch of writes", once);
  expect(await status(saveBoth)).toBe("ok");
  await misshapen(scene);

  expect(await status(read("R_LATER"))).toBe("pending");
  await atPage("read approved later", once);
  expectValues(await read("R_LATER"), kept("R_LATER"));
  const slow = fresh("W_LATER");
  expect(await status(write("W_LATER", slow.value))).toBe("pending");
  await atPage("write approved later", once);
  expect(await status(write("W_LATER", slow.value))).toBe("ok");

  for (const call of late) expect(await status(call)).toBe("pending");
  for (const link of lateLinks) {
    await keepPage("waiting for long", link);
    if (options.untilExpiry)
      await vi.waitFor(async () => expect(await (await fetch(link)).text()).toContain("Expired"), { timeout: 20_000 });
    await keepPage("expired", link);
  }
  void read("R_OPEN");
  await keepPage("open at the end", await raw.link());
  await scene.end();
  const file = readFileSync(world.secrets, "utf8");
  for (const { core } of [saved, slow, ...both]) expect(file).toContain(core);
  return scene;
}

/** Values in all the wrong places of a message: whoever refuses it, must not repeat it. */
async function misshapen({ raw, fresh }: Scene): Promise<void> {
  const value = fresh("W_MISSHAPEN").value;
  const good = { vault: "dev", name: "W_SHAPE", reason: REASON };
  const args: readonly unknown[] = [
    { ...good, value: { text: value } },
    { ...good, value: [value] },
    { ...good, value: "", [value]: value },
    { ...good, Value: value },
    { ...good, secret: value, password: value },
    { ...good, vault: 1, name: [value], value },
    {
      vault: "dev",
      reason: REASON,
      secrets: [
        { name: "A", value },
        { name: "A", value },
      ],
    },
    { vault: "dev", reason: REASON, secrets: { A: value } },
    { vault: "dev", reason: REASON, secrets: [{ [value]: value }, value] },
    [value],
    value,
    null,
  ];
  for (const one of args) {
    for (const name of ["set_secret", "set_secrets", "get_secret", value.length]) {
      const answer = await raw.request("tools/call", { name, arguments: one });
      expect(["invalid_arguments", "protocol error"]).toContain(statusOfAnswer(answer));
    }
  }
  for (const more of [{ task: { ttl: value } }, { task: {} }, { _meta: { progressToken: [value] } }, { _meta: value }])
    // What the protocol itself does not understand gets no answer.
    void raw.request("tools/call", { name: "set_secret", arguments: { ...good, value: { value } }, ...more });
  await raw.request("secrets/save", { value });
  await raw.notify("notifications/secret", { value });
  await raw.write(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"value":${JSON.stringify(value)}\n`);
}
