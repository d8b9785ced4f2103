import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { loadText } from "../config/folder.ts";

const SCRIPT = resolve(import.meta.dirname, "../../docs/other-user.sh");
const PROGRAM = "usr/local/lib/agent-vault/node_modules/agent-vault/dist/agent-vault.js";
const roots: string[] = [];

afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true, force: true });
});

interface Root {
  readonly path: string;
  readonly run: (...args: readonly string[]) => { status: number | null; out: string; err: string };
  readonly read: (path: string) => string;
  readonly mode: (path: string) => string;
  readonly files: () => readonly string[];
}

/** A root of its own, and an npm that puts one file where the program would lie. */
function makeRoot(): Root {
  const path = mkdtempSync(join(tmpdir(), "agent-vault-root-"));
  roots.push(path);
  const [bin, dest] = [join(path, "bin"), join(path, "dest")];
  mkdirSync(bin);
  mkdirSync(dest);
  const npm = `#!/bin/sh\nset -e\necho "$@" >> ${path}/npm.log\nwhile [ "$1" != --prefix ]; do shift; done\n
mkdir -p "$2/node_modules/agent-vault/dist"\necho 'console.log(JSON.stringify([process.argv.slice(2), process.env.AGENT_VAULT_CONFIG]))' > "$2/node_modules/agent-vault/dist/agent-vault.js"\n
chmod 666 "$2/node_modules/agent-vault/dist/agent-vault.js"\n`;
  writeFileSync(join(bin, "npm"), npm, { mode: 0o755 });
  return {
    path,
    run: (...args) => {
      const { status, stdout, stderr } = spawnSync("sh", [SCRIPT, ...args], {
        env: { PATH: `${bin}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`, DESTDIR: dest },
        encoding: "utf8",
      });
      return { status, out: stdout, err: stderr };
    },
    read: (file) => readFileSync(join(dest, file), "utf8"),
    mode: (file) => (statSync(join(dest, file)).mode & 0o7777).toString(8),
    files: () =>
      readdirSync(dest, { recursive: true, encoding: "utf8" }).filter((file) => statSync(join(dest, file)).isFile()),
  };
}

