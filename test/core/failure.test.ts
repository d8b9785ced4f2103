import { describe, expect, it } from "vitest";
import { VaultError } from "../../src/core/errors.ts";
import { type Call, codeOf, type House, newGate, settle, startHouse } from "../support/house.ts";
import { loadPatched } from "../support/patched.ts";
import { preparingsOf } from "../support/preparings.ts";

const MINUTE = 60_000;
const AWAY = new VaultError("provider_unavailable", "1Password does not answer");
const DENIED = new VaultError("upstream_denied", "the approvers of 12Port turned this down");

type Start = typeof startHouse;

/** A house in which a person has approved a read, or a save, that is now on its way and will fail with this. */
async function onItsWay(
  fails: VaultError | undefined,
  what: "read" | "save" = "read",
  choice: "window" | "once" = "once",
  start: Start = startHouse,
): Promise<{ house: House; call: Call<unknown>; open: () => void }> {
  const house = start({ rules: { ttlMs: 5 * MINUTE } });
  const gate = newGate();
  house.vault.gate = gate.opened;
  house.vault.fails = fails;
  const call = what === "read" ? house.get("DATABASE_URL") : house.set({ NEW_KEY: "hunter2-4711-new" });
  await settle();
  await house.approve(choice);
  await settle();
  return { house, call, open: gate.open };
}

describe("the page of an approval of which nothing came", () => {
  it.each(["read", "save"] as const)("says why a %s failed, at once, while the page is looked at", async (what) => {
    const { house, call, open } = await onItsWay(AWAY, what);
    const { version } = house.card();
    expect(house.card()).not.toHaveProperty("failure");
    const changed = house.desk.changed(house.tokens[0] ?? "", version, AbortSignal.timeout(20_000));
    open();
    expect(await codeOf(call)).toBe("provider_unavailable");
    await changed;
    expect(house.card().version).toBeGreaterThan(version);
    expect(house.card().failure).toEqual({ text: AWAY.message });
    expect(house.card().standing).toMatchObject({ is: "approved" });
  });

  it("no longer says so when the next try succeeds, and that is a change as well", async () => {
    for (const what of ["read", "save"] as const) {
      const { house, call, open } = await onItsWay(AWAY, what);
      open();
      await codeOf(call);
      const { version } = house.card();
      house.vault.fails = undefined;
      const again = what === "read" ? house.get("DATABASE_URL") : house.set({ NEW_KEY: "hunter2-4711-new" });
      expect(await codeOf(again)).toBe("done");
      expect(house.rings).toHaveLength(1);
      expect(house.card()).not.toHaveProperty("failure");
      expect(house.card().version).toBeGreaterThan(version);
    }
  });

  it("no longer says so when the window that was opened with it serves the next call", async () => {
    const { house, call, open } = await onItsWay(AWAY, "read", "window");
    open();
    await codeOf(call);
    house.clock.advance(4 * MINUTE);
    house.vault.fails = undefined;
    house.vault.gate = Promise.resolve();
    expect(await codeOf(house.get("DATABASE_URL"))).toBe("done");
    expect(house.card()).not.toHaveProperty("failure");
  });

  it("says the latest reason, and changes once for all the calls that share it", async () => {
    const house = startHouse();
    house.vault.fails = AWAY;
    const calls = [house.get("DATABASE_URL"), house.get("DATABASE_URL"), house.get("DATABASE_URL")];
    await settle();
    const { version } = house.card();
    await house.approve("once");
    await Promise.all(calls.map((call) => codeOf(call)));
    await settle();
    // Settled, three that left, and the failure.
    expect(house.card().version - version).toBe(5);
    house.vault.fails = new VaultError("rate_limited", "1Password wants 900 s of rest");
    expect(await codeOf(house.get("DATABASE_URL"))).toBe("rate_limited");
    expect(house.card().failure).toEqual({ text: "1Password wants 900 s of rest" });
  });

  it("says whose word it was when the vault's own people refused, also while no call is attached", async () => {
    for (const code of ["upstream_denied", "upstream_blocked"] as const) {
      const house = startHouse();
      const preparings = preparingsOf(house.vault);
      const call = house.get("DATABASE_URL", { holdMs: 1_000 });
      await settle();
      await house.approve("once");
      await settle();
      preparings[0]?.context.waiting("waiting for the approvers");
      house.clock.advance(1_000);
      expect(await codeOf(call)).toBe("pending");
      preparings[0]?.ready({ "id:DATABASE_URL": new VaultError(code, "not on a Friday") });
      await settle();
      expect(house.card().failure).toEqual({ text: "not on a Friday", byVault: true });
      expect(house.card()).not.toHaveProperty("upstream");
    }
  });

  it("says when making ready failed while no call was attached, and that is over when it is ready after all", async () => {
    const house = startHouse();
    const preparings = preparingsOf(house.vault);
    const call = house.get("DATABASE_URL", { holdMs: 1_000 });
    await settle();
    await house.approve("once");
    await settle();
    preparings[0]?.context.waiting("waiting for the approvers");
    house.clock.advance(1_000);
    await codeOf(call);
    preparings[0]?.fail(AWAY);
    await settle();
    expect(house.card().failure).toEqual({ text: AWAY.message });
    const next = house.get("DATABASE_URL");
    await settle();
    preparings[1]?.ready();
    expect(await codeOf(next)).toBe("done");
    expect(house.card()).not.toHaveProperty("failure");
  });

  it("shows it visible and no longer than a line", async () => {
    const { house, call, open } = await onItsWay(
      new VaultError("provider_unavailable", `gone \u202Eniamda\n${"x".repeat(1_000)}`),
    );
    open();
    await codeOf(call);
    const { text = "" } = house.card().failure ?? {};
    expect(text).toContain("⟦U+202E⟧niamda⟦U+000A⟧");
    expect([...text]).toHaveLength(300);
  });

  it("says it when the log was away, or the vault could not be opened", async () => {
    const { house, call, open } = await onItsWay(undefined);
    open();
    await codeOf(call);
    expect(house.card()).not.toHaveProperty("failure");
    const other = house.get("STRIPE_KEY");
    await settle();
    house.journal.before = () => {
      house.journal.away = house.journal.kinds().filter((kind) => kind === "approved").length === 2;
      return Promise.resolve();
    };
    await house.approve("once");
    expect(await codeOf(other)).toBe("audit_unavailable");
    expect(house.card().failure).toEqual({ text: "the log cannot be written" });
    expect(house.card(0), "and only on its own page").not.toHaveProperty("failure");
  });
});

