import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, it, onTestFinished } from "vitest";
import { makeFolder } from "../config/folder.ts";
import { buildPatched, type Plant } from "../support/patched.ts";

const PROGRAM = join(process.cwd(), "dist/agent-vault.js");

/** What the program says of a 12Port server that answers like this, and of an env file beside it. */
async function doctor(answer: RequestListener, program = PROGRAM): Promise<{ status: number; out: string }> {
  const server = createServer(answer).listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const folder = makeFolder();
  const pam = { type: "12port", server: `http://127.0.0.1:${port}`, tenant: "acme", token: "env:PAM_4711" };
  folder.write("agent-vault.config.json", JSON.stringify({ vaults: { pam, dev: {} } }));
  folder.write(".env.secrets", "A=hunter2-4712\n", 0o600);
  const child = spawn(process.execPath, [program, "doctor"], {
    cwd: folder.cwd,
    env: { HOME: folder.home, USERPROFILE: folder.home, PATH: process.env["PATH"], PAM_4711: "hunter2-4711" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [out, [status]] = await Promise.all([text(child.stdout), once(child, "exit") as Promise<[number]>]);
  return { status, out };
}

const outOfOrder =
  (status: number): RequestListener =>
  (_, response) =>
    void response.writeHead(status).end();

describe("doctor, run as people run it", () => {
  it.each<[string, RequestListener, RegExp]>([
    ["answers 503", outOfOrder(503), /is out of order \(status 503\)/],
    ["answers 502", outOfOrder(502), /is out of order \(status 502\)/],
    ["breaks the connection off", (request) => void request.socket.destroy(), /broke the connection off/],
  ])("says so when a server %s, and still looks at the other vaults", async (_, answer, words) => {
    const { status, out } = await doctor(answer);
    expect(out).toMatch(new RegExp(`FAILED {2}vault pam: .*${words.source}.*\\(provider_unavailable\\)\\n {12}\\S`));
    expect(out).toMatch(/ok {6}vault dev: .*: 1 name\n/);
    expect(out).toContain("What protects you here");
    expect(out).not.toContain("hunter2");
    expect(status).toBe(1);
  });

  it("would say nothing if nobody kept the process, and even then not that all is well", async () => {
    const forgets: Plant = {
      file: "src/cli/deadline.ts",
      from: "setTimeout(() => ending.abort(), ms)",
      to: "setTimeout(() => ending.abort(), ms).unref()",
    };
    const twin = await buildPatched("src/main.ts", [forgets]);
    onTestFinished(twin.remove);
    expect(await doctor(outOfOrder(503), twin.file)).toEqual({ status: 1, out: "" });
    const careless: Plant = { file: "src/main.ts", from: "process.exitCode = 1;\n  try", to: "try" };
    const other = await buildPatched("src/main.ts", [forgets, careless]);
    onTestFinished(other.remove);
    expect(await doctor(outOfOrder(503), other.file)).toEqual({ status: 0, out: "" });
  });
});
