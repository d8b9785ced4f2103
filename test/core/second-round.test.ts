import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { VaultError } from "../../src/core/errors.ts";
import { type Call, codeOf, type House, newGate, settle, startHouse, valuesOf } from "../support/house.ts";
import { loadPatched } from "../support/patched.ts";
import { preparingsOf } from "../support/preparings.ts";

const NEEDED = new VaultError("upstream_required", "the approvers of 12Port have to permit this");

/** A vault that finds out by reading that its people are needed for some refs, until `agreed` holds them. */
function withPeople(house: House, ...refs: readonly string[]): Set<string> {
  const agreed = new Set<string>();
  house.vault.blocks = (ref) => (refs.includes(ref) && !agreed.has(ref) ? NEEDED : undefined);
  return agreed;
}

/** An approved call whose first reading has found out that people are needed. */
async function foundOut() {
  const house = startHouse();
  const agreed = withPeople(house, "id:DATABASE_URL");
  const preparings = preparingsOf(house.vault);
  const call = house.get("DATABASE_URL");
  await settle();
  await house.approve("once");
  await settle();
  preparings[0]?.ready();
  await settle();
  return { house, agreed, preparings, call };
}

const lines = (house: House): string[] =>
  house.journal.events.map(({ kind, code }) => (code === undefined ? kind : `${kind} ${code}`));

describe("a vault that finds out by reading that its people are needed", () => {
  it("makes ready a second time, and the value is read again under a line of its own", async () => {
    const { house, agreed, preparings, call } = await foundOut();
    expect(lines(house)).toEqual(["requested", "approved", "releasing", "failed upstream_required"]);
    expect(preparings).toHaveLength(2);
    preparings[1]?.context.waiting("waiting for the approvers of 12Port");
    agreed.add("id:DATABASE_URL");
    const before = house.vault.reads;
    house.journal.before = () => {
      expect(house.vault.reads, "nothing is read before the second line is durable").toBe(before);
      return Promise.resolve();
    };
    preparings[1]?.ready();
    expect(await valuesOf(call)).toEqual({ DATABASE_URL: "postgres://hunter2-4711" });
    expect(lines(house).slice(4)).toEqual(["upstream_waiting", "releasing", "released"]);
    const releases = house.journal.events.filter(({ kind }) => kind === "releasing").map(({ release }) => release);
    expect(new Set(releases).size).toBe(2);
    expect(house.rings).toHaveLength(1);
  });

  it("hands out nothing of a batch before, and reads all of it again", async () => {
    const house = startHouse();
    const agreed = withPeople(house, "id:STRIPE_KEY");
    const preparings = preparingsOf(house.vault);
    const batch = house.get(["DATABASE_URL", "STRIPE_KEY"]);
    await settle();
    await house.approve("once");
    await settle();
    preparings[0]?.ready();
    await settle();
    expect(house.journal.kinds()).not.toContain("released");
    expect(house.journal.events.at(-1)).toMatchObject({ kind: "failed", names: ["DATABASE_URL", "STRIPE_KEY"] });
    house.vault.secrets.set("DATABASE_URL", "postgres://hunter2-new-4712");
    agreed.add("id:STRIPE_KEY");
    preparings[1]?.ready();
    expect(await valuesOf(batch)).toEqual({
      DATABASE_URL: "postgres://hunter2-new-4712",
      STRIPE_KEY: "sk_live_canary_0815",
    });
  });

  it("and again after that: an honest error for the one, the others are handed out, and there is no third time", async () => {
    const house = startHouse();
    withPeople(house, "id:STRIPE_KEY");
    const preparings = preparingsOf(house.vault);
    const batch = house.get(["DATABASE_URL", "STRIPE_KEY"]);
    await settle();
    await house.approve("once");
    for (const round of [0, 1]) {
      await settle();
      preparings[round]?.ready();
    }
    expect(await valuesOf(batch)).toEqual({ DATABASE_URL: "postgres://hunter2-4711", STRIPE_KEY: "upstream_required" });
    expect(preparings).toHaveLength(2);
  });

  it("and again after that, for all there is: the error says so, and the use is given back", async () => {
    const house = startHouse();
    const agreed = withPeople(house, "id:DATABASE_URL");
    house.vault.prepare = (handles) => Promise.resolve(handles.map(() => "ready" as const));
    const call = house.get("DATABASE_URL");
    await settle();
    await house.approve("once");
    expect(await codeOf(call)).toBe("upstream_required");
    expect(house.vault.reads).toBe(2);
    expect(lines(house).filter((line) => line !== "releasing" && line !== "failed upstream_required")).toEqual([
      "requested",
      "approved",
    ]);
    agreed.add("id:DATABASE_URL");
    expect(await codeOf(house.get("DATABASE_URL"))).toBe("done");
    expect(house.rings).toHaveLength(1);
  });

  it("without being able to wait for them is read once, and the error says so", async () => {
    const house = startHouse();
    withPeople(house, "id:DATABASE_URL");
    const call = house.get("DATABASE_URL");
    await settle();
    await house.approve("once");
    expect(await codeOf(call)).toBe("upstream_required");
    expect(house.vault.reads).toBe(1);
  });

  it.each([
    ["a person revokes", "revoked", (house: House) => void house.desk.revoke(house.tokens[0] ?? "")],
    ["the clock steps back", "revoked", (house: House) => house.clock.setWall(house.clock.now() - 3_000)],
    ["the call is cancelled", "cancelled", (_: House, call: Call<unknown>) => call.cancel()],
    ["the log goes away", "audit_unavailable", (house: House) => void (house.journal.away = true)],
  ] as const)("reads nothing more when %s meanwhile", async (_, code, happens) => {
    const { house, agreed, preparings, call } = await foundOut();
    happens(house, call);
    agreed.add("id:DATABASE_URL");
    preparings[1]?.ready();
    expect(await codeOf(call)).toBe(code);
    expect(house.vault.reads).toBe(1);
    expect(house.journal.kinds()).not.toContain("released");
  });

  it("reads by the handles that were shown, also the second time", async () => {
    const house = startHouse();
    const agreed = withPeople(house, "id:DATABASE_URL");
    const preparings = preparingsOf(house.vault);
    const read: string[] = [];
    const own = house.vault.read;
    Object.assign(house.vault, {
      read: (handles: Parameters<typeof own>[0]) => {
        read.push(...handles.map(({ ref }) => ref));
        return own(handles);
      },
    });
    const call = house.get("DATABASE_URL");
    await settle();
    await house.approve("once");
    await settle();
    preparings[0]?.ready();
    await settle();
    Object.assign(house.vault, { resolve: () => Promise.reject(new Error("resolved after it was shown")) });
    agreed.add("id:DATABASE_URL");
    preparings[1]?.ready();
    expect(await codeOf(call)).toBe("done");
    expect(read).toEqual(["id:DATABASE_URL", "id:DATABASE_URL"]);
    expect(preparings.map(({ refs }) => refs)).toEqual([["id:DATABASE_URL"], ["id:DATABASE_URL"]]);
  });

  it("64 identical calls at once have it make ready once at a time, and all are served", async () => {
    const house = startHouse();
    const agreed = withPeople(house, "id:DATABASE_URL");
    let atOnce = 0;
    let most = 0;
    house.vault.prepare = async (handles) => {
      most = Math.max(most, ++atOnce);
      await settle();
      if (house.vault.reads > 0) agreed.add("id:DATABASE_URL");
      atOnce -= 1;
      return handles.map(() => "ready" as const);
    };
    const calls = Array.from({ length: 64 }, () => house.get("DATABASE_URL"));
    await settle();
    await house.approve("once");
    expect(new Set(await Promise.all(calls.map(codeOf)))).toEqual(new Set(["done"]));
    expect(most).toBe(1);
    const kinds = house.journal.kinds();
    expect(kinds.filter((kind) => kind === "releasing")).toHaveLength(128);
    expect(kinds.filter((kind) => kind === "released")).toHaveLength(64);
  });
});

