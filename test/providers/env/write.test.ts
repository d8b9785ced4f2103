import {
  appendFileSync,
  chmodSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { VaultError } from "../../../src/core/errors.ts";
import { Secret } from "../../../src/core/secret.ts";
import { MAX_BYTES } from "../../../src/providers/env/file.ts";
import { withLock } from "../../../src/providers/env/lock.ts";
import { codes, envVault, good, must, refusal, signal, tempFolder, values, write } from "./support.ts";

const modeOf = (path: string): number => statSync(path).mode & 0o7777;

describe("a plan", () => {
  it("tells a new name from one that is there, and writes nothing", async () => {
    const vault = await envVault("A=old\n");
    const plans = good(await vault.plan({ A: "new", B: "new" }));
    expect(plans.map(({ name, effect, checked }) => ({ name, effect, checked }))).toEqual([
      { name: "A", effect: "replace", checked: true },
      { name: "B", effect: "create", checked: true },
    ]);
    expect(plans.map(({ ref }) => JSON.parse(ref))).toEqual([
      [vault.path, "A"],
      [vault.path, "B"],
    ]);
    expect(vault.text()).toBe("A=old\n");
    expect(readdirSync(vault.folder)).toEqual([".env.secrets"]);
  });

  it("holds nothing of a value, new or old", async () => {
    const vault = await envVault("A=hunter2-4711\n");
    const seen = JSON.stringify(await vault.plan({ A: "hunter2-4712" }));
    expect(seen).not.toContain("hunter2");
    const again = await envVault("A=hunter2-4711\n", { folder: vault.folder });
    // A hash would be the same each time, and a short value could be guessed from it.
    expect(good(await again.plan({ A: "x" }))[0]?.version).not.toBe(good(await vault.plan({ A: "x" }))[0]?.version);
  });

  it.each([
    "",
    " ",
    "A=B",
    "#C",
    " lead",
    "N1\nADMIN",
    "a b",
    "1ST",
    "-x",
    ".x",
    "__proto__",
    "É",
    "x".repeat(201),
    "A\u202e",
    "export A",
  ])("refuses the name %j", async (name) => {
    const vault = await envVault("A=1\nADMIN=2\n");
    expect(codes(await must(vault.provider.planWrite)([{ name, value: new Secret("x") }], signal))).toEqual([
      "invalid_name",
    ]);
  });

  it.each(["A", "_a", "a.b-c", "export", "constructor", "toString", "hasOwnProperty"])(
    "accepts the name %j",
    async (name) => {
      const vault = await envVault("B=1\n");
      await vault.set({ [name]: "hunter2-4711" });
      expect(values(await vault.get(name, "B"))).toEqual(["hunter2-4711", "1"]);
    },
  );

  it("accepts an odd name that is there already", async () => {
    const vault = await envVault("1ST=old\n");
    await vault.set({ "1ST": "new" });
    expect(vault.text()).toBe("1ST=new\n");
  });

  it.each([
    ["a NUL character", "a\0b", /NUL/],
    ["half a character", "a\ud83d", /Unicode/],
    ["every quote at once", "'\"`#\nx", /reads it back exactly/],
    ["endless blank lines", "\n".repeat(10_000), /blank lines/],
  ])("refuses a value with %s and says how to store it", async (_, value, why) => {
    const vault = await envVault("A=1\n");
    const [error] = await vault.plan({ A: value });
    expect(error).toMatchObject({
      code: "unrepresentable",
      message: expect.stringMatching(why),
      hint: "store it base64-encoded",
    });
    expect(JSON.stringify(error)).not.toContain(JSON.stringify(value).slice(1, -1));
  });

  it("refuses a name given twice, both times, and plans the rest", async () => {
    const vault = await envVault("A=1\n");
    const entries = ["A", "B", "A"].map((name) => ({ name, value: new Secret("x") }));
    expect(codes(await must(vault.provider.planWrite)(entries, signal))).toEqual([
      "invalid_arguments",
      "ok",
      "invalid_arguments",
    ]);
  });

  it("says for each value of a batch whether it fits, on top of the others", async () => {
    const vault = await envVault('Q="open\n');
    const outcomes = await vault.plan({ A: "x", B: "'\"`#\nx", C: "y" });
    expect(codes(outcomes)).toEqual(["ok", "unrepresentable", "ok"]);
  });

  it.each([
    ["is read-only", (path: string) => chmodSync(path, 0o400)],
    ["has 2 names (hard links)", (path: string) => linkSync(path, `${path}.other`)],
    ["holds very long runs of blank lines", (path: string) => writeFileSync(path, "\n".repeat(10_000))],
  ])("is refused before anybody is asked when the file %s", async (what, change) => {
    const vault = await envVault("A=1\n");
    change(vault.path);
    expect((await refusal(vault.plan({ A: "x" }))).message).toBe(`env file ${vault.path} ${what}`);
  });
});

describe("a write", () => {
  it("changes the value and nothing else, for a batch as for one", async () => {
    const text = "\uFEFF# team\r\nexport A = 'old' # rotate\r\n\r\nB=\"x\r\ny\"\r\nC=3#c\r\nA_2: 2\r\n";
    const vault = await envVault(text);
    await vault.set({ A: "it is new", C: "4", D: "line\nline" });
    expect(vault.text()).toBe(text.replace("'old'", "'it is new'").replace("C=3#c", "C=4 #c") + "D='line\r\nline'\r\n");
  });

  it("is seen by the next read, through the same provider", async () => {
    const vault = await envVault("A=old\n");
    await vault.set({ A: "hunter2-4711" });
    expect(values(await vault.get("A"))).toEqual(["hunter2-4711"]);
  });

  it.each([0o600, 0o640, 0o644, 0o755])("keeps mode %o", async (mode) => {
    const vault = await envVault("A=old\n");
    chmodSync(vault.path, mode);
    await vault.set({ A: "new" });
    expect(modeOf(vault.path)).toBe(mode);
  });

  it("keeps the owner", async ({ skip }) => {
    if (process.getuid?.() !== 0) skip("giving a file away takes root");
    const vault = await envVault("A=old\n");
    const { chownSync } = await import("node:fs");
    chownSync(vault.path, 12_345, 23_456);
    chmodSync(vault.path, 0o640);
    await vault.set({ A: "new" });
    expect(statSync(vault.path)).toMatchObject({ uid: 12_345, gid: 23_456 });
    expect(modeOf(vault.path)).toBe(0o640);
  });

  it("makes a file that does not exist, for its owner only, whatever the umask", async () => {
    const before = process.umask(0);
    try {
      const vault = await envVault(undefined);
      expect(good(await vault.plan({ A: "x" }))[0]?.effect).toBe("create");
      await vault.set({ A: "hunter2-4711" });
      expect(vault.text()).toBe("A=hunter2-4711\n");
      expect(modeOf(vault.path)).toBe(0o600);
    } finally {
      process.umask(before);
    }
  });

  it("goes to the target of a link and leaves the link", async () => {
    const folder = tempFolder();
    mkdirSync(join(folder, "real"));
    writeFileSync(join(folder, "real", "secrets"), "A=old\n", { mode: 0o600 });
    symlinkSync("real/secrets", join(folder, ".env.secrets"));
    const vault = await envVault(undefined, { folder });
    await vault.set({ A: "new" });
    expect(readFileSync(join(folder, "real", "secrets"), "utf8")).toBe("A=new\n");
    expect(readdirSync(folder).sort()).toEqual([".env.secrets", "real"]);
    expect(readdirSync(join(folder, "real"))).toEqual(["secrets"]);
  });

  it("does not put a file where a link to nothing is", async () => {
    const folder = tempFolder();
    symlinkSync("nothing", join(folder, ".env.secrets"));
    const vault = await envVault(undefined, { folder });
    expect((await refusal(vault.plan({ A: "x" }))).message).toContain("link to nothing");
  });

  it("leaves nothing beside the file, and clears away the drafts of killed writers but nothing else", async () => {
    const vault = await envVault("A=old\n");
    writeFileSync(join(vault.folder, ".env.secrets.tmp-0123456789abcdef"), "A=hunter2");
    writeFileSync(join(vault.folder, ".env.secrets.tmp-mine"), "keep");
    await vault.set({ A: "new" });
    expect(readdirSync(vault.folder).sort()).toEqual([".env.secrets", ".env.secrets.tmp-mine"]);
  });

  it("does not touch a file that holds the value already", async () => {
    const vault = await envVault("A=same # c\n");
    const { ino, mtimeMs } = statSync(vault.path);
    expect(codes(await vault.set({ A: "same" }))).toEqual(["ok"]);
    expect(statSync(vault.path)).toMatchObject({ ino, mtimeMs });
  });

  it("stops at 8 MiB", async () => {
    const vault = await envVault(`A=1\n#${"x".repeat(MAX_BYTES - 100)}\n`);
    expect((await refusal(vault.plan({ B: "y".repeat(200) }))).code).toBe("unrepresentable");
    const plans = good(await vault.plan({ B: "y" }));
    appendFileSync(vault.path, "#".repeat(80));
    expect((await refusal(write(vault.provider, plans, { B: "y".repeat(20) }))).code).toBe("unrepresentable");
    expect(statSync(vault.path).size).toBeLessThan(MAX_BYTES);
  });

  it("takes values of a megabyte", async () => {
    const vault = await envVault("A=1\n");
    const large = `it's ${"\\\" ' $ #\n".repeat(100_000)}`;
    await vault.set({ A: large, B: "b".repeat(1_000_000) });
    expect(values(await vault.get("A", "B"))).toEqual([large, "b".repeat(1_000_000)]);
  });
});

describe("a write whose place has changed since it was planned is a conflict", () => {
  it.each<[string, string, string, string]>([
    ["a new name has come into being", "B=1\n", "B=1\nA=other\n", "come into being"],
    ["a name has gone", "A=1\nB=1\n", "B=1\n", "it has gone"],
    ["a value has changed", "A=1\nB=1\n", "A=rotated\nB=1\n", "value has changed"],
  ])("when %s, and the rest of the batch is saved", async (_, before, after, what) => {
    const vault = await envVault(before);
    const plans = good(await vault.plan({ A: "new", B: "2" }));
    writeFileSync(vault.path, after);
    const outcomes = await write(vault.provider, plans, { A: "new", B: "2" });
    expect(codes(outcomes)).toEqual(["conflict", "ok"]);
    expect((outcomes[0] as VaultError).message).toContain(what);
    expect(vault.text()).toBe(after.replace("B=1", "B=2"));
  });

  it("when the file has gone: it is not made anew with one name in it", async () => {
    const vault = await envVault("A=1\nB=2\n");
    const plans = good(await vault.plan({ C: "3" }));
    rmSync(vault.path);
    expect(codes(await write(vault.provider, plans, { C: "3" }))).toEqual(["conflict"]);
    expect(readdirSync(vault.folder)).toEqual([]);
  });

  it("when the path leads to another file", async () => {
    const folder = tempFolder();
    writeFileSync(join(folder, "one"), "A=1\n");
    writeFileSync(join(folder, "two"), "A=1\n");
    symlinkSync("one", join(folder, ".env.secrets"));
    const vault = await envVault(undefined, { folder });
    const plans = good(await vault.plan({ A: "new" }));
    rmSync(vault.path);
    symlinkSync("two", vault.path);
    expect(codes(await write(vault.provider, plans, { A: "new" }))).toEqual(["conflict"]);
    expect([readFileSync(join(folder, "one"), "utf8"), readFileSync(join(folder, "two"), "utf8")]).toEqual([
      "A=1\n",
      "A=1\n",
    ]);
  });

  it("but not when somebody else made the file meanwhile, without that name", async () => {
    const vault = await envVault(undefined);
    const plans = good(await vault.plan({ A: "1" }));
    writeFileSync(vault.path, "B=2\n");
    expect(codes(await write(vault.provider, plans, { A: "1" }))).toEqual(["ok"]);
    expect(vault.text()).toBe("B=2\nA=1\n");
  });

  it("but not when the same value is there already, as when identical calls were approved together", async () => {
    const vault = await envVault("B=2\n");
    const plans = good(await vault.plan({ A: "1" }));
    const outcomes = await Promise.all(Array.from({ length: 8 }, () => write(vault.provider, plans, { A: "1" })));
    expect(outcomes.flatMap(codes)).toEqual(Array.from({ length: 8 }, () => "ok"));
    expect(vault.text()).toBe("B=2\nA=1\n");
  });
});

it("queues writes of one process behind each other and loses none", async () => {
  const vault = await envVault("");
  const names = Array.from({ length: 30 }, (_, index) => `KEY_${index}`);
  await Promise.all(names.map((name) => vault.set({ [name]: `hunter2-${name}` })));
  expect(values(await vault.get(...names))).toEqual(names.map((name) => `hunter2-${name}`));
  expect(readdirSync(vault.folder)).toEqual([".env.secrets"]);
});

it.each(["has the lock", "waits for the lock"])(
  "saves nothing when the call is cancelled while it %s",
  async (when) => {
    const vault = await envVault("A=old\n");
    const entries = good(await vault.plan({ A: "new" })).map((plan) => ({ plan, value: new Secret("new") }));
    const stop = new AbortController();
    const attempt = async (): Promise<unknown> => {
      const pending = refusal(must(vault.provider.write)(entries, stop.signal));
      stop.abort();
      return pending;
    };
    const error = when === "has the lock" ? await attempt() : await withLock(vault.path, signal, attempt);
    expect(error).toMatchObject({ code: "cancelled" });
    expect(vault.text()).toBe("A=old\n");
    expect(readdirSync(vault.folder)).toEqual([".env.secrets"]);
  },
);
