// Bundles the program: our own code and the libraries in it become a few readable files with source maps, so that it
// starts fast and `npx` fetches little. What is native or loaded only by some stays a dependency.
import { build } from "esbuild";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { leftOut } from "./left-out.mjs";
import { notices } from "./notices.mjs";

const pkg = JSON.parse(readFileSync("package.json", "utf8"));
const { values } = parseArgs({ options: { clean: { type: "boolean" }, outdir: { type: "string", default: "dist" } } });
const { clean, outdir } = values;
// What a running program may still want to load stays; only a package begins from nothing.
if (clean) rmSync(outdir, { recursive: true, force: true });

const result = await build({
  entryPoints: { main: "src/main.ts" },
  outdir,
  chunkNames: "chunks/[name]-[hash]",
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20.19",
  sourcemap: true,
  sourcesContent: false,
  legalComments: "none",
  metafile: true,
  external: Object.keys(pkg.dependencies),
  // Its main file is UMD, which hides its own parts from a bundler; the module build beside it does not.
  alias: { "jsonc-parser": "jsonc-parser/lib/esm/main.js" },
  loader: { ".css": "text" },
  define: { __VERSION__: JSON.stringify(pkg.version) },
  // CommonJS libraries in the bundle (express and its parts) ask for Node's modules with require().
  banner: {
    js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
  },
  plugins: [leftOut],
});

// The launcher is kept apart and plain: it must parse on a Node far too old for the rest.
await build({
  entryPoints: ["src/agent-vault.ts"],
  outdir,
  format: "esm",
  platform: "node",
  target: "es2018",
  supported: { "dynamic-import": true, "import-meta": true },
});
writeFileSync(
  join(outdir, "THIRD-PARTY-NOTICES.txt"),
  notices(result.metafile, ["node_modules/@simplewebauthn/browser"]),
);
