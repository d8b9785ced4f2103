import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { homedir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { VaultError } from "../../../src/core/errors.ts";
import { absolutePath, MAX_BYTES } from "../../../src/providers/env/file.ts";
import { env } from "../../../src/providers/env/index.ts";
import { warningsOf } from "../../../src/providers/env/warnings.ts";
import { providerContext } from "../../support/provider-context.ts";
import { codes, envVault, good, must, refusal, signal, tempFolder, values } from "./support.ts";

const read = async (text: string): Promise<Record<string, string>> => {
  const vault = await envVault(text);
  const names = await must(vault.provider.list)(signal);
  const found = values(await vault.get(...names));
  return Object.fromEntries(names.map((name, index) => [name, must(found[index])]));
};

describe("names and values are what dotenv sees", () => {
  it.each<[string, Record<string, string>]>([
    ["A =  b  ", { A: "b" }],
    ["export A=b", { A: "b" }],
    ["exportA=b", { exportA: "b" }],
    ["A: b", { A: "b" }],
    ["A:b", {}],
    ["A=", { A: "" }],
    ['A=""', { A: "" }],
    ["A=b#c", { A: "b" }],
    ["A=b # c", { A: "b" }],
    ['A="b # c" # d', { A: "b # c" }],
    ["A='x\\ny'", { A: "x\\ny" }],
    ["A=`x\\ny`", { A: "x\\ny" }],
    ['A="x\\ny"', { A: "x\ny" }],
    ['A="x\\ry"', { A: "x\ry" }],
    ['A="x\\ty"', { A: "x\\ty" }],
    ["A='x\r\ny'\r\nB=c\r\n", { A: "x\ny", B: "c" }],
    ["A=${B}", { A: "${B}" }],
    ["A=$(cmd)", { A: "$(cmd)" }],
    ["A=pa$$w", { A: "pa$$w" }],
    ["A=1\nA=2", { A: "2" }],
    ['A="abc\nB=c', { A: '"abc', B: "c" }],
    ['A=a"b"c', { A: 'a"b"c' }],
    ["\uFEFFA=b", { A: "b" }],
    ["É=1\n1A=2\na.b-c=3", { "1A": "2", "a.b-c": "3" }],
    ['A=\n"x"', { A: "x" }],
    ["__proto__=x\nA=b", { A: "b" }],
    ["constructor=x\ntoString=y", { constructor: "x", toString: "y" }],
    ["# A=b\n\n   \n", {}],
    ["", {}],
  ])("%j", async (text, expected) => {
    expect(await read(text)).toEqual(expected);
  });

  it("never lists a line of a multi-line value", async () => {
    const pem = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg==\nkqhkiG9w0BAQ=\n-----END PRIVATE KEY-----";
    expect(await read(`KEY="${pem}"\nB=1\n`)).toEqual({ KEY: pem, B: "1" });
  });
});

describe("a name", () => {
  it("that is not there names up to three close ones", async () => {
    const vault = await envVault("DB_PASSWORD=hunter2-4711\nDB_PASSWORD_OLD=x\nDB_USER=y\nSTRIPE_KEY=z\nAPI_TOKEN=t\n");
    const [one, two, three] = await vault.provider.resolve(["db-password", "DB_PASWORD", "NOTHING_LIKE_IT"], signal);
    expect(one).toMatchObject({
      code: "secret_not_found",
      hint: expect.stringContaining('"DB_PASSWORD" or "DB_PASSWORD_OLD"'),
    });
    expect(two).toMatchObject({ hint: expect.stringContaining('"DB_PASSWORD"') });
    expect(three).toMatchObject({ hint: "call list_secrets for the names there are" });
    expect(String((one as VaultError).hint).match(/"/g)?.length).toBeLessThanOrEqual(6);
  });

  it("that every object has is not there either", async () => {
    const vault = await envVault("A=b\n");
    const outcomes = await vault.provider.resolve(
      ["__proto__", "toString", "constructor", "", "a\nb", "x".repeat(1_000_000)],
      signal,
    );
    expect(new Set(codes(outcomes))).toEqual(new Set(["secret_not_found"]));
  });

  it("is found among ten thousand, and one of another hundred is missed quickly", async () => {
    const vault = await envVault(Array.from({ length: 10_000 }, (_, i) => `KEY_${i}=value-${i}`).join("\n"));
    const outcomes = await vault.provider.resolve(
      ["KEY_9999", ...Array.from({ length: 99 }, (_, i) => `NO_${i}`)],
      signal,
    );
    expect(codes(outcomes).filter((code) => code === "ok")).toHaveLength(1);
  });
});

describe("a handle", () => {
  it("reads the value as it is now", async () => {
    const vault = await envVault("A=old\n");
    const handles = good(await vault.provider.resolve(["A"], signal));
    writeFileSync(vault.path, "A=hunter2-4711\n");
    expect(values(await vault.provider.read(handles, signal))).toEqual(["hunter2-4711"]);
  });

  it("is a conflict once its key has gone, and the others are read", async () => {
    const vault = await envVault("A=1\nB=2\n");
    const handles = good(await vault.provider.resolve(["A", "B"], signal));
    writeFileSync(vault.path, "B=2\n");
    expect(codes(await vault.provider.read(handles, signal))).toEqual(["conflict", "ok"]);
  });

  it("is a conflict once the path leads to another file", async () => {
    const folder = tempFolder();
    writeFileSync(join(folder, "one"), "A=1\n");
    writeFileSync(join(folder, "two"), "A=2\n");
    symlinkSync("one", join(folder, ".env.secrets"));
    const vault = await envVault(undefined, { folder });
    const handles = good(await vault.provider.resolve(["A"], signal));
    rmSync(vault.path);
    symlinkSync("two", vault.path);
    const [outcome] = await vault.provider.read(handles, signal);
    expect(outcome).toMatchObject({ code: "conflict", message: expect.stringContaining("another one") });
  });

  it("survives a file that is replaced by a new one in the same place", async () => {
    const vault = await envVault("A=1\n");
    const handles = good(await vault.provider.resolve(["A"], signal));
    writeFileSync(join(vault.folder, "next"), "A=2\n");
    renameSync(join(vault.folder, "next"), vault.path);
    expect(values(await vault.provider.read(handles, signal))).toEqual(["2"]);
  });

  it("tells path and key apart", async () => {
    const one = await envVault("A=1\n");
    const [a] = good(await one.provider.resolve(["A"], signal));
    expect(JSON.parse(must(a).ref)).toEqual([one.path, "A"]);
    expect(must(a).checked).toBe(true);
  });
});

describe("a place without a usable file", () => {
  const EVERY = ["list", "resolve", "read", "planWrite", "check"] as const;
  const errors = async (path: string): Promise<VaultError[]> => {
    const provider = await env.open({ file: path }, providerContext());
    const calls: Record<(typeof EVERY)[number], () => Promise<unknown>> = {
      list: () => must(provider.list)(signal),
      resolve: () => provider.resolve(["A"], signal),
      read: () => provider.read([{ name: "A", ref: JSON.stringify([path, "A"]), checked: true }], signal),
      planWrite: () => must(provider.planWrite)([], signal),
      check: () => must(provider.check)(signal),
    };
    return Promise.all(EVERY.map((call) => refusal(calls[call]())));
  };

  it("is told when the file is missing, with the path and the command that makes one", async () => {
    const vault = await envVault(undefined);
    for (const call of [
      must(vault.provider.list)(signal),
      vault.provider.resolve(["A"], signal),
      must(vault.provider.check)(signal),
    ]) {
      const error = await refusal(call);
      expect(error.code).toBe("provider_unavailable");
      expect(error.message).toBe(`env file ${vault.path} does not exist`);
      expect(error.hint).toContain("agent-vault init");
    }
  });

  it("is told for a folder", async () => {
    const folder = tempFolder();
    for (const error of await errors(folder)) expect(error.message).toBe(`env file ${folder} is a folder`);
  });

  it("is told for a socket", async () => {
    const path = join(tempFolder(), "socket");
    const server = createServer();
    await new Promise<void>((resolve) => void server.listen(path, resolve));
    for (const error of await errors(path)) expect(error.message).toContain("is not a regular file");
    await new Promise((resolve) => server.close(resolve));
  });

  it("is told for a file over 8 MiB, and one of exactly 8 MiB is read", async () => {
    const vault = await envVault(`A=hunter2-4711\n#${"x".repeat(MAX_BYTES - 16)}`);
    expect(values(await vault.get("A"))).toEqual(["hunter2-4711"]);
    writeFileSync(vault.path, Buffer.alloc(9 * 1024 * 1024, "A=b\n"));
    for (const error of await errors(vault.path)) expect(error.message).toContain("larger than 8 MiB");
  });

  it("is told for text that is not UTF-8, instead of a value with holes", async () => {
    const vault = await envVault(Buffer.from("A=caf\xe9\n", "latin1"));
    for (const error of await errors(vault.path)) expect(error.message).toContain("is not UTF-8");
  });

  it("is told for a link to nothing", async () => {
    const path = join(tempFolder(), "link");
    symlinkSync("nothing", path);
    for (const error of await errors(path)) expect(error.code).toBe("provider_unavailable");
  });

  it("shows control characters of the path as what they are", async () => {
    const { provider } = await envVault(undefined, { file: "a\u001b[2Jb" });
    const error = await refusal(must(provider.list)(signal));
    expect(error.message).toContain("⟦U+001B⟧");
    expect(error.message).not.toContain("\u001b");
  });
});

describe("warnings", () => {
  it("say once that others can open the file, and what to type", async () => {
    const vault = await envVault("A=1\n", { mode: 0o644 });
    await vault.get("A");
    await vault.get("A");
    await must(vault.provider.list)(signal);
    expect(vault.warnings).toEqual([
      `other users of this machine may open ${vault.path} (mode 0644): chmod 600 ${vault.path}`,
    ]);
  });

  it("say that it lies where the agent works, also through a link", async () => {
    const work = tempFolder();
    const outside = tempFolder();
    mkdirSync(join(work, "config"));
    const inside = await envVault("A=1\n", { folder: join(work, "config"), workFolder: work });
    await inside.get("A");
    expect(inside.warnings).toEqual([expect.stringContaining("the agent can read it with its own file tools")]);
    writeFileSync(join(outside, "real"), "A=1\n", { mode: 0o600 });
    symlinkSync(join(outside, "real"), join(work, "link"));
    expect(warningsOf(join(work, "link"), work)).toHaveLength(1);
    symlinkSync(inside.path, join(outside, "back"));
    expect(warningsOf(join(outside, "back"), work)).toHaveLength(1);
  });

  it("stay silent for a private file outside, beside a folder of a longer name, and for no file", async () => {
    const folder = tempFolder();
    const vault = await envVault("A=1\n", { folder, workFolder: folder.slice(0, -1) });
    await vault.get("A");
    expect(vault.warnings).toEqual([]);
    expect(warningsOf(vault.path, "/")).toEqual([]);
    expect(warningsOf(join(folder, "none"), folder)).toEqual([]);
  });

  it("are to be had from the definition, before anything is opened", async () => {
    const vault = await envVault("A=1\n", { mode: 0o604 });
    const context = providerContext({ folder: vault.folder });
    expect(env.warnings?.({ file: ".env.secrets" }, context)).toHaveLength(1);
  });
});

it("counts names when asked how it is", async () => {
  const one = await envVault("A=hunter2-4711\n");
  expect(await must(one.provider.check)(signal)).toEqual([`env file ${one.path}: 1 name`]);
  const two = await envVault("A=1\nB=2\n");
  expect(await must(two.provider.check)(signal)).toEqual([`env file ${two.path}: 2 names`]);
});

it("does nothing for a call that was cancelled", async () => {
  const vault = await envVault("A=1\n");
  const gone = AbortSignal.abort();
  const [handle] = good(await vault.provider.resolve(["A"], signal));
  for (const call of [
    must(vault.provider.list)(gone),
    vault.provider.resolve(["A"], gone),
    vault.provider.read([must(handle)], gone),
    must(vault.provider.planWrite)([], gone),
    must(vault.provider.write)([], gone),
  ]) {
    expect((await refusal(call)).code).toBe("cancelled");
  }
});

it("knows the home folder and relative paths", () => {
  expect(absolutePath("~/x/.env", "/etc")).toBe(join(homedir(), "x/.env"));
  expect(absolutePath("x/.env", "/etc")).toBe("/etc/x/.env");
  expect(absolutePath("/x/.env", "/etc")).toBe("/x/.env");
  expect(absolutePath("~x/.env", "/etc")).toBe("/etc/~x/.env");
  expect(env.options.parse({})).toEqual({ file: ".env.secrets" });
  expect(env.options.safeParse({ file: "" }).success).toBe(false);
  expect(env.options.safeParse({ fil: "x" }).success).toBe(false);
});
