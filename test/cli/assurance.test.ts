import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { assurance, type Standing } from "../../src/cli/assurance.ts";
import type { Context, Services } from "../../src/cli/command.ts";
import type { Roll } from "../../src/cli/enrolment.ts";
import { VaultError } from "../../src/core/errors.ts";
import type { IsolationFacts } from "../../src/core/isolation.ts";
import { configOf, loadText, makeFolder } from "../config/folder.ts";
import { apart, MARIA } from "../isolation/facts.ts";

const PHONE = {
  id: "b3BlbnNlc2FtZQ",
  name: "Maria's phone",
  origin: "https://maria.example",
  addedAt: 1,
  transports: [],
  backedUp: false,
};
const NOBODY: Roll = { approvers: [], oddities: [] };
const ENROLLED: Roll = { approvers: [PHONE], oddities: [] };
const AS_USUAL = apart({ startedByClient: true, uid: MARIA.uid });

/** What doctor says at the end, of these vaults, where these facts hold and these are enrolled. */
async function stands(
  { facts = AS_USUAL, roll = NOBODY }: { facts?: IsolationFacts; roll?: Roll | VaultError },
  config: object = { vaults: { dev: {} } },
): Promise<Standing & { lines: string[] }> {
  const services = {
    isolation: () => Promise.resolve(facts),
    roll: () => (roll instanceof VaultError ? Promise.reject(roll) : Promise.resolve(roll)),
  } as Partial<Services> as Services;
  const context = { services, options: {} } as Partial<Context> as Context;
  const standing = await assurance(configOf(await loadText(JSON.stringify(config))), context);
  return { ...standing, lines: standing.findings.map(({ state, about, text }) => `${state} ${about}: ${text}`) };
}

const about = (lines: readonly string[], words: RegExp): string[] => lines.filter((line) => words.test(line));

