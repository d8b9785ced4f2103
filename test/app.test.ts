import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventsOf, query, type World } from "./support/agent.ts";
import { world as makeWorld } from "./support/begin.ts";
import { buildPatched, type Plant } from "./support/patched.ts";
import { approve, decide } from "./support/person.ts";
import { diaryOf, PROBE, probe } from "./support/probe-provider.ts";
import { type Raw, startRaw, statusOfAnswer, textOfAnswer } from "./support/raw.ts";

// The real program, with one more kind of vault in its registry.
type Program = Awaited<ReturnType<typeof buildPatched>>;
const built: Program[] = [];
const build = async (...plants: Plant[]): Promise<Program> => {
  const program = await buildPatched("src/main.ts", [PROBE, ...plants]);
  built.push(program);
  return program;
};
let program: Program;
beforeAll(async () => {
  program = await build();
});
afterAll(() => {
  for (const each of built) each.remove();
});

interface Begun {
  readonly world: World;
  readonly raw: Raw;
  readonly diary: (vault: string) => string[];
  /** What list_secrets says of a vault. */
  readonly list: (vault: string) => Promise<string>;
}

async function begin(vaults: Record<string, object>, as: Program = program): Promise<Begun> {
  // The diaries lie in a world of their own: their place must be known before the configuration is written.
  const folder = dirname(makeWorld().secrets);
  const file = (vault: string): string => join(folder, `${vault}.diary`);
  const probes = Object.entries(vaults).map(([name, own]) => [name, { type: probe.type, diary: file(name), ...own }]);
  const env = { type: "env", file: "../secrets.env" };
  const world = makeWorld({ config: { vaults: { ...Object.fromEntries(probes), env } } });
  const raw = await startRaw(world, { program: as.file });
  const list = async (vault: string): Promise<string> => textOfAnswer(await raw.call("list_secrets", { vault }));
  return { world, raw, diary: (vault) => diaryOf(file(vault)), list };
}

describe("a vault that cannot be opened at first", () => {
  it("is opened once for all calls of a moment, again at the next call, and says what it has to say once", async () => {
    const { raw, diary, list } = await begin({ probe: { fails: 2 } });
    const burst = (): Promise<string[]> => Promise.all(Array.from({ length: 8 }, () => list("probe")));
    expect(new Set(await burst())).toEqual(
      new Set(["[probe] cannot be listed: provider_unavailable: the probe failed time 1"]),
    );
    expect(diary("probe")).toEqual(["open"]);
    expect(await list("probe")).toContain("the probe failed time 2");
    expect(new Set(await burst())).toEqual(new Set(["[probe]\n  - PROBED"]));
    expect(await list("probe")).toContain("PROBED");
    expect(diary("probe")).toEqual(["open", "open", "open"]);
    expect(raw.stderr().match(/vault probe: this vault is only a probe/g)).toHaveLength(1);
  });

  it("would be opened by each call if they did not share it", async () => {
    const twin = await build({ file: "src/house.ts", from: "opening ??= Promise", to: "opening = Promise" });
    const { diary, list } = await begin({ probe: {} }, twin);
    await Promise.all(Array.from({ length: 8 }, () => list("probe")));
    expect(diary("probe")).toHaveLength(8);
  });
});

describe("the end of the process", () => {
  const VAULTS = { bad: { close: "fails" }, good: {}, stuck: { close: "hangs" }, unused: {} };

  async function ended(as?: Program) {
    const begun = await begin(VAULTS, as);
    for (const vault of ["bad", "good", "stuck"]) await begun.list(vault);
    const { code } = await begun.raw.close();
    return { ...begun, code };
  }

  it("lets every open vault give back what it took, whatever the others do, and waits for none for ever", async () => {
    const { world, code, diary } = await ended();
    expect(code).toBe(0);
    expect(diary("good")).toEqual(["open", "closing", "closed"]);
    expect(diary("bad")).toEqual(["open", "closing"]);
    expect(diary("stuck")).toEqual(["open", "closing"]);
    expect(diary("unused")).toEqual([]);
    expect(eventsOf(world).at(-1)).toMatchObject({ kind: "stopped" });
  });

  it("would cut a good vault short if one that fails counted for all", async () => {
    const twin = await build({ file: "src/house.ts", from: "Promise.allSettled(", to: "Promise.all(" });
    const { code, diary } = await ended(twin);
    expect(code).toBe(1);
    expect(diary("good")).toEqual(["open", "closing"]);
  });
});

describe("notes that cannot be kept", () => {
  it("stop the vault that needs them, and whatever needs to know who may approve", async () => {
    const { world, raw, list } = await begin({ probe: {} });
    mkdirSync(join(dirname(world.database), "notes.db"), { recursive: true });
    expect(await list("probe")).toMatch(/^\[probe\] cannot be listed: provider_unavailable: .*notes\.db/);
    const reading = raw.call("get_secret", { vault: "env", name: "DATABASE_URL", reason: "run migration 0042" });
    expect(textOfAnswer(await reading)).toMatch(/^approvers_unavailable: .*notes\.db/);
    expect((await raw.close()).code).toBe(0);
    expect(query(world, "SELECT kind FROM event").at(-1)).toEqual({ kind: "stopped" });
  });
});

describe("a permission that ends", () => {
  async function revoked(ended: "well" | "fails") {
    const begun = await begin({ probe: { ended, ttl: 5 } });
    const ask = { vault: "probe", name: "PROBED", reason: "look at it" };
    const reading = begun.raw.call("get_secret", ask);
    const link = await begun.raw.link();
    await approve(link);
    expect(textOfAnswer(await reading)).toBe("probe-canary-password");
    expect(begun.diary("probe")).toEqual(["open"]);
    expect(await decide(link, { verdict: "revoke" })).toBe(303);
    return { ...begun, ask };
  }

  it("is told to the vault, with what is still permitted", async () => {
    const { diary } = await revoked("well");
    expect(diary("probe")).toEqual(["open", "ended"]);
  });

  it("has ended whatever the vault makes of it", async () => {
    const { raw, ask } = await revoked("fails");
    const again = raw.call("get_secret", ask);
    expect(await decide(await raw.link(), { verdict: "deny" })).toBe(303);
    expect(statusOfAnswer(await again)).toBe("denied");
    expect(raw.stderr()).toContain("please report this");
    expect(raw.stderr()).not.toContain("cannot bear");
  });
});
