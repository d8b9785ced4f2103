import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { PROGRAM } from "../support/agent.ts";
import { buildPatched, type Plant } from "../support/patched.ts";

let folder: string;
let code: string;
let policy: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "agent-vault options "));
  code = join(folder, "code.cjs");
  policy = join(folder, "policy.json");
  writeFileSync(code, "");
  writeFileSync(policy, '{ "scopes": { "file:": { "integrity": true, "dependencies": true, "cascade": true } } }');
  writeFileSync(join(folder, "code.mjs"), "");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  /** What the program said; Node says things of its own when an inspector opens. */
  readonly said: string;
}

function start(
  nodeOptions: string,
  { program = PROGRAM, node = [], env = {} }: { program?: string; node?: string[]; env?: Record<string, string> } = {},
): Outcome {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...node, program, "--version"], {
    env: { PATH: process.env["PATH"], HOME: folder, ...(nodeOptions !== "" && { NODE_OPTIONS: nodeOptions }), ...env },
    cwd: folder,
    encoding: "utf8",
  });
  const said = stderr.split("\n").filter((line) => line.startsWith("agent-vault"));
  return { status, stdout, said: said.join("\n") };
}

const quoted = (path: string): string => JSON.stringify(path);
/** Options with which Node would load code, open its inspector, or write down what is kept secret. */
const BAD: readonly (readonly [string, () => string])[] = [
  ["--require", () => `--require ${quoted(code)}`],
  ["--require", () => `--require=${quoted(code)}`],
  ["-r", () => `-r ${quoted(code)}`],
  ["--require", () => `"--require" ${quoted(code)}`],
  // Node takes a word apart like this one as well.
  ["--require", () => `"--\\require" ${quoted(code)}`],
  ["--require", () => `--max-old-space-size=300 --re"quire" ${quoted(code)}`],
  ["--import", () => `--import ${pathToFileURL(join(folder, "code.mjs")).href}`],
  [
    "--experimental-loader",
    () => `--no-warnings --experimental-loader ${pathToFileURL(join(folder, "code.mjs")).href}`,
  ],
  ["--experimental-loader", () => `--experimental_loader ${pathToFileURL(join(folder, "code.mjs")).href}`],
  ["--loader", () => `--loader ${pathToFileURL(join(folder, "code.mjs")).href}`],
  ["--openssl-config", () => `--openssl-config=${quoted(code)}`],
  // Newer ones do not know it, and then end by themselves.
  ...(process.allowedNodeEnvironmentFlags.has("--experimental-policy")
    ? [["--experimental-policy", () => `--experimental-policy=${quoted(policy)}`] as const]
    : []),
  ["--inspect", () => "--inspect=127.0.0.1:0"],
  ["--inspect-port", () => "--inspect-port=0"],
  ["--heapsnapshot-signal", () => "--heapsnapshot-signal=SIGUSR2"],
  ["--heapsnapshot-signal", () => "--heapsnapshot_signal=SIGUSR2"],
  ["--report-on-signal", () => "--report-on-signal"],
  ["--abort-on-uncaught-exception", () => "--abort-on-uncaught-exception"],
  ["--trace-tls", () => "--trace-tls"],
  ["--tls-keylog", () => `--tls-keylog=${quoted(join(folder, "keys"))}`],
];

