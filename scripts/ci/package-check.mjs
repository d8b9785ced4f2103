// Packs the program, installs the package as people do, on each Node and npm we promise, and gets one secret with it.
// It also shows the refusals: Nodes that are too old, and a better-sqlite3 without its binary. Minutes, not seconds:
// better-sqlite3 12 may have to be compiled for Node 20.
import { strict as assert } from "node:assert";
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { makeChecks } from "./checks.mjs";
import { getOneSecret, getRefused, makeUser, runProgram } from "./installed.mjs";
import { bringTools } from "./toolbox.mjs";

/** Each Node with the npm it comes with, then with npm 12, which runs no install script unasked (and not on Node 20). */
const SERVED = [
  { node: "20", npm: "10", sqlite: "12" },
  { node: "22", npm: "10", sqlite: "13" },
  { node: "24", npm: "11", sqlite: "13" },
  { node: "22", npm: "12", sqlite: "13" },
  { node: "24", npm: "12", sqlite: "13" },
];
const TOO_OLD = ["14", "16", "18", "20.18"];
/** Nodes that run the program but not better-sqlite3 13. */
const WITHOUT_13 = ["20", "21", "22.12"];

const { check, close } = makeChecks("package");
const { version } = JSON.parse(readFileSync("package.json", "utf8"));
const folder = mkdtempSync(join(tmpdir(), "agent-vault-package-"));
const fresh = (name) => {
  const place = mkdtempSync(join(folder, `${name}-`));
  writeFileSync(join(place, "package.json"), "{}");
  return place;
};

try {
  await checkAll();
} finally {
  rmSync(folder, { recursive: true, force: true });
  close();
}

async function checkAll() {
  const tarball = await check("the package is packed", pack);
  const nodes = [...new Set([...SERVED.map(({ node }) => node), ...TOO_OLD, ...WITHOUT_13])];
  const npms = [...new Set(SERVED.map(({ npm }) => npm))];
  const tools = await check(`brought Node ${nodes.join(", ")} and npm ${npms.join(", ")}`, () =>
    bringTools({ folder: join(folder, "tools"), nodes, npms }),
  );
  if (tarball === undefined || tools === undefined) return;
  await check("npm 12 would run the install scripts that npm ci needs, and knows no others", () =>
    tools.npm("22", "12").npm(["ci", "--strict-allow-scripts", "--dry-run"], { cwd: process.cwd() }),
  );
  for (const line of SERVED) await checkServed({ ...line, tools, tarball });
  await checkOld({ tools, tarball });
  await checkBlocked({ tools, tarball });
}

function pack() {
  const [{ filename, size, unpackedSize, files }] = JSON.parse(
    execFileSync("npm", ["pack", "--json", "--pack-destination", folder], { stdio: ["ignore", "pipe", "ignore"] }),
  );
  // Messages of the program lead there.
  for (const path of ["docs/other-user.md", "docs/other-user.sh"]) {
    assert.ok(
      files.some((file) => file.path === path),
      `${path} is not in the package`,
    );
  }
  console.log(`        ${filename}: ${kB(size)} packed, ${kB(unpackedSize)} in ${files.length} files`);
  return join(folder, filename);
}