const collectGarbage = (): void => {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
};

/** Whether the values of a batch can still be found in memory while the vault's people are waited for. */
async function keepsValues(start: typeof startHouse): Promise<boolean> {
  const house = start();
  const preparings = preparingsOf(house.vault);
  const seen: WeakRef<object>[] = [];
  const needed = newGate();
  const own = house.vault.read;
  withPeople(house, "id:STRIPE_KEY");
  Object.assign(house.vault, {
    read: async (handles: Parameters<typeof own>[0]) => {
      const results = await own(handles);
      for (const result of results) if (!("code" in result)) seen.push(new WeakRef(result));
      needed.open();
      return results;
    },
  });
  const batch = house.get(["DATABASE_URL", "STRIPE_KEY"]);
  await settle();
  await house.approve("once");
  await settle();
  preparings[0]?.ready();
  await needed.opened;
  await settle();
  collectGarbage();
  await settle();
  collectGarbage();
  const kept = seen.some((ref) => ref.deref() !== undefined);
  expect(seen).toHaveLength(1);
  batch.cancel();
  return kept;
}

describe("what was read before the vault's people were found to be needed", () => {
  it("is kept nowhere while they are waited for", async () => {
    expect(await keepsValues(startHouse)).toBe(false);
  });

  it("would be found if it were kept", async () => {
    const twin = (await loadPatched("test/support/house.ts", [
      {
        file: "src/core/deliveries.ts",
        from: "return this.deliver(request, vault, claim, waiter, perform, { isRetry: true, refused });",
        to: "const again = await this.deliver(request, vault, claim, waiter, perform, { isRetry: true, refused }); return results.length > 0 ? again : again;",
      },
      // A vault in memory of this file's own: its errors have to be those of the twin.
      {
        file: "test/support/fake-vault.ts",
        from: "if (blocked) return blocked;",
        to: 'if (blocked) return new VaultError("upstream_required", blocked.message);',
      },
    ])) as { startHouse: typeof startHouse };
    expect(await keepsValues(twin.startHouse)).toBe(true);
  });
});
