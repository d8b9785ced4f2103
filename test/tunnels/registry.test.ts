import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { inspect, promisify } from "node:util";
import { build } from "esbuild";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findTunnel, tunnels } from "../../src/tunnels/registry.ts";
import { FakeClock } from "../support/fake-clock.ts";

const clock = new FakeClock();

describe("the tunnels", () => {
  it("are these, and nothing else is found", () => {
    expect(tunnels.map(({ type }) => type)).toEqual(["ngrok", "none"]);
    expect(findTunnel("ngrok")).toBe(tunnels[0]);
    expect(findTunnel("toString")).toBeUndefined();
  });

  it("describe each of their options", () => {
    for (const { options } of tunnels) {
      for (const field of Object.values(options.shape)) expect(field.description).toMatch(/^[A-Z].{20,}/);
    }
  });

  it("leave the page on this machine with none", () => {
    expect(findTunnel("none")?.open({ type: "none" }, { clock })).toBeUndefined();
  });

  const refused: [string, Record<string, unknown>][] = [
    ["an empty token", { authToken: "" }],
    ["a token with a line break in it", { authToken: "hunter2\nhunter2" }],
    ["a variable that is not set", { authToken: "env:NGROK_AUTHTOKEN" }],
    ["a domain with a scheme", { domain: "https://hunter2.example" }],
    ["a domain with a path", { domain: "hunter2.example/x" }],
    ["a domain with a port", { domain: "hunter2.example:443" }],
    ["a domain without a dot", { domain: "hunter2" }],
    ["a word it does not know", { region: "hunter2" }],
  ];
  it.each(refused)("refuse %s without repeating it", (_, options) => {
    let thrown: unknown;
    try {
      findTunnel("ngrok")?.open(options, { clock });
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ code: "config_invalid" });
    expect(inspect(thrown, { depth: Infinity, showHidden: true })).not.toContain("hunter2");
  });

  it("keep the token from being printed", () => {
    const tunnel = findTunnel("ngrok")?.open({ authToken: " hunter2-4711\n", domain: "av.ngrok-free.app" }, { clock });
    expect(tunnel?.name).toBe("ngrok");
    expect(inspect(tunnel, { depth: Infinity, showHidden: true })).not.toContain("hunter2");
  });
});

describe("ngrok's native code", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "av-ngrok-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("is loaded by the first open and by nothing before it", async () => {
    await build({
      entryPoints: [resolve(import.meta.dirname, "../../src/tunnels/registry.ts")],
      outfile: join(folder, "registry.mjs"),
      bundle: true,
      format: "esm",
      platform: "node",
      external: ["@ngrok/ngrok"],
    });
    // The real package, except that it looks for ngrok where nothing listens.
    const real = createRequire(import.meta.url).resolve("@ngrok/ngrok");
    mkdirSync(join(folder, "node_modules/@ngrok/ngrok"), { recursive: true });
    writeFileSync(
      join(folder, "node_modules/@ngrok/ngrok/index.js"),
      `const real = require(${JSON.stringify(real)});
       exports.SessionBuilder = function () { return new real.SessionBuilder().serverAddr("127.0.0.1:9"); };`,
    );
    writeFileSync(
      join(folder, "main.mjs"),
      `import { findTunnel } from "./registry.mjs";
       const loaded = () => process.report.getReport().sharedObjects.some((path) => /ngrok[^/\\\\]*\\.node$/.test(path));
       const clock = { now: Date.now, mono: () => performance.now(), after: (ms, run) => { const t = setTimeout(run, ms); return () => clearTimeout(t); } };
       const tunnel = findTunnel("ngrok").open({ authToken: "hunter2-4711" }, { clock });
       const before = loaded();
       const failed = await tunnel.open(9, () => {}, new AbortController().signal).catch((error) => error.message);
       console.log(JSON.stringify([before, loaded(), failed]));`,
    );
    const { stdout } = await promisify(execFile)(process.execPath, [join(folder, "main.mjs")]);
    expect(JSON.parse(stdout)).toEqual([false, true, "ngrok cannot be reached from this computer"]);
  });
});