describe("what is no failure to the person", () => {
  it.each([
    ["the call was cancelled", "cancelled", (_: House, call: Call<unknown>) => call.cancel()],
    ["they revoked it themselves", "revoked", (house: House) => void house.desk.revoke(house.tokens[0] ?? "")],
    ["the clock stepped back", "revoked", (house: House) => house.clock.setWall(house.clock.now() - 3_000)],
  ] as const)("that %s", async (_, code, happens) => {
    const { house, call, open } = await onItsWay(undefined);
    happens(house, call);
    open();
    expect(await codeOf(call)).toBe(code);
    expect(house.card()).not.toHaveProperty("failure");
  });

  it("what a vault makes of a call that was cancelled meanwhile", async () => {
    const { house, call, open } = await onItsWay(AWAY);
    call.cancel();
    open();
    await codeOf(call);
    await settle();
    expect(house.card()).not.toHaveProperty("failure");
  });

  it("that the session ended while the vault's people were waited for", async () => {
    const house = startHouse();
    preparingsOf(house.vault);
    const call = house.get("DATABASE_URL");
    await settle();
    await house.approve("once");
    await settle();
    house.desk.close("over");
    house.broker.close();
    expect(await codeOf(call)).toBe("cancelled");
    expect(house.card()).not.toHaveProperty("failure");
  });

  it("that a part of a batch failed, or that the vault refused a part of it", async () => {
    const house = startHouse();
    const preparings = preparingsOf(house.vault);
    for (const refused of [{}, { "id:STRIPE_KEY": DENIED }]) {
      house.vault.blocks = (ref) =>
        ref === "id:STRIPE_KEY" ? new VaultError("conflict", "it was renamed") : undefined;
      const batch = house.get(["DATABASE_URL", "STRIPE_KEY"]);
      await settle();
      await house.approve("once");
      await settle();
      preparings.at(-1)?.ready(refused);
      expect(await codeOf(batch)).toBe("done");
      expect(house.card()).not.toHaveProperty("failure");
    }
  });

  it("that a later call under their open window failed", async () => {
    const house = startHouse({ rules: { ttlMs: 5 * MINUTE } });
    await house.served("DATABASE_URL");
    house.vault.fails = AWAY;
    expect(await codeOf(house.get("DATABASE_URL"))).toBe("provider_unavailable");
    expect(house.card()).not.toHaveProperty("failure");
  });
});

it("a failed save that the page does not show would be seen", async () => {
  const twin = (await loadPatched("test/support/house.ts", [
    {
      file: "src/core/deliveries.ts",
      from: "if (!waiter.signal.aborted) this.#failures.failed(claim, known);",
      to: "",
    },
  ])) as { startHouse: Start };
  const told = async (start: Start): Promise<unknown> => {
    const { house, call, open } = await onItsWay(AWAY, "save", "once", start);
    open();
    await call.reply.catch(() => {});
    return house.card().failure?.text;
  };
  expect(await told(startHouse)).toBe(AWAY.message);
  expect(await told(twin.startHouse)).toBeUndefined();
});
