#!/usr/bin/env node
// The launcher. It holds nothing that an old Node could stumble over: it decides whether this Node can run the
// program, says so in one line if not, and otherwise hands over.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const { node, napi } = process.versions;
const problem = unfit();
if (problem === undefined) void import(new URL("main.js", import.meta.url).href);
else {
  process.stderr.write("agent-vault: " + problem + "\n");
  process.exitCode = 1;
}

function unfit(): string | undefined {
  const [major = 0, minor = 0] = node.split(".").map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    return "Node " + node + " is too old: install Node 24 (20.19 or newer works)";
  }
  // better-sqlite3 13 is built for Node-API 10, which came with Node 22.14 and 23.6, and ends the process without a
  // word on an earlier one, whatever its package.json says (WiseLibs/better-sqlite3#1514).
  const sqlite = sqliteVersion();
  if (Number(sqlite.split(".")[0]) >= 13 && Number(napi) < 10) {
    // On Node 20, npm picks better-sqlite3 12; it is here because another Node did the installing.
    const or = major === 20 ? ", or install agent-vault anew with this Node" : "";
    return "better-sqlite3 " + sqlite + " cannot run on Node " + node + ": install Node 24 (22.14 or newer works)" + or;
  }
  return undefined;
}

function sqliteVersion(): string {
  try {
    const file = createRequire(import.meta.url).resolve("better-sqlite3/package.json");
    const manifest: { version: string } = JSON.parse(readFileSync(file, "utf8"));
    return manifest.version;
  } catch {
    // Not installed at all: the program says so where it needs it.
    return "0";
  }
}
