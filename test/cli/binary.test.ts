import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openLog } from "../../src/audit/sqlite.ts";
import { commands } from "../../src/cli/commands.ts";
import { CLIENTS } from "../../src/cli/snippets.ts";
import { configOf, makeFolder, type Folder } from "../config/folder.ts";

const PROGRAM = join(process.cwd(), "dist/agent-vault.js");

/** Runs the built program in a folder, with an environment that holds nothing but what is given. */
function agentVault(folder: Folder, args: readonly string[], more: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...args], {
    cwd: folder.cwd,
    encoding: "utf8",
    env: { HOME: folder.home, USERPROFILE: folder.home, PATH: process.env["PATH"], ...more },
  });
  return { status, out: stdout, err: stderr };
}

const read = (folder: Folder, name: string): string => readFileSync(join(folder.cwd, name), "utf8");
const FILES = ["agent-vault.config.json", ".env.secrets", ".gitignore"];

describe("agent-vault init", () => {
  it("sets up a repository so that doctor has nothing to refuse", async () => {
    const folder = makeFolder();
    execFileSync("git", ["init", "-q", folder.cwd]);
    const { status, out, err } = agentVault(folder, ["init"]);
    expect(status).toBe(0);
    expect(err).toContain('made agent-vault.config.json: one vault, "local"');
    expect(configOf(await folder.load()).vaults).toMatchObject([
      {
        name: "local",
        type: "env",
        rules: { ttlMs: 900_000, ttlScope: "secret", writable: false },
        use: { ready: true },
      },
    ]);
    const secret = [".env.secrets", ".env.secrets.tmp-0815", ".env"];
    const ignored = execFileSync("git", ["check-ignore", ...secret], { cwd: folder.cwd, encoding: "utf8" });
    expect(ignored).toBe(`${secret.join("\n")}\n`);
    expect(out).toContain("claude mcp add agent-vault -- npx -y agent-vault");
    expect(agentVault(folder, ["doctor"]).status).toBe(0);
  });

  it.skipIf(process.platform === "win32")("keeps the secrets to their owner, whatever the umask", () => {
    const folder = makeFolder();
    const line = 'umask 000; exec "$0" "$@"';
    const env = { HOME: folder.home, PATH: process.env["PATH"] };
    execFileSync("/bin/sh", ["-c", line, process.execPath, PROGRAM, "init"], { cwd: folder.cwd, env, stdio: "pipe" });
    expect(statSync(join(folder.cwd, ".env.secrets")).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder.cwd, "agent-vault.config.json")).mode & 0o777).toBe(0o644);
  });

  it("overwrites nothing, however often it runs, and says so", () => {
    const folder = makeFolder();
    mkdirSync(join(folder.cwd, ".git"));
    agentVault(folder, ["init"]);
    folder.write(".env.secrets", "TOKEN=hunter2-4711\n", 0o600);
    const before = FILES.map((name) => read(folder, name));
    const { status, out, err } = agentVault(folder, ["init", "--vault", "other"]);
    expect(status).toBe(0);
    expect(FILES.map((name) => read(folder, name))).toEqual(before);
    for (const name of FILES) expect(err).toContain(`left alone: ${name}`);
    expect(out + err).not.toContain("hunter2");
  });

  it("leaves a broken configuration and somebody else's files as they are", () => {
    const folder = makeFolder();
    folder.write("agent-vault.config.json", "{ broken");
    const { status, err } = agentVault(folder, ["init"]);
    expect(status).toBe(0);
    expect(read(folder, "agent-vault.config.json")).toBe("{ broken");
    expect(err).toContain("left alone: agent-vault.config.json");
    expect(existsSync(join(folder.cwd, ".env.secrets"))).toBe(false);
  });

  it.skipIf(process.platform === "win32")("writes through no link", () => {
    const folder = makeFolder();
    symlinkSync("elsewhere.json", join(folder.cwd, "agent-vault.config.json"));
    expect(agentVault(folder, ["init"]).status).toBe(0);
    expect(existsSync(join(folder.cwd, "elsewhere.json"))).toBe(false);
  });

  it("makes the secrets file again when only that one is gone", () => {
    const folder = makeFolder();
    agentVault(folder, ["init"]);
    rmSync(join(folder.cwd, ".env.secrets"));
    expect(agentVault(folder, ["init"]).err).toContain("made .env.secrets");
    expect(read(folder, ".env.secrets")).toContain("DATABASE_URL=");
  });

  it.each([
    ["none outside a repository", undefined, undefined],
    ["what is missing", "node_modules/", "node_modules/\n.env.secrets*\n.env\n"],
    ["one of the two", ".env\n", ".env\n.env.secrets*\n"],
    ["nothing that is covered", ".env*\n", ".env*\n"],
    [
      "what was taken back",
      ".env.secrets*\n!.env.secrets*\n.env\n",
      ".env.secrets*\n!.env.secrets*\n.env\n.env.secrets*\n",
    ],
    ["lines that end as the others do", "dist\r\n", "dist\r\n.env.secrets*\r\n.env\r\n"],
  ])("adds to .gitignore %s", (_, before, after) => {
    const folder = makeFolder();
    if (before !== undefined) folder.write(".gitignore", before);
    agentVault(folder, ["init"]);
    expect(existsSync(join(folder.cwd, ".gitignore")) ? read(folder, ".gitignore") : undefined).toBe(after);
  });

  it("finds the repository from a folder inside it", () => {
    const folder = makeFolder();
    mkdirSync(join(folder.cwd, ".git"));
    const inner = { ...folder, cwd: join(folder.cwd, "packages/app") };
    mkdirSync(inner.cwd, { recursive: true });
    agentVault(inner, ["init"]);
    expect(read(inner, ".gitignore")).toBe(".env.secrets*\n.env\n");
  });

  it.each(Object.keys(CLIENTS))("shows lines that %s can read", (client) => {
    const folder = makeFolder();
    const { status, out } = agentVault(folder, ["init", "--client", client]);
    expect(status).toBe(0);
    expect(out.match(/^# /gm)?.length).toBeLessThan(4);
    expect(out).toContain("agent-vault");
    const body = out
      .split("\n")
      .filter((line) => !line.startsWith("#"))
      .join("\n");
    if (client === "codex") {
      expect(body).toContain(`AGENT_VAULT_CONFIG = ${JSON.stringify(join(folder.cwd, "agent-vault.config.json"))}`);
      expect(body).toMatch(/^tool_timeout_sec = \d+$/m);
      return;
    }
    const parsed = JSON.parse(body.slice(body.indexOf("{"))) as Record<
      string,
      Record<string, { command: string; args: string[] }>
    >;
    const servers = parsed[client === "vscode" ? "servers" : "mcpServers"];
    expect(servers?.["agent-vault"]).toMatchObject({ command: "npx", args: ["-y", "agent-vault"] });
  });

  it.skipIf(process.platform !== "linux")("says where it cannot write", () => {
    const { status, err } = agentVault({ ...makeFolder(), cwd: "/proc" }, ["init"]);
    expect(status).toBe(1);
    expect(err).toMatch(/^agent-vault: \/proc cannot be written to \(\w+\)\nhint: .+\n$/);
  });

  it.skipIf(process.platform === "win32")("says so when the folder is gone", () => {
    const folder = makeFolder();
    const script = 'mkdir w && cd w && rmdir ../w && exec "$0" "$@"';
    for (const command of ["init", "doctor", "audit"]) {
      const { status, stderr } = spawnSync("/bin/sh", ["-c", script, process.execPath, PROGRAM, command], {
        cwd: folder.cwd,
        encoding: "utf8",
        env: { HOME: folder.home, PATH: process.env["PATH"] },
      });
      expect({ status, stderr }).toEqual({
        status: 2,
        stderr: "agent-vault: the folder you are in is gone\nhint: go to a folder that exists\n",
      });
    }
  });
});

