import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { builtinModules } from "node:module";
import { homedir, hostname, tmpdir } from "node:os";
import { join, posix } from "node:path";
import { build, transform } from "esbuild";
import { publint } from "publint";
import { afterAll, describe, expect, it } from "vitest";
import { packAside } from "./packed.ts";

const packed = packAside();
afterAll(packed.remove);

const { files, read } = packed;
const paths = files.map(({ path }) => path);
const scripts = paths.filter((path) => path.endsWith(".js"));
const manifest = JSON.parse(read("package.json")) as { version: string; dependencies: Record<string, string> };

const BESIDE_THE_CHUNKS = [
  "CHANGELOG.md",
  "LICENSE",
  "README.md",
  "SECURITY.md",
  "agent-vault.config.example.json",
  "agent-vault.config.schema.json",
  "dist/THIRD-PARTY-NOTICES.txt",
  "dist/agent-vault.js",
  "dist/main.js",
  "dist/main.js.map",
  "docs/other-user.md",
  "docs/other-user.sh",
  "package.json",
];
const CHUNK = /^dist\/chunks\/[\w-]+-[A-Z0-9]{8}\.js(\.map)?$/;
/** Licences under which a library may be in the bundle. */
const LICENCES = ["0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BlueOak-1.0.0", "ISC", "MIT"];
const STARTUP_BYTES = 480_000;