/** Node has to lie where only root can change it, on this computer as on any other. */
const NODE = spawnSync("sh", ["-c", "readlink -f $(command -v node)"], {
  env: { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" },
  encoding: "utf8",
}).stdout.trim();

describe.skipIf(process.platform !== "linux" || NODE === "")("docs/other-user.sh", () => {
  it("puts each file where it belongs, open to those who need it and to nobody else", () => {
    const root = makeRoot();
    const { status, out, err } = root.run("install", "maria");
    expect({ status, err }).toEqual({ status: 0, err: "" });
    expect(out).toContain('{ "command": "agent-vault", "args": ["connect", "/run/agent-vault/mcp.sock"] }');
    const modes = Object.fromEntries(
      [
        "usr/local/lib/agent-vault",
        PROGRAM,
        "etc/agent-vault",
        "etc/agent-vault/agent-vault.config.json",
        "etc/agent-vault/.env",
        "var/lib/agent-vault",
        "usr/local/bin/agent-vault",
        "etc/systemd/system/agent-vault.service",
      ].map((file) => [file, root.mode(file)]),
    );
    expect(modes).toEqual({
      "usr/local/lib/agent-vault": "755",
      [PROGRAM]: "644",
      "etc/agent-vault": "750",
      "etc/agent-vault/agent-vault.config.json": "640",
      "etc/agent-vault/.env": "640",
      "var/lib/agent-vault": "700",
      "usr/local/bin/agent-vault": "755",
      "etc/systemd/system/agent-vault.service": "644",
    });
  });

  it("writes a configuration that the program takes", async () => {
    const root = makeRoot();
    root.run("install", "maria");
    const loaded = await loadText(root.read("etc/agent-vault/agent-vault.config.json"));
    expect(loaded.ok && loaded.config.vaults.map(({ rules }) => rules.minAssurance)).toEqual([
      { proof: "passkey", isolation: "other-user" },
    ]);
  });

  it("writes a unit that systemd understands, for the user it was told", () => {
    const root = makeRoot();
    root.run("install", "maria");
    const unit = root.read("etc/systemd/system/agent-vault.service");
    expect(unit).toContain(
      `ExecStart=${NODE} /${PROGRAM} serve --socket /run/agent-vault/mcp.sock --group agent-vault-clients --for maria\n`,
    );
    for (const line of [
      "NoNewPrivileges=yes",
      "ProtectSystem=strict",
      "ProtectHome=yes",
      "PrivateTmp=yes",
      "LimitCORE=0",
    ])
      expect(unit).toContain(`\n${line}\n`);
    // Where systemd is not installed there is nobody to ask.
    if (!existsSync("/usr/bin/systemd-analyze")) return;
    const file = join(root.path, "agent-vault.service");
    writeFileSync(file, unit);
    const { stdout, stderr, status } = spawnSync("systemd-analyze", ["verify", "--man=no", file], { encoding: "utf8" });
    expect(`${stdout}${stderr}`).not.toContain("agent-vault.service:");
    expect(status).toBe(0);
  });

  it("runs the program with the broker's configuration for the broker's user alone", () => {
    const root = makeRoot();
    root.run("install", "maria");
    const wrapper = root
      .read("usr/local/bin/agent-vault")
      .replaceAll("/usr/local/lib/", `${root.path}/dest/usr/local/lib/`);
    const bin = join(root.path, "as");
    mkdirSync(bin);
    const saidBy = (user: string): unknown => {
      writeFileSync(join(bin, "id"), `#!/bin/sh\necho ${user}\n`, { mode: 0o755 });
      const env = { PATH: `${bin}:/usr/bin:/bin` };
      return JSON.parse(execFileSync("sh", ["-c", wrapper, "agent-vault", "pair", "a b"], { env, encoding: "utf8" }));
    };
    expect(saidBy("agent-vault")).toEqual([["pair", "a b"], "/etc/agent-vault/agent-vault.config.json"]);
    expect(saidBy("maria")).toEqual([["pair", "a b"], null]);
  });

  it("can be run again, and leaves what a person wrote", () => {
    const root = makeRoot();
    root.run("install", "maria");
    const mine = join(root.path, "dest/etc/agent-vault/.env");
    writeFileSync(mine, "NGROK_AUTHTOKEN=mine-4711\n");
    expect(root.run("install", "ada")).toMatchObject({ status: 0, err: "" });
    expect(readFileSync(mine, "utf8")).toBe("NGROK_AUTHTOKEN=mine-4711\n");
    expect(root.mode("etc/agent-vault/.env")).toBe("640");
    expect(root.read("etc/systemd/system/agent-vault.service")).toContain("--for ada\n");
    expect(readFileSync(join(root.path, "npm.log"), "utf8").trim().split("\n")).toHaveLength(2);
  });

  it("says what it would do and does nothing of it", () => {
    const root = makeRoot();
    const { status, out } = root.run("install", "maria", "--dry-run");
    expect(status).toBe(0);
    for (const line of [
      "+ useradd --system",
      "+ usermod --append --groups agent-vault-clients maria",
      "+ chown agent-vault:agent-vault /var/lib/agent-vault",
      "+ systemctl enable --now agent-vault.service",
    ])
      expect(out).toContain(line);
    expect(root.files()).toEqual([]);
    expect(existsSync(join(root.path, "npm.log"))).toBe(false);
  });

  it("takes away what it put there, and what a person wrote only when told", () => {
    const root = makeRoot();
    root.run("install", "maria");
    expect(root.run("uninstall")).toMatchObject({ status: 0, err: "" });
    expect(root.files().toSorted()).toEqual(["etc/agent-vault/.env", "etc/agent-vault/agent-vault.config.json"]);
    expect(root.run("uninstall", "--purge")).toMatchObject({ status: 0, err: "" });
    expect(root.files()).toEqual([]);
  });

  it.each([
    [["install"], "install USER"],
    [["install", "maria", "ada"], "install USER"],
    [["install", "maria", "--purge"], "install USER"],
    [["uninstall", "maria"], "install USER"],
    [["install", "--force", "maria"], "install USER"],
    [["install", "maria;reboot"], "no name of a user"],
    [["install", "root"], "another user than root"],
    [["install", "agent-vault"], "another user than agent-vault"],
  ])("refuses %j", (args, words) => {
    const root = makeRoot();
    const { status, err } = root.run(...args);
    expect(status).not.toBe(0);
    expect(err).toContain(words);
    expect(root.files()).toEqual([]);
  });

  it("refuses a Node that others can exchange", () => {
    const root = makeRoot();
    writeFileSync(join(root.path, "bin/node"), "#!/bin/sh\n", { mode: 0o755 });
    const { status, err } = root.run("install", "maria");
    expect(status).toBe(1);
    expect(err).toMatch(/install node for all users/);
  });
});