describe("what doctor says of the level", () => {
  it.each<[string, IsolationFacts, Roll]>([
    ["link/same-user", AS_USUAL, NOBODY],
    ["passkey/same-user", AS_USUAL, ENROLLED],
    ["link/other-user", apart(), NOBODY],
    ["passkey/other-user", apart(), ENROLLED],
    ["passkey/same-user", apart({ sudo: "free" }), ENROLLED],
  ])("is %s", async (wanted, facts, roll) => {
    const { level, findings } = await stands({ facts, roll });
    expect(level).toBe(wanted);
    expect(findings[0]).toMatchObject({ about: "level", text: expect.stringMatching(`^${wanted}: `) as string });
  });

  it("says who is enrolled, and what does not agree with the log", async () => {
    const odd: Roll = { approvers: [PHONE], oddities: ["Eve is enrolled and the log does not know since when"] };
    const { lines } = await stands({ roll: odd });
    expect(lines).toContain("ok approvers: Maria's phone");
    expect(lines).toContain("warning approvers: Eve is enrolled and the log does not know since when");
    expect(about((await stands({})).lines, /^note approvers: nobody is enrolled/)).toHaveLength(1);
  });

  it("names no level where it cannot be known whose passkeys count", async () => {
    const roll = new VaultError("approvers_unavailable", "who may approve cannot be read", {
      hint: "look at notes.db",
    });
    const { level, findings } = await stands({ roll });
    expect(level).toBeUndefined();
    expect(findings[0]).toMatchObject({ state: "failed", code: "approvers_unavailable", hint: "look at notes.db" });
  });

  it("says of each vault with a least level whether it holds here", async () => {
    const vaults = {
      plain: {},
      near: { minAssurance: "passkey/same-user" },
      far: { minAssurance: "passkey/other-user" },
      never: { minAssurance: "link/other-host" },
    };
    const here = about((await stands({ roll: ENROLLED }, { vaults })).lines, /vault /);
    expect(here).toEqual([
      'ok vault near: needs "passkey/same-user", which holds here',
      'failed vault far: needs "passkey/other-user", and agent-vault runs as same-user here',
      'failed vault never: needs "link/other-host", and agent-vault runs as same-user here',
    ]);
    const apartHere = about((await stands({ facts: apart(), roll: ENROLLED }, { vaults })).lines, /vault /);
    expect(apartHere.map((line) => line.split(":")[0])).toEqual([
      "ok vault near",
      "ok vault far",
      "failed vault never",
    ]);
    const unpaired = await stands({ facts: apart() }, { vaults: { far: vaults.far } });
    expect(unpaired.findings.find(({ state }) => state === "failed")).toMatchObject({
      code: "assurance_unmet",
      hint: "run: agent-vault pair",
    });
    const neither = await stands({}, { vaults: { far: vaults.far } });
    expect(neither.findings.find(({ state }) => state === "failed")).toMatchObject({
      text: 'needs "passkey/other-user": nobody is enrolled, and agent-vault runs as same-user here',
      hint: expect.stringMatching(/run apart from the agent.*agent-vault pair/),
    });
  });

  it("has a vault looked at that is content with the link although somebody is enrolled", async () => {
    const vaults = { dev: { require: "link" }, prod: {} };
    const words = /the link alone, although somebody is enrolled/;
    expect(about((await stands({ roll: ENROLLED }, { vaults })).lines, words)).toEqual([
      expect.stringMatching(/^warning vault dev: /),
    ]);
    expect(about((await stands({}, { vaults })).lines, words)).toEqual([]);
    const all = { vaults: { dev: {}, prod: { require: "passkey" } }, approval: { require: "link" } };
    expect(about((await stands({ roll: ENROLLED }, all)).lines, words)).toHaveLength(1);
  });

  it("gives each reason for the weaker level, with what to do, where it was meant to be the stronger", async () => {
    const facts = apart({
      rootSockets: ["/run/docker.sock"],
      changeable: [{ what: "the state folder", path: "/srv/av" }],
    });
    const { findings } = await stands({ facts, roll: ENROLLED });
    const reasons = findings.filter((one) => one.about === "same user");
    expect(reasons.map(({ state, text }) => [state, text])).toEqual([
      ["warning", expect.stringContaining("/run/docker.sock")],
      ["warning", expect.stringContaining("the state folder, at /srv/av")],
    ]);
    for (const { hint } of reasons) expect(hint).toBeDefined();
  });

  it("says no more than holds of what a link or a passkey keeps an agent from", async () => {
    const words = /^note it does not: stop a program that runs as you/;
    expect(about((await stands({})).lines, words)[0]).toContain("find the link and approve");
    expect(about((await stands({ roll: ENROLLED })).lines, words)[0]).toContain("enrol a passkey of its own");
    expect(about((await stands({ facts: apart(), roll: ENROLLED })).lines, words)).toEqual([]);
    const shown = { vaults: { dev: {} }, approval: { linkInResults: true } };
    expect(about((await stands({}, shown)).lines, /warning it does not: keep the link/)).toHaveLength(1);
    expect(about((await stands({ roll: ENROLLED }, shown)).lines, /keep the link/)).toEqual([]);
  });
});

