import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { PROGRAM } from "../support/agent.ts";
import { world } from "../support/begin.ts";
import { buildPatched } from "../support/patched.ts";

const OPENS = /Debugger listening on/;

interface Served {
  readonly child: ChildProcessWithoutNullStreams;
  readonly stderr: () => string;
  /** Sends a message and resolves with the answer to it. */
  readonly ask: (method: string, params?: object) => Promise<{ result?: unknown }>;
}

/** The program, spoken to over stdio. Where Node would open its inspector, it would choose a port of its own. */
async function serve(program: string): Promise<Served> {
  const made = world();
  const child = spawn(process.execPath, ["--debug-port=127.0.0.1:0", program], { cwd: made.project, env: made.env });
  onTestFinished(() => void child.kill("SIGKILL"));
  let [said, answers] = ["", ""];
  child.stderr.setEncoding("utf8").on("data", (text: string) => void (said += text));
  child.stdout.setEncoding("utf8");
  let id = 0;
  const ask: Served["ask"] = async (method, params = {}) => {
    child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", id: ++id, method, params })}\n`);
    for (;;) {
      const line = answers.split("\n").find((one) => one.includes(`"id":${id}`) && one.endsWith("}"));
      if (line !== undefined) return JSON.parse(line) as { result?: unknown };
      const [text] = (await once(child.stdout, "data")) as [string];
      answers += text;
    }
  };
  await ask("initialize", {
    protocolVersion: "2025-06-18",
    capabilities: {},
    clientInfo: { name: "signal", version: "1" },
  });
  return { child, stderr: () => said, ask };
}

/** Sends the signal, then has the program work for a while, and says what of a debugger is there. */
async function signalled(program: string): Promise<{ listening: boolean; said: boolean; works: boolean }> {
  const { child, stderr, ask } = await serve(program);
  child.kill("SIGUSR1");
  const { result } = await ask("tools/call", { name: "list_secrets", arguments: {} });
  // Whoever opens the inspector says so, on a thread of its own; a few answers later at the latest.
  for (let i = 0; i < 20 && !OPENS.test(stderr()); i++) await ask("tools/list");
  return {
    listening: isListening(child.pid ?? 0),
    said: OPENS.test(stderr()),
    works: JSON.stringify(result).includes("DATABASE_URL"),
  };
}

/** Whether a process has a TCP port open for whoever comes. */
function isListening(pid: number): boolean {
  const sockets = readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
    } catch {
      return []; // Closed since.
    }
  });
  const rows = ["tcp", "tcp6"].flatMap((name) => readFileSync(`/proc/${pid}/net/${name}`, "utf8").split("\n"));
  return rows.some((row) => {
    const [, , , state, , , , , , inode = ""] = row.trim().split(/\s+/);
    return state === "0A" && sockets.includes(inode);
  });
}

describe.runIf(process.platform === "linux")("the signal that opens Node's inspector", () => {
  it("opens nothing in the program, which goes on working", async () => {
    expect(await signalled(PROGRAM)).toEqual({ listening: false, said: false, works: true });
  });

  it("opens it where no handler takes its place", async () => {
    const twin = await buildPatched("src/agent-vault.ts", [
      { file: "src/agent-vault.ts", from: 'process.on("SIGUSR1", () => {});', to: "" },
    ]);
    onTestFinished(twin.remove);
    const main = pathToFileURL(join(dirname(PROGRAM), "main.js")).href;
    writeFileSync(join(dirname(twin.file), "main.js"), `import ${JSON.stringify(main)};`);
    writeFileSync(join(dirname(twin.file), "package.json"), '{"type":"module"}');
    expect(await signalled(twin.file)).toEqual({ listening: true, said: true, works: true });
  });

  it("keeps no program from ending", async () => {
    const { child } = await serve(PROGRAM);
    child.stdin.end();
    expect(await once(child, "exit")).toEqual([0, null]);
  });
});
