// The licences of the libraries inside the bundle, gathered from where they were installed.
import { readdirSync, readFileSync } from "node:fs";

const RULE = "-".repeat(78);

/**
 * The text of THIRD-PARTY-NOTICES.txt for what esbuild's `metafile` says went in, and for the folders of what went in as
 * text. Throws where a licence has no text.
 */
export function notices(metafile, texts = []) {
  const folders = new Set([...texts, ...Object.keys(metafile.inputs).flatMap((input) => folderOf(input) ?? [])]);
  // Copies of one version at several places are one library.
  const parts = new Map([...folders].map(noticeOf));
  const sorted = [...parts.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, text]) => text);
  return `agent-vault contains the following libraries.\n\n${sorted.join(`\n${RULE}\n\n`)}`;
}

function folderOf(input) {
  return /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1];
}

function noticeOf(folder) {
  const { name, version, license } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  if (file === undefined) throw new Error(`${name} ${version} (${license}) comes without the text of its licence`);
  const text = readFileSync(`${folder}/${file}`, "utf8").trim();
  return [`${name} ${version}`, `${name} ${version} (${license})\n\n${text}\n`];
}