describe("what doctor says of the facts", () => {
  const ONE_USER = { startedByClient: true, uid: MARIA.uid };

  it.each<[string, Partial<IsolationFacts>, RegExp]>([
    ["sudo", { sudo: "free" }, /^note administrator: .*sudo, without a password/],
    ["no way up", { sudo: "refused" }, /^ok administrator: /],
    ["a group", { agent: { ...MARIA, groups: [{ gid: 998, name: "docker" }] } }, /^note administrator: .*group docker/],
    ["a socket", { rootSockets: ["/run/docker.sock"] }, /^note administrator: .*\/run\/docker\.sock/],
    ["the administrator", { agent: { ...MARIA, uid: 0 }, uid: 0 }, /^warning administrator: /],
    ["no Yama", { ptraceScope: undefined }, /^note memory: .*read the memory of one another/],
    ["Yama at 1", { ptraceScope: 1 }, /^note memory: .*the client started this one/],
    ["Yama at 2", { ptraceScope: 2 }, /^ok memory: /],
    ["a terminal to type into", { legacyTiocsti: true }, /^note terminal: /],
    ["tokens", { tokens: ["NGROK_AUTHTOKEN", "T"] }, /^note tokens: NGROK_AUTHTOKEN and T were in the environment/],
    ["no signal", {}, /^ok inspector: /],
    ["a signal", { inspector: "by signal" }, /^note inspector: /],
    ["an inspector", { inspector: "open" }, /^warning inspector: /],
    ["no core dumps", { coreLimit: 0 }, /^ok core dumps: /],
    ["core dumps by a program", { coreLimit: 0, corePiped: true }, /^warning core dumps: .*program that collects/],
    ["none even so", { coreLimit: 1, corePiped: true }, /^ok core dumps: /],
    ["core dumps", { coreLimit: Number.POSITIVE_INFINITY }, /^warning core dumps: .*leave memory on disk/],
    ["files", { changeable: [{ what: "the configuration", path: "/home/maria" }] }, /^note files: .*the configuration/],
  ])("is one plain line on %s", async (_, facts, words) => {
    const { lines } = await stands({ facts: apart({ ...ONE_USER, ...facts }) });
    expect(about(lines, words)).toHaveLength(1);
  });

  it("is silent on what does not stand", async () => {
    const { lines } = await stands({ facts: apart(ONE_USER) });
    expect(about(lines, /(?:administrator|terminal|tokens|files): /)).toEqual([]);
  });

  it("never lets a name move the cursor", async () => {
    const agent = { name: "maria\u001b[2J", uid: 1000, groups: [{ gid: 0, name: "root\u001b[2J" }] };
    for (const facts of [apart({ agent }), apart({ agent, uid: 1000, startedByClient: true })]) {
      expect((await stands({ facts, roll: ENROLLED })).lines.join("\n")).not.toContain("\u001b");
    }
  });
});

describe("doctor, run as people run it", () => {
  const PROGRAM = join(process.cwd(), "dist/agent-vault.js");

  function doctor(args: readonly string[], config: object): { out: string; status: number | null; left: string[] } {
    const folder = makeFolder();
    folder.write("agent-vault.config.json", JSON.stringify(config));
    folder.write(".env.secrets", "A=hunter2-4711\n", 0o600);
    const { stdout, status } = spawnSync(process.execPath, [PROGRAM, "doctor", ...args], {
      cwd: folder.cwd,
      env: { HOME: folder.home, PATH: process.env["PATH"], NGROK_AUTHTOKEN: "hunter2-4712" },
      encoding: "utf8",
    });
    return { out: stdout, status, left: readdirSync(folder.home, { recursive: true }).map(String) };
  }

  it("prints the level and what is demanded in vain, names tokens without their values, and leaves nothing behind", () => {
    const { out, status, left } = doctor([], { vaults: { dev: {}, prod: { minAssurance: "link/other-user" } } });
    expect(out).toMatch(/^ +level: link\/same-user: /m);
    expect(out).toMatch(
      /FAILED {2}vault prod: .*"link\/other-user".*\(assurance_unmet\)\n +agent-vault has to run apart/,
    );
    expect(out).toMatch(/^ +ok +inspector: /m);
    if (process.platform === "linux") expect(out).toMatch(/tokens: NGROK_AUTHTOKEN was in the environment/);
    expect(out).not.toContain("hunter2");
    expect(status).toBe(1);
    expect(left).toEqual([]);
  });

  it("prints the same as JSON, with the level by itself", () => {
    const { out, left } = doctor(["--json"], { vaults: { dev: {} } });
    const said = JSON.parse(out) as { level: string; findings: { about: string; text: string }[] };
    expect(said.level).toBe("link/same-user");
    expect(said.findings.map((one) => one.about)).toEqual(expect.arrayContaining(["level", "approvers", "same user"]));
    expect(left).toEqual([]);
  });

  it("says of another user's agents what it can see, and of a user who is not there that they are not", () => {
    const { out } = doctor(["--for", "nobody", "--json"], { vaults: { dev: {} } });
    const { level, findings } = JSON.parse(out) as { level: string; findings: { about: string; text: string }[] };
    // Whether those who run this test are kept apart from nobody depends on where the program lies.
    const reasons = findings.filter((one) => one.about === "same user");
    expect(level).toBe(reasons.length === 0 ? "link/other-user" : "link/same-user");
    expect(findings.map((one) => one.about)).toContain("sudo");
    expect(doctor(["--for", "nobody-4711"], { vaults: { dev: {} } }).status).toBe(2);
  });
});
