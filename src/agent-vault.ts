#!/usr/bin/env node
// The launcher. It holds nothing that an old Node could stumble over: it decides whether this Node can run the
// program, says so in one line if not, and otherwise hands over.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
const problem = unfit();
if (problem === undefined) void import(new URL("main.js", import.meta.url).href);
else {
  process.stderr.write("agent-vault: " + problem + "\n");
  process.exitCode = 1;
}

function unfit(): string | undefined {
  if (major < 20 || (major === 20 && minor < 19)) {
    return "Node " + process.versions.node + " is too old; install Node 22.14 or newer (20.19 still works)";
  }
  // better-sqlite3 13 ends the process without a word on a Node older than 22.14.
  if ((major < 22 || (major === 22 && minor < 14)) && sqliteMajor() >= 13) {
    return (
      "the installed better-sqlite3 needs Node 22.14 or newer and this is " +
      process.versions.node +
      "; update Node, or install agent-vault again with this one"
    );
  }
  return undefined;
}

function sqliteMajor(): number {
  try {
    const file = createRequire(import.meta.url).resolve("better-sqlite3/package.json");
    return Number((JSON.parse(readFileSync(file, "utf8")) as { version: string }).version.split(".")[0]);
  } catch {
    // Not installed at all: the program says so where it needs it.
    return 0;
  }
}
