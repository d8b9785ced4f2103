// `npm run bench`: measures the built program beside a bare SDK server and prints a table. Figures never fail the run,
// only what does not work does.
//   --only NAME     one figure (may be repeated): start, call, rows, together, approve, memory, exit, pending, list
//   --quick         a few of everything: shows that it runs, measures nothing
//   --write         also writes docs/benchmarks.md
//   --program FILE  another build than dist/agent-vault.js
//   --profile DIR   leaves CPU profiles of our program there, for a browser's developer tools; slows what is measured
import { existsSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { report } from "./docs.mjs";
import { approve } from "./figures/approve.mjs";
import { call } from "./figures/call.mjs";
import { exit } from "./figures/exit.mjs";
import { list } from "./figures/list.mjs";
import { memory } from "./figures/memory.mjs";
import { pending } from "./figures/pending.mjs";
import { rows } from "./figures/rows.mjs";
import { start } from "./figures/start.mjs";
import { together } from "./figures/together.mjs";
import { openStreet } from "./house.mjs";
import { syncCost, watchNoise } from "./noise.mjs";
import { lookAway } from "./person.mjs";

const FIGURES = { start, call, rows, together, approve, memory, exit, pending, list };
const ROOT = fileURLToPath(new URL("..", import.meta.url));

const { values: options } = parseArgs({
  options: {
    only: { type: "string", multiple: true, default: [] },
    quick: { type: "boolean", default: false },
    write: { type: "boolean", default: false },
    program: { type: "string", default: resolve(ROOT, "dist/agent-vault.js") },
    profile: { type: "string" },
  },
});
const unknown = options.only.filter((name) => !Object.hasOwn(FIGURES, name));
if (unknown.length > 0) fail(`there is no figure ${unknown.join(", ")}; there are ${Object.keys(FIGURES).join(", ")}`);
if (options.write && (options.quick || options.profile !== undefined || options.only.length > 0))
  fail("--write needs the whole run, undisturbed");
const program = resolve(options.program);
if (!existsSync(program)) fail(`${options.program} is not built; run npm run build`);

const say = (line) => process.stderr.write(`${line}\n`);
const profiling = options.profile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${resolve(options.profile)}`];
const street = openStreet(program, profiling);
// A million events are not left behind.
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => void street.close().then(() => process.exit(1)));
const noise = watchNoise();
const pick = (full, quick) => (options.quick ? quick : full);
const table = [];
try {
  for (const [name, measure] of Object.entries(FIGURES)) {
    if (options.only.length > 0 && !options.only.includes(name)) continue;
    say(`${name} ...`);
    noise.listen();
    table.push(...(await measure({ street, pick, say })));
    noise.listen();
  }
  const text = report({ table, noise: noise.spread(), sync: syncCost(street.folder), quick: options.quick });
  process.stdout.write(`${text.run}\n`);
  if (options.write) writeFileSync(resolve(ROOT, "docs/benchmarks.md"), text.document);
} catch (error) {
  say(`the benchmark failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  process.exitCode = 1;
} finally {
  lookAway();
  await street.close();
}

function fail(message) {
  process.stderr.write(`bench: ${message}\n`);
  process.exit(2);
}
