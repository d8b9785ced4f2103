import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "agent-vault-facts-"));
  const contents = `import { observe } from ${JSON.stringify(fileURLToPath(new URL("../../src/mcp/facts.ts", import.meta.url)))};
    console.log(JSON.stringify(await observe("/home/maria/shop")));`;
  await build({
    stdin: { contents, resolveDir: folder },
    outfile: join(folder, "observe.mjs"),
    bundle: true,
    format: "esm",
    platform: "node",
  });
  // A client written for Node, which starts its servers through a shell; what it was called with is nobody's business.
  writeFileSync(
    join(folder, "some-agent.js"),
    `require("node:child_process").spawn("sh", ["-c", process.argv[2] + "; exit"], { stdio: "inherit" });`,
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function run(command: string, args: readonly string[]): Promise<Record<string, unknown>> {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
  let out = "";
  for await (const chunk of child.stdout) out += String(chunk);
  return JSON.parse(out) as Record<string, unknown>;
}

describe("what we see ourselves of who asks", () => {
  it("is the user, the host and the folder", async () => {
    expect(await run(process.execPath, [join(folder, "observe.mjs")])).toMatchObject({
      user: userInfo().username,
      host: hostname(),
      folder: "/home/maria/shop",
    });
  });

  it.skipIf(process.platform === "win32")(
    "is the name, never the arguments, of the program that started us, past shells and runners",
    async () => {
      const observe = `${process.execPath} ${join(folder, "observe.mjs")}`;
      const seen = await run(process.execPath, [
        join(folder, "some-agent.js"),
        `sh -c '${observe}; true'`,
        "--token=hunter2-4711",
      ]);
      expect(seen["process"]).toBe("some-agent");
      expect(JSON.stringify(seen)).not.toContain("hunter2");
    },
  );
});
