import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { type AgentUser, levelOf } from "../../src/core/isolation.ts";
import { observe, type Surrounding } from "../../src/isolation/observe.ts";
import { ancestorsOf } from "../../src/isolation/system.ts";
import { findUser, ownUser } from "../../src/isolation/users.ts";

const STRANGER: AgentUser = { name: "stranger", uid: 54_321, groups: [{ gid: 54_321, name: "stranger" }] };

/** A broker's folders as they should be, with a program in them. */
function installed(): Surrounding & { readonly root: string } {
  const root = mkdtempSync(join(tmpdir(), "agent-vault-observe-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  chmodSync(root, 0o755);
  for (const name of ["state", "work", "etc", "program"]) mkdirSync(join(root, name), { mode: 0o755 });
  writeFileSync(join(root, "program", "agent-vault.js"), "", { mode: 0o644 });
  writeFileSync(join(root, "etc", "agent-vault.config.json"), "{}", { mode: 0o644 });
  writeFileSync(join(root, "etc", ".env"), "TOKEN=hunter2-4711\n", { mode: 0o600 });
  chmodSync(join(root, "state"), 0o700);
  return {
    root,
    agent: STRANGER,
    startedByClient: false,
    program: join(root, "program", "agent-vault.js"),
    workFolder: join(root, "work"),
    stateFolder: join(root, "state"),
    database: join(root, "state", "audit.db"),
    configuration: join(root, "etc", "agent-vault.config.json"),
    secretFiles: [join(root, "etc", ".env"), join(root, "etc", "none.env")],
    tokens: ["OP_SERVICE_ACCOUNT_TOKEN"],
  };
}

describe.runIf(process.platform === "linux")("a look around", () => {
  it("finds a user apart who can change nothing, read nothing, and did not start us", async () => {
    const facts = await observe(installed());
    expect(levelOf(facts)).toEqual({ isolation: "other-user", doubts: [] });
    expect(facts).toMatchObject({
      changeable: [],
      readable: [],
      sudo: undefined,
      tokens: ["OP_SERVICE_ACCOUNT_TOKEN"],
    });
  });

  it.each<[string, (root: string) => void, RegExp]>([
    ["a state folder that is open", (root) => chmodSync(join(root, "state"), 0o777), /could change the state folder/],
    [
      "a configuration that is open",
      (root) => chmodSync(join(root, "etc", "agent-vault.config.json"), 0o666),
      /could change the configuration/,
    ],
    ["a folder above it that is open", (root) => chmodSync(join(root, "etc"), 0o777), /could change the configuration/],
    ["a folder it is started in", (root) => chmodSync(join(root, "work"), 0o777), /could change the working folder/],
    ["a token that can be read", (root) => chmodSync(join(root, "etc", ".env"), 0o644), /can read a file of secrets/],
    [
      "a part of the program",
      (root) => {
        mkdirSync(join(root, "program", "chunks"));
        writeFileSync(join(root, "program", "chunks", "part.js"), "");
        chmodSync(join(root, "program", "chunks", "part.js"), 0o666);
      },
      /could change the program, at .*part\.js/,
    ],
  ])("finds %s", async (_, open, words) => {
    const around = installed();
    open(around.root);
    const { isolation, doubts } = levelOf(await observe(around));
    expect(isolation).toBe("same-user");
    expect(doubts.map(({ text }) => text).join("\n")).toMatch(words);
  });

  it("takes the user of this process for the agent's where a client started it", async () => {
    const { agent: _, ...around } = installed();
    const facts = await observe({ ...around, startedByClient: true });
    expect(facts).toMatchObject({ uid: process.getuid?.(), agent: { uid: process.getuid?.() } });
    expect(levelOf(facts).isolation).toBe("same-user");
    expect(facts.changeable.map(({ what }) => what)).toEqual(
      expect.arrayContaining(["the state folder", "the program"]),
    );
  });

  it("takes nobody for the agent's user where nobody was named", async () => {
    const { agent: _, ...around } = installed();
    expect(levelOf(await observe(around)).isolation).toBe("same-user");
  });

  it("leaves everything as it was", async () => {
    const around = installed();
    rmSync(around.stateFolder, { recursive: true });
    const before = readdirSync(around.root, { recursive: true });
    await observe({ ...around, trySudo: true });
    expect(readdirSync(around.root, { recursive: true })).toEqual(before);
  });

  it("never fails, whatever is missing", async () => {
    const nowhere = "/nowhere-4711/below";
    const facts = await observe({
      agent: STRANGER,
      startedByClient: false,
      program: "",
      workFolder: nowhere,
      stateFolder: nowhere,
      database: nowhere,
      secretFiles: [nowhere],
      tokens: [],
    });
    expect(facts.agent).toEqual(STRANGER);
  });

  it("knows the users of the processes above", async () => {
    expect(await ancestorsOf(process.pid)).toContain(process.getuid?.());
    expect(await ancestorsOf(2 ** 30)).toBeUndefined();
  });

  it("knows users by name with all their groups, and nobody by a name that is not there", async () => {
    const own = await ownUser();
    expect(own).toMatchObject({ uid: process.getuid?.(), name: userInfo().username });
    expect(own?.groups.map(({ gid }) => gid)).toContain(process.getgid?.());
    const root = await findUser("root");
    expect(root).toMatchObject({ name: "root", uid: 0 });
    expect(root?.groups).toContainEqual({ gid: 0, name: "root" });
    for (const name of ["nobody-4711", "", "-u", "--version", "root\nroot"])
      expect(await findUser(name)).toBeUndefined();
  });

  it("sees a socket that is as good as being the administrator only where it may be used", async () => {
    // Whether this computer has one is its own affair; that the rule is the file's own is shown here.
    const { canOpen } = await import("../../src/isolation/paths.ts");
    const { root } = installed();
    const path = join(root, "state", "docker.sock");
    const server = createServer().listen(path);
    onTestFinished(() => void server.close());
    await new Promise((resolve) => server.once("listening", resolve));
    expect(existsSync(path)).toBe(true);
    chmodSync(path, 0o666);
    expect(await canOpen(STRANGER, path, "write")).toBe(false);
    chmodSync(join(root, "state"), 0o755);
    expect(await canOpen(STRANGER, path, "write")).toBe(true);
    chmodSync(path, 0o660);
    expect(await canOpen(STRANGER, path, "write")).toBe(false);
  });
});