describe("the package", () => {
  it("ships the program, its documents and nothing else", () => {
    console.log(`package: ${packed.size} bytes packed, ${packed.unpackedSize} bytes in ${files.length} files`);
    expect(paths.filter((path) => !CHUNK.test(path)).toSorted()).toEqual(BESIDE_THE_CHUNKS);
    for (const { path, size } of files) expect(size, `size of ${path}`).toBeGreaterThan(0);
  });

  it("has a program that can be executed", () => {
    const launcher = files.find(({ path }) => path === "dist/agent-vault.js");
    expect((launcher?.mode ?? 0) & 0o111).toBe(0o111);
    expect(read("dist/agent-vault.js").split("\n")[0]).toBe("#!/usr/bin/env node");
  });

  it("has a launcher that an old Node can parse", async () => {
    const launcher = read("dist/agent-vault.js");
    expect(await needsMoreThan2018(launcher)).toBe(false);
    expect(await needsMoreThan2018(`${launcher}\nconst later = process.versions?.node ?? "";`)).toBe(true);
  });

  it("needs nothing but its dependencies and Node", async () => {
    const allowed = [...Object.keys(manifest.dependencies), ...builtinModules];
    expect((await externals()).filter((name) => !allowed.includes(name))).toEqual([]);
    // Whatever is declared is asked for somewhere, if only by name.
    const all = scripts.map(read).join("\n");
    for (const name of Object.keys(manifest.dependencies)) expect(all).toContain(`"${name}"`);
  });

  it("starts where no package is installed", () => {
    const elsewhere = mkdtempSync(join(tmpdir(), "agent-vault-alone-"));
    try {
      cpSync(packed.folder, elsewhere, { recursive: true });
      const program = join(elsewhere, "dist", "agent-vault.js");
      expect(execFileSync(process.execPath, [program, "--version"], { encoding: "utf8" })).toBe(
        `${manifest.version}\n`,
      );
      const help = execFileSync(process.execPath, [program, "--help"], { encoding: "utf8" });
      expect(help).toContain("doctor");
    } finally {
      rmSync(elsewhere, { recursive: true });
    }
  });

  it("loads little at a start, and no validator it does not use", () => {
    const startup = loadedAtStart();
    const bytes = startup.reduce((sum, path) => sum + (files.find((file) => file.path === path)?.size ?? 0), 0);
    console.log(`package: a start loads ${bytes} bytes in ${startup.length} files`);
    expect(bytes).toBeLessThan(STARTUP_BYTES);
    expect(bytes).toBeGreaterThan(100_000);
    const libraries = startup.flatMap((path) => librariesIn(path));
    expect(libraries).toContain("zod");
    for (const name of ["ajv", "express", "dotenv", "jsonc-parser", "iconv-lite"])
      expect(libraries).not.toContain(name);
  });

  it("names every library in it, with a licence we may pass on and its text", () => {
    const notices = read("dist/THIRD-PARTY-NOTICES.txt").split(/^-{78}$/m);
    const named = notices.map((notice, at) => {
      const heading = /^(\S+) \S+ \(([^)]+)\)\n\n([\s\S]+)/.exec(
        (at === 0 ? notice.slice(notice.indexOf("\n")) : notice).trim(),
      );
      const [, name = "", licence = "", text = ""] = heading ?? [];
      expect(LICENCES, `licence of ${name}`).toContain(licence);
      expect(text, `text for ${name}`).toMatch(/copyright|permission/i);
      return name;
    });
    const contained = new Set(scripts.flatMap((path) => librariesIn(path)));
    expect(contained.size).toBeGreaterThan(20);
    expect([...contained].filter((name) => !named.includes(name))).toEqual([]);
  });

  it("tells nothing of the machine it was built on", () => {
    for (const path of paths) {
      const text = read(path);
      for (const trace of [process.cwd(), homedir(), `/${hostname()}`, `@${hostname()}`])
        expect(text.includes(`${trace}/`) || text.includes(`"${trace}`), `${path} holds ${trace}`).toBe(false);
      expect(/"(?:sources|file)":\[?"(?:\/|file:|[A-Z]:)/.exec(text)?.[0], `map ${path}`).toBeUndefined();
    }
  });

  it("is what publint expects of a package", async () => {
    const { messages } = await publint({ pkgDir: packed.folder, pack: false, strict: true });
    expect(messages).toEqual([]);
  });
});

/** Whether a script uses syntax younger than ES2018, besides import() and import.meta. */
async function needsMoreThan2018(code: string): Promise<boolean> {
  const supported = { "dynamic-import": true, "import-meta": true };
  const [old, now] = await Promise.all([
    transform(code, { target: "es2018", supported }),
    transform(code, { target: "esnext" }),
  ]);
  return old.code !== now.code;
}

/** The packages and built-in modules that some script asks for, by their bare names. */
async function externals(): Promise<string[]> {
  const { metafile } = await build({
    entryPoints: ["dist/agent-vault.js", "dist/main.js"],
    absWorkingDir: join(process.cwd(), packed.folder),
    bundle: true,
    packages: "external",
    format: "esm",
    platform: "node",
    outdir: "unused",
    write: false,
    metafile: true,
    logLevel: "silent",
  });
  const names = Object.values(metafile.inputs)
    .flatMap(({ imports }) => imports)
    .filter(({ external }) => external === true)
    .map(({ path }) => path.replace(/^node:/, ""));
  return [...new Set(names)].toSorted();
}

/** What is read before the answer to `initialize`: main, app and what they import in turn, not what comes lazily. */
function loadedAtStart(): string[] {
  const app = scripts.find((path) => /\/app-[A-Z0-9]{8}\.js$/.test(path)) ?? "no app chunk";
  // The one thing the composition fetches before it has anything to serve.
  const [, mcp = "no mcp chunk"] = /serveMcp\b[^;]*?import\("\.\/([^"]+)"\)/.exec(read(app)) ?? [];
  const found = new Set<string>(["dist/agent-vault.js"]);
  const waiting = ["dist/main.js", app, posix.join(posix.dirname(app), mcp)];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (found.has(path)) continue;
    found.add(path);
    const here = posix.dirname(path);
    for (const [, target = ""] of read(path).matchAll(/^(?:import|export)\b[^;]*?["'](\.[^"']+)["'];/gm))
      waiting.push(posix.join(here, target));
  }
  return [...found];
}

/** The libraries that a script's source map says it was made from. */
function librariesIn(path: string): string[] {
  if (!paths.includes(`${path}.map`)) return [];
  const { sources } = JSON.parse(read(`${path}.map`)) as { sources: string[] };
  return sources.flatMap((source) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(source)?.[1] ?? []);
}
