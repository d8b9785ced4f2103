import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it, onTestFinished } from "vitest";
import { PROGRAM } from "../support/agent.ts";
import { world } from "../support/begin.ts";
import { buildPatched } from "../support/patched.ts";

/** The size a core dump may have once secrets were listed, and the most it may be allowed to have, in a session that permits any size. */
async function limitOf(program: string): Promise<string | undefined> {
  const made = world();
  const script = 'ulimit -S -c "$(ulimit -H -c)"; exec "$0" "$1"';
  const child = spawn("/bin/sh", ["-c", script, process.execPath, program], { cwd: made.project, env: made.env });
  onTestFinished(() => void child.kill("SIGKILL"));
  const limit = (): string | undefined =>
    /^Max core file size +(\S+ +\S+)/m.exec(readFileSync(`/proc/${child.pid}/limits`, "utf8"))?.[1];
  let out = "";
  child.stdout.setEncoding("utf8");
  const answer = async (id: number): Promise<void> => {
    while (!out.includes(`"id":${id}`)) out += String((await once(child.stdout, "data"))[0]);
  };
  const ask = (id: number, method: string, params: object): void =>
    void child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", id, method, params })}\n`);
  ask(1, "initialize", { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "c", version: "1" } });
  await answer(1);
  const before = limit();
  ask(2, "tools/call", { name: "list_secrets", arguments: {} });
  await answer(2);
  return before === limit() ? undefined : limit();
}

describe.runIf(process.platform === "linux" && existsSync("/usr/bin/prlimit"))("a crash", () => {
  it("leaves no memory on disk once a vault was opened, not even by way of a program that collects dumps", async () => {
    // 0 would stop files alone: see core(5) and the kernel's fs/coredump.c.
    expect((await limitOf(PROGRAM))?.split(/ +/)).toEqual(["1", "1"]);
  });

  it("could be brought to leave it by a program of the same user if the limit were not for good", async () => {
    const twin = await buildPatched("src/main.ts", [
      { file: "src/isolation/core-dumps.ts", from: "`--core=${NO_DUMP}:${NO_DUMP}`", to: "`--core=${NO_DUMP}:`" },
    ]);
    onTestFinished(twin.remove);
    expect((await limitOf(twin.file))?.split(/ +/)[1]).not.toBe("1");
  });

  it("would leave it if nobody cared", async () => {
    const twin = await buildPatched("src/main.ts", [
      { file: "src/isolation/core-dumps.ts", from: 'process.platform !== "linux"', to: "true" },
    ]);
    onTestFinished(twin.remove);
    expect(await limitOf(twin.file)).toBeUndefined();
  });
});
