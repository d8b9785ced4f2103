#!/usr/bin/env node
// The launcher. It holds nothing that an old Node could stumble over: it decides whether this Node can run the
// program, and whether it was started in a way that lets others look into it, says so in one line if not, and otherwise
// hands over.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

// Node opens its inspector for whoever sends this signal, and with it everything this process holds. A handler of our
// own takes its place; before anything else, because until then the door is open. It keeps no process alive.
process.on("SIGUSR1", () => {});

/** Options of Node that load code, or a file with further options, or native code. */
const LOADS = [
  ..."-r --require --import --loader --experimental-loader --snapshot-blob --env-file --env-file-if-exists".split(" "),
  ..."--experimental-config-file --experimental-default-config-file --openssl-config --experimental-policy".split(" "),
];
/** Options of Node with which memory, the environment, or connections or their keys are written down. */
const WRITES = [
  ..."--heapsnapshot-signal --heapsnapshot-near-heap-limit --abort-on-uncaught-exception --tls-keylog".split(" "),
  ..."--report-on-signal --report-on-fatalerror --report-uncaught-exception --trace-tls".split(" "),
];
/** Variables with which Node does the like, and what it does. */
const VARIABLES = new Map([
  // It shows the arguments of the programs that are started: the link, for one, as the browser gets it.
  ["NODE_DEBUG", "makes Node write to standard error what agent-vault keeps secret"],
  ["NODE_DEBUG_NATIVE", "makes Node write to standard error what agent-vault keeps secret"],
  ["OPENSSL_CONF", "can load other code into agent-vault"],
]);
/** It sets NODE_OPTIONS in the terminals it opens. */
const DEBUGGER = " (the debugger of VS Code sets it, for one)";

const { node, napi } = process.versions;
const problem = unfit() ?? exposed();
if (problem === undefined) {
  // A report of a crash would list the variables of the environment, tokens among them. Nodes that cannot leave them
  // out take no notice of this.
  if (process.report) Object.assign(process.report, { excludeEnv: true });
  void import(new URL("main.js", import.meta.url).href);
} else {
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

/**
 * What lets others into this process. NODE_OPTIONS comes along with the environment, unseen; what stands in the command
 * itself was put there by somebody who could have named any other program, so there only what is left on by mistake
 * counts. Whoever gets code loaded can also undo this check: it is against tools and accidents.
 */
function exposed(): string | undefined {
  for (const option of wordsIn(process.env["NODE_OPTIONS"] || "").map(nameOf)) {
    const harm = LOADS.includes(option) ? "loads other code into agent-vault" : harmOf(option);
    if (harm !== undefined)
      return "NODE_OPTIONS has " + option + ", which " + harm + ": " + without("NODE_OPTIONS", DEBUGGER);
  }
  for (const [name, harm] of VARIABLES) {
    if (process.env[name]) return name + " is set, which " + harm + ": " + without(name);
  }
  for (const option of process.execArgv.map(nameOf)) {
    const harm = harmOf(option);
    if (harm !== undefined) return "it was started with node " + option + ", which " + harm + ": leave that out";
  }
  return inspectorUrl() === undefined ? undefined : "Node's inspector is open in this process: start it without";
}

/** Clients hand on what they were started with. */
function without(name: string, why = ""): string {
  const inTerminal = 'in a terminal as "' + name + '= agent-vault ..."';
  return (
    "start it without, " + inTerminal + ', in the configuration of a client with "env": { "' + name + '": "" }' + why
  );
}

function harmOf(option: string): string | undefined {
  if (option.startsWith("--inspect")) return "opens agent-vault to a debugger";
  return WRITES.includes(option) ? "can write down what agent-vault keeps secret" : undefined;
}

/** The option without its value, spelled as the documentation does: Node takes "_" for "-". */
function nameOf(word: string): string {
  const name = word.split("=", 1)[0] || "";
  return name.startsWith("--") ? name.replace(/_/g, "-") : name;
}

/** The words of NODE_OPTIONS, as Node takes them apart: between double quotes a space is one, and "\\" hides what follows. */
function wordsIn(text: string): string[] {
  const words = [""];
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const char = text.charAt(i);
    if (char === '"') quoted = !quoted;
    else if (char === " " && !quoted) words.push("");
    else words.push((words.pop() || "") + (char === "\\" && quoted ? text.charAt(++i) : char));
  }
  return words;
}

function inspectorUrl(): string | undefined {
  try {
    const inspector: { url: () => string | undefined } = createRequire(import.meta.url)("node:inspector");
    return inspector.url();
  } catch {
    return undefined; // This Node was built without one.
  }
}
