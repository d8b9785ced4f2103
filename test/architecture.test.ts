import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";

const SRC = resolve(import.meta.dirname, "../src");
const files = readdirSync(SRC, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .map((name) => name.replaceAll("\\", "/"));

/** Which rooms a room may import from, besides itself. app.ts may import all; main.ts starts cli and app. */
const ROOMS: Record<string, readonly string[]> = {
  core: [],
  providers: ["core"],
  channels: ["core"],
  tunnels: ["core"],
  state: ["core"],
  audit: ["core", "state"],
  approvers: ["core"],
  isolation: ["core"],
  hub: ["core", "state"],
  mcp: ["core"],
  remote: ["core"],
  web: ["core"],
  config: ["core", "providers", "channels", "tunnels"],
  cli: ["config", "core", "app.ts"],
  "app.ts": [
    "core",
    "config",
    "providers",
    "channels",
    "tunnels",
    "state",
    "audit",
    "isolation",
    "hub",
    "mcp",
    "web",
    "cli",
    "house.ts",
    "enrol.ts",
    "ask.ts",
    "remote",
    "serve.ts",
    "connect.ts",
    "wall-clock.ts",
  ],
  "house.ts": [
    "core",
    "config",
    "providers",
    "channels",
    "tunnels",
    "state",
    "audit",
    "isolation",
    "approvers",
    "hub",
    "mcp",
    "web",
    "shared-door.ts",
    "approvers-watch.ts",
    "wall-clock.ts",
  ],
  "approvers-watch.ts": ["core", "config", "audit", "approvers"],
  // The page and the tunnel that all processes share, and what the commands about approvers do behind it.
  "shared-door.ts": ["core", "config", "state", "audit", "hub", "web"],
  "enrol.ts": ["core", "config", "state", "audit", "approvers", "cli", "shared-door.ts", "wall-clock.ts"],
  // One question of a command.
  "ask.ts": ["core", "config", "mcp", "cli", "house.ts", "wall-clock.ts"],
  // The broker for the clients of another user, and the shim that these start.
  "serve.ts": ["core", "config", "isolation", "mcp", "remote", "house.ts", "wall-clock.ts", "enrol.ts"],
  "connect.ts": ["core", "mcp", "remote", "wall-clock.ts"],
  "wall-clock.ts": ["core"],
  "main.ts": ["cli", "app.ts", "core"],
  "agent-vault.ts": [],
};

/** Packages with a single home. Everything native or large is imported lazily there. */
const HOMES: Record<string, readonly string[]> = {
  "@modelcontextprotocol/sdk": ["mcp/"],
  "@simplewebauthn/server": ["approvers/"],
  "@simplewebauthn/browser": ["web/"],
  uqr: ["cli/"],
  express: ["web/"],
  "escape-html": ["web/"],
  "better-sqlite3": ["state/"],
  "@ngrok/ngrok": ["tunnels/ngrok.ts"],
  "@1password/sdk": ["providers/onepassword/"],
  undici: ["providers/http.ts"],
  dotenv: ["providers/env/", "config/load.ts"],
  "jsonc-parser": ["config/"],
  zod: ["config/", "providers/", "channels/", "tunnels/", "hub/", "approvers/", "mcp/", "web/"],
};

/** The only places where a value comes out of its wrapping, and why. */
const REVEALS = [
  "mcp/reply.ts", // the approved answer to the agent
  "cli/get.ts", // the approved answer to whoever runs the command
  "providers/env/write.ts", // the approved value into the file
  "providers/http.ts", // a vault's token into the request's header
  "providers/onepassword/account.ts", // the service account's own token
  "providers/onepassword/plan.ts", // whether 1Password can hold the value
  "providers/onepassword/write.ts", // the approved value into the item
  "tunnels/ngrok.ts", // the tunnel's own token
  "channels/ntfy.ts", // the channel's own token
];

const HEAVY = [
  "express",
  "@simplewebauthn/server",
  "better-sqlite3",
  "@ngrok/ngrok",
  "@1password/sdk",
  "dotenv",
  "undici",
];

const roomOf = (file: string): string => file.split("/")[0] as string;
/** The code of a file, without its comments: those may name what the code may not do. */
const sourceOf = (file: string): string =>
  readFileSync(join(SRC, file), "utf8").replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");

interface Import {
  readonly from: string;
  readonly lazy: boolean;
  readonly typeOnly: boolean;
}

function importsOf(file: string): Import[] {
  const source = sourceOf(file);
  const fixed = [...source.matchAll(/^(?:import|export)\s+(type\s+)?(?:[^"';]*?\sfrom\s+)?"([^"]+)"/gm)].map((m) => ({
    from: m[2] as string,
    lazy: false,
    typeOnly: m[1] !== undefined,
  }));
  const lazy = [...source.matchAll(/\bimport\("([^"]+)"\)/g)].map((m) => ({
    from: m[1] as string,
    lazy: true,
    typeOnly: false,
  }));
  return [...fixed, ...lazy];
}

describe("the house", () => {
  it("has files to look at", () => {
    expect(files.length).toBeGreaterThan(8);
  });

  it.each(files)("%s imports only what its room may", (file) => {
    const room = roomOf(file);
    expect(Object.keys(ROOMS), `${room} is a room of the house`).toContain(room);
    for (const { from } of importsOf(file)) {
      if (!from.startsWith(".")) continue;
      const target = relative(SRC, resolve(dirname(join(SRC, file)), from)).replaceAll("\\", "/");
      const targetRoom = roomOf(target);
      if (targetRoom !== room) expect(ROOMS[room], `${file} imports ${target}`).toContain(targetRoom);
      if (room === "providers" && targetRoom === "providers") {
        const [, from_ = "", to = ""] = [room, file.split("/")[1], target.split("/")[1]];
        const shared = ["abort.ts", "define.ts", "registry.ts", "http.ts", "http-ca.ts", "http-faults.ts", "exec.ts"];
        if (from_ !== "registry.ts") expect([from_, ...shared], `${file} imports ${target}`).toContain(to);
      }
    }
  });

  it.each(files)("%s keeps every package in its home, and the heavy ones lazy", (file) => {
    for (const { from, lazy, typeOnly } of importsOf(file)) {
      if (from.startsWith(".")) continue;
      if (roomOf(file) === "core") {
        expect(["node:crypto"], `${file} imports ${from}`).toContain(from);
        continue;
      }
      if (from.startsWith("node:")) continue;
      const name = from
        .split("/")
        .slice(0, from.startsWith("@") ? 2 : 1)
        .join("/");
      expect(Object.keys(HOMES), `${name} has a home`).toContain(name);
      expect(
        HOMES[name]?.some((home) => file.startsWith(home)),
        `${file} imports ${name}`,
      ).toBe(true);
      if (HEAVY.includes(name) && !typeOnly && !file.startsWith("web/"))
        expect(lazy, `${file} loads ${name} lazily`).toBe(true);
    }
  });

  it("takes values out of their wrapping only where listed", () => {
    const revealing = files.filter((file) => file !== "core/secret.ts" && sourceOf(file).includes(".reveal("));
    expect(revealing.filter((file) => !REVEALS.includes(file))).toEqual([]);
  });

  it("reads the environment in one file and exits in one file", () => {
    const env = files.filter((file) => /process\.env\b/.test(sourceOf(file)));
    // The launcher looks at what Node itself takes from the environment, and at nothing else.
    expect(env.filter((file) => file !== "config/load.ts" && file !== "agent-vault.ts")).toEqual([]);
    const launcher = [...sourceOf("agent-vault.ts").matchAll(/process\.env\b(\S*)/g)].map(([, of]) => of);
    // The second is each name of its own short list.
    expect(launcher).toEqual([expect.stringMatching(/^\["NODE_OPTIONS"\]/), expect.stringMatching(/^\[name\]/)]);
    const exits = files.filter((file) => /process\.exit\(/.test(sourceOf(file)));
    expect(exits.filter((file) => file !== "main.ts")).toEqual([]);
  });

  it("has no timers of its own in the core", () => {
    const timers = files.filter(
      (file) =>
        roomOf(file) === "core" &&
        /\b(setTimeout|setInterval|setImmediate|Date\.now|performance)\b/.test(sourceOf(file)),
    );
    expect(timers).toEqual([]);
  });

  it("writes to stdout only where the protocol or a command's data goes out", () => {
    const writers = files.filter((file) => /process\.stdout/.test(sourceOf(file)));
    expect(writers.filter((file) => file !== "main.ts" && !file.startsWith("mcp/"))).toEqual([]);
  });
});
