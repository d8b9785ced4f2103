import { beforeAll, describe, expect, it } from "vitest";
import { hunt, newCanary } from "../support/canaries.ts";
import { everyday, openScene, type Scene } from "../support/canary-run.ts";
import { buildPatched, type Plant } from "../support/patched.ts";
import { approve } from "../support/person.ts";
import { statusOfAnswer } from "../support/raw.ts";

async function withBug<T>(plants: readonly Plant[], run: (program: string) => Promise<T>): Promise<T> {
  const twin = await buildPatched("src/main.ts", plants);
  try {
    return await run(twin.file);
  } finally {
    twin.remove();
  }
}

it("finds a value in any shape, in halves and in the middle of other things", () => {
  const canary = newCanary("K");
  const { core, value } = canary;
  const shapes = [
    value,
    JSON.stringify({ value }),
    encodeURIComponent(value),
    `half of it: ${core.slice(0, 14)}`,
    [...value].toReversed().join(""),
    Buffer.from(value).toString("hex"),
    ...["", "a", "ab"].map((before) => Buffer.from(`${before}${value}`).toString("base64url")),
    Buffer.from(value, "utf16le"),
  ];
  for (const shape of shapes) expect(hunt([canary], new Map([["x", Buffer.from(shape as string)]]))).not.toEqual([]);
  expect(hunt([newCanary("K")], new Map([["x", Buffer.from(value)]]))).toEqual([]);
});

const BUGS: readonly (readonly [what: string, where: RegExp, plant: Plant])[] = [
  [
    "into a reason",
    /audit\.db/,
    {
      file: "src/core/deliveries.ts",
      from: "this.#noteEnd(about, part, performed);",
      to: 'this.#noteEnd({ ...about, reason: performed.map((each) => ("reveal" in each ? each.reveal() : "")).join() }, part, performed);',
    },
  ],
  [
    "into an error",
    /stdout/,
    {
      file: "src/mcp/tools/define.ts",
      from: '`${tool}: ${problems.join("; ")}`',
      to: "Buffer.from(JSON.stringify(args)).toString('base64')",
    },
  ],
  [
    "onto the page",
    /page/,
    { file: "src/core/secret.ts", from: "const PREVIEW_ENDS = 3;", to: "const PREVIEW_ENDS = 30;" },
  ],
];

describe("a day of reads and writes", () => {
  let days: readonly Scene[];
  // Much of a day is waiting, so they all have it at once.
  beforeAll(async () => {
    const twins = BUGS.map(([, , plant]) => withBug([plant], (program) => everyday({ program })));
    days = await Promise.all([everyday({ untilExpiry: true }), ...twins]);
  });

  it("leaves no value anywhere but in what was approved", () => {
    const { canaries = [], places = new Map() } = days[0] ?? {};
    expect(canaries.length).toBeGreaterThan(20);
    expect(places.size).toBeGreaterThan(40);
    expect(hunt(canaries, places)).toEqual([]);
  });

  it.each(BUGS.map(([what, where], at) => [what, where, at + 1] as const))(
    "would be seen to let a value %s",
    (_, where, at) => {
      const { canaries = [], places = new Map() } = days[at] ?? {};
      expect(hunt(canaries, places).some((found) => where.test(found))).toBe(true);
    },
  );
});

it("a vault that fails with the value in its error lets none of it through", async () => {
  const plants = [
    {
      file: "src/providers/env/provider.ts",
      from: "return value === undefined ? moved(name, `it is no longer in ${visible(real)}`) : new Secret(value);",
      to: "throw Object.assign(new TypeError(`no: ${value}`, { cause: new Error(value) }), { value, code: value });",
    },
    {
      file: "src/providers/env/provider.ts",
      from: "const plans = planWrites(target, entries);",
      to: "throw new Error(entries.map((entry) => entry.value.reveal()).join());",
    },
  ];
  await withBug(plants, async (program) => {
    const scene = await openScene(["R_FAILS", "R_FAILS_2"], { program });
    for (const names of [["R_FAILS"], ["R_FAILS", "R_FAILS_2"]]) {
      const failing = scene.read(...names);
      await scene.atPage("read that fails", (link) => approve(link, "once"));
      expect(statusOfAnswer(await failing)).toBe("internal");
    }
    expect(statusOfAnswer(await scene.write("W_FAILS", scene.fresh("W_FAILS").value))).toBe("internal");
    await scene.end();
    expect(scene.raw.stderr()).toContain("failed in a way it does not know");
    expect(hunt(scene.canaries, scene.places)).toEqual([]);
  });
});

it("a crash with the value at hand lets none of it through", async () => {
  const plant = {
    file: "src/providers/env/provider.ts",
    from: "const value = Object.hasOwn(values, name) ? values[name] : undefined;",
    to: "const value = values[name]; setImmediate(() => { throw Object.assign(new RangeError(`no: ${value}`), { value }); });",
  };
  await withBug([plant], async (program) => {
    const scene = await openScene(["R_CRASH"], { program });
    const reading = scene.read("R_CRASH");
    await approve(await scene.raw.link(), "once");
    const answer = await reading.catch(() => undefined);
    if (answer) scene.expectValues(answer, scene.kept("R_CRASH"));
    expect((await scene.raw.exited).code).toBe(1);
    await scene.end();
    expect(scene.raw.stderr()).toContain("failed in a way it does not know");
    expect(hunt(scene.canaries, scene.places)).toEqual([]);
  });
});

it("a kill -9 with a read served and a read and a write waiting leaves no value behind", async () => {
  const scene = await openScene(["R_SERVED", "R_WAITING"]);
  const served = scene.read("R_SERVED");
  await approve(await scene.raw.link(), "window");
  scene.expectValues(await served, scene.kept("R_SERVED"));
  scene.read("R_WAITING").catch(() => {});
  scene.write("W_WAITING", scene.fresh("W_WAITING").value).catch(() => {});
  await scene.keepPage("waiting", await scene.raw.link());
  await scene.keepPage("waiting", await scene.raw.link());
  await scene.end("kill");
  expect(hunt(scene.canaries, scene.places)).toEqual([]);
});

it("without a log nothing is read, and what was to be written is nowhere", async () => {
  const scene = await openScene(["R_UNLOGGED"], { env: { AGENT_VAULT_DB: "/dev/null/audit.db" } });
  expect(statusOfAnswer(await scene.read("R_UNLOGGED"))).toBe("audit_unavailable");
  expect(statusOfAnswer(await scene.write("W_UNLOGGED", scene.fresh("W_UNLOGGED").value))).toBe("audit_unavailable");
  await scene.end();
  expect(hunt(scene.canaries, scene.places)).toEqual([]);
});