describe("the built program", () => {
  it.each([
    [["--help"], 0],
    [["--version"], 0],
    [["doctr"], 2],
    [["audit", "--limt", "2"], 2],
    [["doctor"], 2],
    [["audit"], 0],
    [["audit", "--path"], 0],
    [["providers"], 0],
    [["providers", "--type", "12port"], 0],
    [["providers", "--type", "nope"], 2],
  ])("ends %j with status %i, data on one side and words on the other", (args, wanted) => {
    const folder = makeFolder();
    const { status, out, err } = agentVault(folder, args);
    expect(status).toBe(wanted);
    if (wanted === 2 && args[0] !== "doctor")
      expect({ out, said: err.startsWith("agent-vault: ") }).toEqual({ out: "", said: true });
    if (args.includes("--version"))
      expect(out).toBe(`${(JSON.parse(readFileSync("package.json", "utf8")) as { version: string }).version}\n`);
    if (args.includes("--path")) expect(out).toBe(`${join(folder.home, ".local/state/agent-vault/audit.db")}\n`);
    expect(out + err).not.toMatch(/\u001b|\p{Extended_Pictographic}/u);
  });

  it("knows the commands that the help names", () => {
    const folder = makeFolder();
    const { out } = agentVault(folder, ["--help"]);
    for (const { name, summary } of commands) expect(out).toMatch(new RegExp(`^ {2}${name} +${summary}$`, "m"));
  });

  it("reads the log that the server writes", async () => {
    const folder = makeFolder();
    folder.write("agent-vault.config.json", '{ "vaults": { "dev": {} } }');
    folder.write(".env.secrets", "DATABASE_URL=hunter2-4711\n", 0o600);
    const file = agentVault(folder, ["audit", "--path"]).out.trim();
    const log = openLog({ file });
    const at = Date.UTC(2026, 10, 20, 14, 32);
    const about = { vault: "dev", names: ["DATABASE_URL"], reason: "run the migration", action: "read" } as const;
    await log.record([{ kind: "requested", at, ...about }]);
    await log.record([{ kind: "approved", at: at + 1_000, ...about, scope: "secret", until: at + 901_000 }]);
    log.close();

    const { status, out } = agentVault(folder, ["audit"]);
    expect(status).toBe(0);
    const kinds = out
      .split("\n")
      .slice(1, -1)
      .map((line) => /\d\d:\d\d:\d\d {2}(\w+) +dev\/DATABASE_URL/.exec(line)?.[1]);
    expect(kinds).toEqual(["requested", "approved"]);
    const json = agentVault(folder, ["audit", "--json", "--kind", "approved", "--since", "2026-11-20T14:00:00Z"]).out;
    expect(JSON.parse(json)).toMatchObject({ kind: "approved", at: at + 1_000, ...about });
    expect(agentVault(folder, ["audit", "--name", "OTHER"])).toEqual({
      status: 0,
      out: "",
      err: "nothing in the log matches\n",
    });
    expect(agentVault(folder, ["doctor"]).out).toMatch(/ok {6}.*audit\.db: 2 events, \d+ KB/);
  });

  it("says of each vault what is wrong with it, repeats no token and keeps no note", () => {
    const folder = makeFolder();
    const vaults = {
      op: { type: "1password", serviceAccountToken: "env:OP_4711" },
      unset: { type: "1password", serviceAccountToken: "env:GONE_4711" },
      // The discard port: nobody listens there.
      pam: { type: "12port", server: "https://127.0.0.1:9", tenant: "acme", token: "env:PORT_4711" },
      later: { type: "delinea" },
      dev: {},
    };
    folder.write("agent-vault.config.json", JSON.stringify({ vaults }));
    folder.write(".env.secrets", "A=hunter2-4711\n", 0o600);
    const tokens = { OP_4711: "ops_hunter2-4712", PORT_4711: "hunter2-4713" };
    const { status, out, err } = agentVault(folder, ["doctor"], tokens);
    expect(status).toBe(1);
    expect(out).toMatch(/FAILED {2}vault op: .*\(provider_auth\)\n {12}\S/);
    expect(out).toMatch(/FAILED {2}vault unset: 1Password, left out: GONE_4711 is not set\n {12}\S/);
    expect(out).toMatch(/FAILED {2}vault pam: .*\(provider_unavailable\)\n {12}\S/);
    expect(out).toMatch(/FAILED {2}vault later: .*does not have its type yet\n {12}\S/);
    expect(out).toMatch(/ok {6}vault dev: /);
    expect(out + err + agentVault(folder, ["doctor", "--json"], tokens).out).not.toContain("hunter2");
    expect(existsSync(join(folder.home, ".local"))).toBe(false);
  });

  it("leaves nothing behind in the state folder when it only looks", () => {
    const folder = makeFolder();
    folder.write("agent-vault.config.json", '{ "vaults": { "dev": {} } }');
    folder.write(".env.secrets", "A=hunter2-4711\n", 0o600);
    for (const args of [["doctor"], ["doctor", "--json"], ["audit"], ["audit", "--json"]]) {
      const { out, err } = agentVault(folder, args);
      expect(out + err).not.toContain("hunter2");
    }
    expect(existsSync(join(folder.home, ".local"))).toBe(false);
  });

  it.skipIf(process.platform === "win32")("stops quietly when nobody reads what it prints", () => {
    const folder = makeFolder();
    const options = { encoding: "utf8", cwd: folder.cwd } as const;
    const { stderr } = spawnSync("/bin/sh", ["-c", '"$0" "$1" --help | true', process.execPath, PROGRAM], options);
    expect(stderr).toBe("");
  });
});
