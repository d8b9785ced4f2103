// The licences of the libraries inside the bundle, gathered from where they were installed.
import { existsSync, readdirSync, readFileSync } from "node:fs";

export function notices(metafile) {
  const folders = new Set();
  for (const input of Object.keys(metafile.inputs)) {
    const match = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input);
    if (match) folders.add(match[1]);
  }
  const parts = [...folders].sort().map((folder) => {
    const pkg = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
    const file = readdirSync(folder).find((name) => /^licen[cs]e/i.test(name));
    const text =
      file && existsSync(`${folder}/${file}`)
        ? readFileSync(`${folder}/${file}`, "utf8").trim()
        : `Licence: ${pkg.license}`;
    return `${pkg.name} ${pkg.version} (${pkg.license})\n\n${text}\n`;
  });
  return `agent-vault contains the following libraries.\n\n${parts.join(`\n${"-".repeat(78)}\n\n`)}`;
}