describe("NODE_OPTIONS", () => {
  it.each(BAD)(
    "with %s keeps the program from starting, with a line that says which and what to do",
    (option, options) => {
      const { status, stdout, said } = start(options());
      expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
      expect(said).toMatch(new RegExp(`^agent-vault: NODE_OPTIONS has ${option}, which `));
      expect(said).toContain('"env": { "NODE_OPTIONS": "" }');
      expect(said.split("\n")).toHaveLength(1);
    },
  );

  it.each([
    "",
    "--max-old-space-size=512",
    "--max_old_space_size=512 --enable-source-maps",
    "--use-openssl-ca --no-warnings --dns-result-order=ipv4first",
    "--title=inspect --trace-warnings",
    '--title "a --b c" --unhandled-rejections=strict',
    "--debug-port=0",
    "--max-http-header-size=65536 --tls-min-v1.2 --stack-trace-limit=50",
    "--diagnostic-dir=/tmp",
  ])("with %j is no obstacle", (options) => {
    expect(start(options)).toMatchObject({ status: 0, said: "" });
  });

  it.each<[string, number, Plant]>([
    ["it is not looked at", 0, { file: "src/agent-vault.ts", from: 'process.env["NODE_OPTIONS"] || ""', to: '""' }],
    [
      "quotes are taken as they stand",
      3,
      { file: "src/agent-vault.ts", from: "if (char === '\"') quoted = !quoted;", to: "if (false) quoted = !quoted;" },
    ],
    ["only one spelling counts", 8, { file: "src/agent-vault.ts", from: 'name.replace(/_/g, "-")', to: "name" }],
  ])("would let code in if %s", async (_, which, plant) => {
    const options = BAD[which]?.[1]() ?? "";
    expect(start(options).status).toBe(1);
    expect(start(options, { program: await launcherTwin([plant]) }).status).toBe(0);
  });
});

describe("the environment", () => {
  const SET: readonly [string, () => string][] = [
    ["NODE_DEBUG", () => "child_process"],
    ["NODE_DEBUG_NATIVE", () => "crypto"],
    ["OPENSSL_CONF", () => code],
  ];

  it.each(SET)("with %s keeps the program from starting, with a line that says what to do", (name, value) => {
    const { status, stdout, said } = start("", { env: { [name]: value() } });
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(said).toMatch(new RegExp(`^agent-vault: ${name} is set, which `));
    expect(said).toContain(`"env": { "${name}": "" }`);
    expect(start("", { env: { [name]: "" } })).toMatchObject({ status: 0, said: "" });
  });

  it("would show the link of a browser if nobody looked at it", async () => {
    const env = { NODE_DEBUG: "child_process" };
    const plant = { file: "src/agent-vault.ts", from: "if (process.env[name])", to: "if (false)" };
    expect(start("", { env, program: await launcherTwin([plant]) }).status).toBe(0);
  });
});

/** A launcher with a bug planted in it, before the program as it is. */
async function launcherTwin(plants: readonly Plant[]): Promise<string> {
  const twin = await buildPatched("src/agent-vault.ts", plants);
  onTestFinished(twin.remove);
  const main = pathToFileURL(join(dirname(PROGRAM), "main.js")).href;
  writeFileSync(join(dirname(twin.file), "main.js"), `import ${JSON.stringify(main)};`);
  writeFileSync(join(dirname(twin.file), "package.json"), '{"type":"module"}');
  return twin.file;
}

describe("the command line of Node", () => {
  it.each([
    ["--inspect", ["--inspect=127.0.0.1:0"]],
    ["--heapsnapshot-signal", ["--heapsnapshot-signal=SIGUSR2"]],
    ["--report-on-signal", ["--report-on-signal"]],
  ])("with %s keeps the program from starting", (option, node) => {
    const { status, stdout, said } = start("", { node });
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(said).toContain(`it was started with node ${option}, which `);
  });

  it("may load what it likes: whoever writes it could have named another program", () => {
    expect(start("", { node: ["--require", code] })).toMatchObject({ status: 0, said: "" });
  });

  it("does not hide an inspector that was opened in another way", () => {
    writeFileSync(join(folder, "opens.cjs"), 'require("node:inspector").open(0, "127.0.0.1");');
    const { status, said } = start("", { node: ["--require", join(folder, "opens.cjs")] });
    expect({ status, said }).toEqual({
      status: 1,
      said: "agent-vault: Node's inspector is open in this process: start it without",
    });
  });
});
