import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { loadText } from "../config/folder.ts";
import { noAccounts } from "../support/accounts.ts";

const SCRIPT = resolve(import.meta.dirname, "../../docs/other-user.sh");
const PROGRAM = "usr/local/lib/agent-vault/node_modules/agent-vault/dist/agent-vault.js";
const SYSTEM = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
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

/** A root of its own, and a package that npm installs without asking anybody. */
function makeRoot(): Root {
  const path = mkdtempSync(join(tmpdir(), "agent-vault-root-"));
  roots.push(path);
  const [bin, dest, home] = [join(path, "bin"), join(path, "dest"), join(path, "home")];
  for (const folder of [bin, dest, home]) mkdirSync(folder);
  return {
    path,
    run: (...args) => {
      const { status, stdout, stderr } = spawnSync("sh", [SCRIPT, ...args], {
        env: {
          PATH: `${bin}:${SYSTEM}`,
          DESTDIR: dest,
          HOME: home,
          AGENT_VAULT_PACKAGE: packed(path),
          npm_config_offline: "true",
          npm_config_update_notifier: "false",
        },
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

/** A program that says how it was started, open to everybody, as a careless packer leaves it. */
function packed(path: string): string {
  const file = join(path, "agent-vault.tgz");
  const dist = join(path, "package/dist");
  if (existsSync(file)) return file;
  mkdirSync(dist, { recursive: true });
  writeFileSync(join(path, "package/package.json"), '{ "name": "agent-vault", "version": "1.0.0" }');
  const program = "console.log(JSON.stringify([process.argv.slice(2), process.env.AGENT_VAULT_CONFIG]))";
  writeFileSync(join(dist, "agent-vault.js"), program);
  chmodSync(join(dist, "agent-vault.js"), 0o666);
  execFileSync("tar", ["-czf", file, "-C", path, "package"]);
  return file;
}

const [NODE, NPM] = ["node", "npm"].map(toolOfRoot);

/** Node and npm have to lie where only root can change them, on this computer as on any other. */
function toolOfRoot(name: string): string | undefined {
  const find = ["-c", `readlink -f "$(command -v ${name})"`];
  const path = spawnSync("sh", find, { env: { PATH: SYSTEM }, encoding: "utf8" }).stdout.trim();
  for (let at = path; at !== ""; at = at === "/" ? "" : dirname(at)) {
    const { uid, mode } = statSync(at);
    if (uid !== 0 || (mode & 0o022) !== 0) return undefined;
  }
  return path === "" ? undefined : path;
}

describe.skipIf(process.platform !== "linux" || NODE === undefined || NPM === undefined)("docs/other-user.sh", () => {
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
      // 0 would keep the program from asking for what really stops a dump.
      "LimitCORE=1",
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

  it.each(["node", "npm"])("refuses a %s that others can exchange, and runs nothing of it", (tool) => {
    const root = makeRoot();
    const mark = join(root.path, "was-run");
    for (const name of [tool, "find", "stat"])
      writeFileSync(join(root.path, "bin", name), `#!/bin/sh\necho ${name} >> ${mark}\n`, { mode: 0o755 });
    const { status, err } = root.run("install", "maria");
    expect(status).toBe(1);
    expect(err).toMatch(/install node for all users/);
    expect(existsSync(mark)).toBe(false);
    expect(root.files()).toEqual([]);
  });

  it.each<[string, string, (dest: string) => void]>([
    [
      "a folder above the program",
      "usr/local/lib can be changed",
      (dest) => mkdirSync(join(dest, "usr/local/lib"), { recursive: true }),
    ],
    [
      "a folder above the command",
      "usr/local/bin can be changed",
      (dest) => mkdirSync(join(dest, "usr/local/bin"), { recursive: true }),
    ],
    [
      "where a link beside it leads",
      "elsewhere can be changed",
      (dest) => {
        mkdirSync(join(dest, "usr/local"), { recursive: true });
        symlinkSync(join(dest, "elsewhere"), join(dest, "usr/local/lib"));
        mkdirSync(join(dest, "elsewhere"));
      },
    ],
    [
      "something where the program goes",
      "node_modules can be changed",
      (dest) => mkdirSync(join(dest, "usr/local/lib/agent-vault/node_modules"), { recursive: true }),
    ],
    [
      "the configuration's folder",
      "etc/agent-vault can be changed",
      (dest) => mkdirSync(join(dest, "etc/agent-vault"), { recursive: true }),
    ],
  ])("refuses to trust %s that others can change", (_, words, make) => {
    const root = makeRoot();
    const dest = join(root.path, "dest");
    make(dest);
    expect(root.run("install", "maria", "--dry-run"), "as it is made here").toMatchObject({ status: 0 });
    execFileSync("chmod", ["777", join(dest, ...wordsOf(words))]);
    const { status, err } = root.run("install", "maria");
    expect(status).toBe(1);
    expect(err).toContain(words);
    expect(root.files()).toEqual([]);
  });

  it.runIf(noAccounts === undefined && spawnSync("getent", ["passwd", "agent-vault"]).status !== 0)(
    "refuses an account of its name that a person can log in to",
    () => {
      const install = (): { status: number | null; stderr: string } =>
        spawnSync("sh", [SCRIPT, "install", "nobody", "--dry-run"], { env: { PATH: SYSTEM }, encoding: "utf8" });
      const useradd = (shell: string): void =>
        void execFileSync("useradd", ["--no-create-home", "--home-dir", "/nonexistent", "--shell", shell, SERVICE]);
      try {
        useradd("/bin/sh");
        expect(install()).toMatchObject({ status: 1, stderr: expect.stringContaining("log in") as unknown });
        execFileSync("userdel", [SERVICE]);
        useradd("/usr/sbin/nologin");
        expect(install()).toMatchObject({ status: 0, stderr: "" });
      } finally {
        execFileSync("userdel", [SERVICE]);
      }
    },
  );
});

const SERVICE = "agent-vault";

/** The folder that a complaint is about, below the root. */
function wordsOf(complaint: string): string[] {
  const [path = ""] = complaint.split(" ");
  return path === "node_modules" ? ["usr/local/lib/agent-vault", path] : [path];
}