async function checkServed({ node: line, npm: npmLine, sqlite, tools, tarball }) {
  const node = tools.node(line);
  const { npm, npx, version: npmVersion } = tools.npm(line, npmLine);
  const on = `Node ${node.version}, npm ${npmVersion}`;
  const modules = (place) => join(place, "node_modules");

  const prefix = join(folder, `global-${line}-${npmLine}`);
  mkdirSync(prefix);
  await check(`${on}: npm install -g picks better-sqlite3 ${sqlite}`, async () => {
    await npm(["install", "--global", "--prefix", prefix, tarball], { cwd: folder });
    const installed = sqliteOf(join(prefix, "lib", "node_modules", "agent-vault", "node_modules"));
    console.log(`        better-sqlite3 ${installed}`);
    assert.equal(installed.split(".")[0], sqlite);
  });
  await checkUse(`${on}: installed globally`, { bin: join(prefix, "bin", "agent-vault"), node });

  const project = fresh(`project-${line}-${npmLine}`);
  await check(`${on}: npm install in a project picks better-sqlite3 ${sqlite}`, async () => {
    await npm(["install", tarball], { cwd: project });
    assert.equal(sqliteOf(modules(project)).split(".")[0], sqlite);
  });
  await checkUse(`${on}: installed in a project`, { bin: join(modules(project), ".bin", "agent-vault"), node });

  // On Node 20 it would be compiled a third time.
  if (line === "20") return;
  const empty = fresh(`npx-${line}-${npmLine}`);
  cpSync(tarball, join(empty, basename(tarball)));
  const env = { npm_config_cache: join(empty, "cache") };
  for (const how of ["cold", "warm"]) {
    await check(`${on}: npx --yes ${how}`, async () => {
      const { stdout } = await npx(["--yes", `./${basename(tarball)}`, "--version"], { cwd: empty, env });
      assert.equal(stdout.trim(), version);
    });
  }
}

async function checkUse(name, { bin, node }) {
  const user = makeUser({ folder, bin, node });
  await check(`${name}: --version`, async () => assert.equal(await runProgram(user, ["--version"]), version));
  await check(`${name}: one secret, approved, with its line in the log`, () => getOneSecret(user));
}

/** One line on stderr and exit status 1, whatever the launcher was asked for; never a crash or a stack. */
async function checkOld({ tools, tarball }) {
  const project = fresh("old");
  await tools.npm("22", "10").npm(["install", tarball], { cwd: project });
  assert.equal(sqliteOf(join(project, "node_modules")).split(".")[0], "13");
  const launcher = join(project, "node_modules", "agent-vault", "dist", "agent-vault.js");
  const refuses = (line, why) => {
    const { exe, version: nodeVersion } = tools.node(line);
    return check(`Node ${nodeVersion} is refused in one line`, () => {
      for (const args of [[], ["--version"]]) {
        const { status, signal, stdout, stderr } = spawnSync(exe, [launcher, ...args], { input: "", encoding: "utf8" });
        assert.deepEqual({ status, signal, stdout }, { status: 1, signal: null, stdout: "" });
        assert.match(stderr, why);
        assert.ok(stderr.includes(nodeVersion));
      }
    });
  };
  for (const line of TOO_OLD) await refuses(line, /^agent-vault: Node \S+ is too old: install .+\n$/);
  for (const line of WITHOUT_13) await refuses(line, /^agent-vault: better-sqlite3 13\S+ cannot run on Node .+\n$/);
}

/** An npm told to run no install scripts leaves Node 20 without the binary; the line in the answer mends it. */
async function checkBlocked({ tools, tarball }) {
  const project = fresh("blocked");
  const bin = join(project, "node_modules", ".bin", "agent-vault");
  const mends = async (line, name, user, prepare) => {
    const { version: nodeVersion } = tools.node(line);
    const { npm } = tools.npm(line, "10");
    const elsewhere = { cwd: folder, env: { npm_config_ignore_scripts: "true" } };
    const remedy = await check(`Node ${nodeVersion} with ${name}: audit_unavailable and what to type`, async () => {
      await prepare?.(npm);
      assert.equal(await runProgram(user, ["--version"]), version);
      return getRefused(user);
    });
    await check(`Node ${nodeVersion} with ${name}: npm ${remedy?.join(" ")} mends it`, async () => {
      await npm(remedy, elsewhere);
      await getOneSecret(user);
    });
  };
  const user = makeUser({ folder, bin, node: tools.node("20") });
  await mends("20", "install scripts blocked", user, (npm) =>
    npm(["install", "--ignore-scripts", tarball], { cwd: project }),
  );
  const other = makeUser({ folder, bin, node: tools.node("21") });
  await mends("21", "a binary built for Node 20", other);
}

function sqliteOf(modules) {
  return JSON.parse(readFileSync(resolve(modules, "better-sqlite3", "package.json"), "utf8")).version;
}

function kB(bytes) {
  return `${(bytes / 1_000).toFixed(0)} kB`;
}
