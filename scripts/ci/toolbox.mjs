// Brings other Nodes and other npms, as packages, into a folder of ours. Nothing of the machine changes.
import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const NODE_PACKAGE = `node-${process.platform}-${process.arch}`;

/** Installs the given lines ("22", "20.18") of Node and of npm. Resolves to `{ node(line), npm(nodeLine, npmLine) }`. */
export async function bringTools({ folder, nodes, npms }) {
  mkdirSync(folder);
  writeFileSync(join(folder, "package.json"), "{}");
  const packages = [
    ...nodes.map((line) => `node-${line}@npm:${NODE_PACKAGE}@${line}`),
    ...npms.map((line) => `npm-${line}@npm:npm@${line}`),
  ];
  await run("npm", ["install", "--no-audit", "--no-fund", ...packages], { cwd: folder, env: cleanEnv() });

  const placeOf = (name) => join(folder, "node_modules", name);
  const versionOf = (name) =>
    JSON.parse(readFileSync(join(placeOf(name), "package.json"), "utf8")).version.replace(/^v/, "");
  const node = (line) => {
    const home = placeOf(`node-${line}`);
    const bin = join(home, "bin");
    return { version: versionOf(`node-${line}`), home, bin, exe: join(bin, "node") };
  };
  return {
    node,
    /** An npm on a Node: `npm([...args], { cwd })` and `npx(...)` resolve to `{ stdout, stderr }`. */
    npm: (nodeLine, npmLine) => {
      const { exe, bin, home } = node(nodeLine);
      const on =
        (script) =>
        (args, { cwd, env = {} }) =>
          run(exe, [join(placeOf(`npm-${npmLine}`), "bin", script), ...args], {
            cwd,
            // The headers of this Node lie beside it, so that a compilation need not fetch them.
            env: { ...cleanEnv(), npm_config_nodedir: home, PATH: `${bin}${delimiter}${process.env.PATH}`, ...env },
            maxBuffer: 1 << 26,
          });
      return { version: versionOf(`npm-${npmLine}`), npm: on("npm-cli.js"), npx: on("npx-cli.js") };
    },
  };
}

/** Our environment without what an `npm run` around us put in; where packages come from stays as the machine has it. */
function cleanEnv() {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^npm_/i.test(name) || /^npm_config_(registry|cache|userconfig|globalconfig|cafile)$/i.test(name),
  );
  return Object.fromEntries(kept);
}
