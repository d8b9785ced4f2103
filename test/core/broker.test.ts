import { describe, expect, it } from "vitest";
import { VaultError } from "../../src/core/errors.ts";
import { codeOf, settle, startHouse, valuesOf } from "../support/house.ts";

const MINUTE = 60_000;

describe("a read", () => {
  it("hands out the value after a person approves, and never before", async () => {
    const house = startHouse();
    const call = house.get("DATABASE_URL");
    await settle();
    expect(house.vault.reads).toBe(0);
    expect(await house.approve()).toBe(true);
    expect(await valuesOf(call)).toEqual({ DATABASE_URL: "postgres://hunter2-4711" });
    expect(house.journal.kinds()).toEqual(["requested", "approved", "releasing", "released"]);
  });

  it("records every step with who, what, why and on whose approval", async () => {
    const house = startHouse({ rules: { ttlMs: 15 * MINUTE } });
    await house.served("DATABASE_URL");
    const [requested, approved, releasing, released] = house.journal.events;
    for (const event of [requested, approved, releasing, released]) {
      expect(event).toMatchObject({
        vault: "dev",
        names: ["DATABASE_URL"],
        refs: ["id:DATABASE_URL"],
        action: "read",
        reason: "run migration 0042",
        session: "session-1",
        requester: { facts: { user: "maria" } },
      });
    }
    expect(approved).toMatchObject({
      approval: requested?.request,
      proof: "link",
      until: house.clock.now() + 15 * MINUTE,
    });
    expect(releasing).toMatchObject({ approval: requested?.request, basis: "asked", release: released?.release });
  });

  it("says no in the agent's words when denied, and does not ring again for the same items for a while", async () => {
    const house = startHouse();
    const first = house.get("DATABASE_URL");
    await settle();
    await house.deny();
    expect(await codeOf(first)).toBe("denied");
    expect(await codeOf(house.get("DATABASE_URL"))).toBe("denied");
    expect(await codeOf(house.get(["STRIPE_KEY", "DATABASE_URL"]))).toBe("denied");
    expect(house.rings).toHaveLength(1);
    expect(house.vault.resolves, "the vault was not touched again").toBe(1);
    house.clock.advance(300_001);
    void house.get("DATABASE_URL");
    await settle();
    expect(house.rings).toHaveLength(2);
  });

  it("a denied item stays refused under another session's name only in its own session", async () => {
    const house = startHouse();
    void house.get("DATABASE_URL");
    await settle();
    await house.deny();
    void house.get("DATABASE_URL", { session: "session-2" });
    await settle();
    expect(house.rings).toHaveLength(2);
  });

  it("gives the agent the person's note when sent back, without a cool-down", async () => {
    const house = startHouse();
    const call = house.get("DATABASE_URL");
    await settle();
    await house.desk.answer(
      house.tokens[0] ?? "",
      { verdict: "again", note: "use the staging one" },
      { proof: "link" },
    );
    await expect(call.reply).rejects.toMatchObject({
      code: "ask_differently",
      message: expect.stringContaining("use the staging one"),
    });
    void house.get("DATABASE_URL");
    await settle();
    expect(house.rings).toHaveLength(2);
  });

  it("asks nobody for names that do not resolve, and names all of them", async () => {
    const house = startHouse();
    const error = await house.get(["DATABASE_URL", "NOPE", "NADA"]).reply.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "secret_not_found" });
    expect((error as VaultError).message).toContain("NOPE");
    expect((error as VaultError).message).toContain("NADA");
    expect(house.rings).toHaveLength(0);
    expect(house.journal.kinds()).toEqual(["refused"]);
  });

  it("has a line for each of the first ten names that do not resolve, with what comes close", async () => {
    const house = startHouse();
    const resolve = house.vault.resolve;
    Object.assign(house.vault, {
      resolve: async (names: readonly string[]) =>
        (await resolve(names)).map((one, at) =>
          one instanceof VaultError
            ? new VaultError(one.code, at === 1 ? "nowhere to be found" : one.message, { hint: `did you mean K${at}?` })
            : one,
        ),
    });
    const names = ["DATABASE_URL", ...Array.from({ length: 12 }, (_, at) => `NOPE_${at}`)];
    const error = await house.get(names).reply.catch((thrown: unknown) => thrown);
    const { message, hint = "" } = error as VaultError;
    expect(message).toMatch(/^12 of 13 names failed: "NOPE_0", .*"NOPE_11"$/);
    const lines = hint.split("\n");
    expect(lines[0]).toBe('"NOPE_0": nowhere to be found; did you mean K1?');
    expect(lines[9]).toMatch(/^[^:]*"NOPE_9"[^:]*; did you mean K10\?$/);
    expect(lines.slice(10)).toEqual(["and 2 more"]);
  });

  it("an unknown vault is answered with the known ones, and logged", async () => {
    const house = startHouse({ vaults: { dev: {}, prod: {} } });
    const error = await house.get("X", { vault: "porduction" }).reply.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "vault_not_found", hint: 'the vaults are "dev", "prod"' });
    expect(house.journal.events).toMatchObject([{ kind: "refused", code: "vault_not_found", vault: "porduction" }]);
  });

  it("lets nothing out when the log cannot be written, at any of the three places", async () => {
    const house = startHouse({ rules: { ttlMs: MINUTE } });
    house.journal.away = true;
    expect(await codeOf(house.get("DATABASE_URL"))).toBe("audit_unavailable");
    expect(house.rings, "nobody is bothered").toHaveLength(0);

    house.journal.away = false;
    const call = house.get("DATABASE_URL");
    await settle();
    house.journal.away = true;
    await expect(house.approve()).rejects.toMatchObject({ code: "audit_unavailable" });
    expect(house.card().standing).toEqual({ is: "waiting" });

    house.journal.away = false;
    await house.approve();
    await call.reply;
    house.journal.away = true;
    const reads = house.vault.reads;
    expect(await codeOf(house.get("DATABASE_URL"))).toBe("audit_unavailable");
    expect(house.vault.reads, "the value was not even fetched").toBe(reads);
  });

  it("reports what failed to read and gives the use back", async () => {
    const house = startHouse();
    const call = house.get("DATABASE_URL");
    await settle();
    house.vault.fails = new VaultError("provider_unavailable", "the vault went away");
    await house.approve("once");
    expect(await codeOf(call)).toBe("provider_unavailable");
    expect(house.journal.kinds().at(-1)).toBe("failed");
    house.vault.fails = undefined;
    expect(await valuesOf(house.get("DATABASE_URL"))).toEqual({ DATABASE_URL: "postgres://hunter2-4711" });
    expect(house.rings).toHaveLength(1);
  });

  it("reads by what was shown: a name that moved in the meantime is a conflict, not another secret", async () => {
    const house = startHouse();
    const call = house.get("DATABASE_URL");
    await settle();
    house.vault.secrets.delete("DATABASE_URL");
    await house.approve();
    expect(await codeOf(call)).toBe("conflict");
  });

  it("in a batch, says which names failed and still hands out the others", async () => {
    const house = startHouse();
    const call = house.get(["DATABASE_URL", "STRIPE_KEY"]);
    await settle();
    house.vault.secrets.delete("STRIPE_KEY");
    await house.approve();
    expect(await valuesOf(call)).toEqual({ DATABASE_URL: "postgres://hunter2-4711", STRIPE_KEY: "conflict" });
    expect(house.journal.events.slice(-2)).toMatchObject([
      { kind: "released", names: ["DATABASE_URL"] },
      { kind: "failed", names: ["STRIPE_KEY"], code: "conflict" },
    ]);
  });
});

describe("a window", () => {
  it("covers the same secret without asking until it ends, to the millisecond", async () => {
    const house = startHouse({ rules: { ttlMs: 15 * MINUTE } });
    await house.served("DATABASE_URL");
    house.clock.advance(15 * MINUTE - 1);
    expect(await codeOf(house.get("DATABASE_URL"))).toBe("done");
    expect(house.journal.events.at(-2)).toMatchObject({ kind: "releasing", basis: "window" });
    house.clock.advance(1);
    void house.get("DATABASE_URL");
    await settle();
    expect(house.rings).toHaveLength(2);
    expect(house.journal.kinds()).toContain("window_ended");
  });

  it.each([
    ["across midnight UTC", Date.UTC(2026, 10, 20, 23, 59, 30)],
    ["across the new year", Date.UTC(2026, 11, 31, 23, 59, 59)],
  ])("of one minute ends after one minute %s", async (_, start) => {
    const house = startHouse({ rules: { ttlMs: MINUTE } });
    house.clock.setWall(start);
    await house.served("DATABASE_URL");
    house.clock.advance(MINUTE - 1);
    expect(await codeOf(house.get("DATABASE_URL"))).toBe("done");
    house.clock.advance(1);
    void house.get("DATABASE_URL");
    await settle();
    expect(house.rings).toHaveLength(2);
  });

  it("is revoked when the wall clock steps back, and says so in the log", async () => {
    const house = startHouse({ rules: { ttlMs: 60 * MINUTE } });
    await house.served("DATABASE_URL");
    house.clock.advance(10 * MINUTE);
    house.clock.setWall(house.clock.now() - 3_000);
    void house.get("DATABASE_URL");
    await settle();
    expect(house.rings).toHaveLength(2);
    expect(house.journal.events).toContainEqual(
      expect.objectContaining({ kind: "revoked", detail: "the clock stepped back" }),
    );
  });

  it("survives a wall clock that is set right by a second", async () => {
    const house = startHouse({ rules: { ttlMs: 60 * MINUTE } });
    await house.served("DATABASE_URL");
    house.clock.setWall(house.clock.now() - 1_000);
    expect(await codeOf(house.get("DATABASE_URL"))).toBe("done");
  });

  it("ends at once when the wall clock jumps past its end", async () => {
    const house = startHouse({ rules: { ttlMs: MINUTE } });
    await house.served("DATABASE_URL");
    house.clock.setWall(house.clock.now() + MINUTE);
    void house.get("DATABASE_URL");
    await settle();
    expect(house.rings).toHaveLength(2);
  });

  it("of one secret covers no other; of the vault covers all of that vault and no other", async () => {
    const house = startHouse({ vaults: { dev: { ttlMs: MINUTE, ttlScope: "vault" }, prod: { ttlMs: MINUTE } } });
    await house.served("DATABASE_URL");
    expect(await codeOf(house.get("STRIPE_KEY"))).toBe("done");
    const other = house.get("DATABASE_URL", { vault: "prod" });
    await settle();
    expect(house.rings).toHaveLength(2);
    await house.approve();
    await other.reply;
    void house.get("STRIPE_KEY", { vault: "prod" });
    await settle();
    expect(house.rings).toHaveLength(3);
  });

  it("belongs to the session that asked", async () => {
    const house = startHouse({ rules: { ttlMs: MINUTE, ttlScope: "vault" } });
    await house.served("DATABASE_URL");
    void house.get("DATABASE_URL", { session: "session-2" });
    await settle();
    expect(house.rings).toHaveLength(2);
  });

  it("never covers a write", async () => {
    const house = startHouse({ rules: { ttlMs: 60 * MINUTE, ttlScope: "vault" } });
    await house.served("DATABASE_URL");
    void house.set({ DATABASE_URL: "postgres://new-canary-1234" });
    await settle();
    expect(house.rings).toHaveLength(2);
    expect(house.card().offer).toEqual({ windowMs: 0, scope: "secret" });
  });

  it("cannot be widened at the page: 'window' without an offer is just once", async () => {
    const house = startHouse({ rules: { ttlMs: 0 } });
    await house.served("DATABASE_URL");
    void house.get("DATABASE_URL");
    await settle();
    expect(house.rings).toHaveLength(2);
  });

  it("ends when a person revokes it, and the log says so once", async () => {
    const house = startHouse({ rules: { ttlMs: 60 * MINUTE } });
    await house.served("DATABASE_URL");
    expect(house.desk.revoke(house.tokens[0] ?? "")).toBe(true);
    expect(house.desk.revoke(house.tokens[0] ?? "")).toBe(false);
    expect(house.journal.kinds().filter((kind) => kind === "revoked")).toHaveLength(1);
    expect(house.card().standing).toMatchObject({ is: "approved", ended: "revoked" });
    void house.get("DATABASE_URL");
    await settle();
    expect(house.rings).toHaveLength(2);
  });

  it("revoked while a value is on its way keeps that value back", async () => {
    const house = startHouse({ rules: { ttlMs: 60 * MINUTE } });
    await house.served("DATABASE_URL");
    let open = (): void => {};
    house.vault.gate = new Promise((resolve) => {
      open = resolve;
    });
    const call = house.get("DATABASE_URL");
    await settle();
    house.desk.revoke(house.tokens[0] ?? "");
    open();
    expect(await codeOf(call)).toBe("revoked");
  });

  it("in a batch, the card asks only for what is not open, and lists the rest with its end", async () => {
    const house = startHouse({ rules: { ttlMs: 15 * MINUTE } });
    await house.served("DATABASE_URL");
    const until = house.clock.now() + 15 * MINUTE;
    const both = house.get(["DATABASE_URL", "STRIPE_KEY"]);
    await settle();
    expect(house.card().items).toMatchObject([{ name: "DATABASE_URL", openUntil: until }, { name: "STRIPE_KEY" }]);
    expect(house.rings.at(-1)).toMatchObject({ count: 1 });
    await house.approve("once");
    expect(Object.keys(await valuesOf(both))).toEqual(["DATABASE_URL", "STRIPE_KEY"]);
  });

  it("opened for the whole vault answers every other open request it covers", async () => {
    const house = startHouse({ rules: { ttlMs: MINUTE, ttlScope: "vault" } });
    const first = house.get("DATABASE_URL");
    await settle();
    const second = house.get("STRIPE_KEY");
    await settle();
    await house.approve("window", 0);
    expect(await codeOf(first)).toBe("done");
    expect(await codeOf(second)).toBe("done");
    expect(house.journal.kinds()).toContain("covered");
    expect(house.desk.revoke(house.tokens[1] ?? ""), "either page can revoke it").toBe(true);
  });
});

describe("a write", () => {
  it("saves what was shown after approval, and shows no value", async () => {
    const house = startHouse();
    const call = house.set({ NEW_KEY: "canary-value-of-30-characters!" });
    await settle();
    expect(house.card()).toMatchObject({
      action: "write",
      items: [{ name: "NEW_KEY", write: { effect: "create", preview: { length: 30, head: "can", tail: "rs!" } } }],
    });
    await house.approve("once");
    expect(await codeOf(call)).toBe("done");
    expect(house.vault.secrets.get("NEW_KEY")).toBe("canary-value-of-30-characters!");
    expect(JSON.stringify(house.journal.events)).not.toContain("canary-value");
  });

  it("shows only the length of a short value", async () => {
    const house = startHouse();
    void house.set({ PIN: "a-short-value-23-chars-" });
    await settle();
    expect(house.card().items[0]?.write?.preview).toEqual({ length: 23 });
  });

  it("with another value is another request", async () => {
    const house = startHouse();
    const first = house.set({ PIN: "1234567" });
    await settle();
    void house.set({ PIN: "7654321" });
    await settle();
    expect(house.rings).toHaveLength(2);
    await house.approve("once", 0);
    await first.reply;
    expect(house.vault.secrets.get("PIN")).toBe("1234567");
  });

  it("joined in another order still saves each value under its own name", async () => {
    const house = startHouse();
    const first = house.set({ A: "value-for-a", B: "value-for-b" }, { holdMs: 10 });
    await settle();
    house.clock.advance(10);
    expect(await codeOf(first)).toBe("pending");
    await house.approve("once");
    expect(await codeOf(house.set({ B: "value-for-b", A: "value-for-a" }))).toBe("done");
    expect(house.vault.secrets.get("A")).toBe("value-for-a");
    expect(house.vault.secrets.get("B")).toBe("value-for-b");
  });

  it("to a kind of vault that cannot be written to says so, whatever its rules say, and advises nothing impossible", async () => {
    for (const writable of [true, false]) {
      const house = startHouse({ rules: { writable }, canWrite: false });
      const error = await house.set({ A: "b" }).reply.catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({
        code: "not_writable",
        message: 'vault "dev" is of type "fake": vaults of that type cannot be written to',
        hint: "save it into another vault",
      });
      expect([house.vault.resolves, house.rings.length]).toEqual([0, 0]);
      expect(await house.broker.list({ session: "session-1" }, AbortSignal.timeout(1_000))).toMatchObject([
        { vault: "dev", writable: false },
      ]);
    }
  });

  it("to a vault whose provider turns out not to write says the same", async () => {
    const house = startHouse();
    Object.assign(house.vault, { planWrite: undefined, write: undefined });
    const error = await house.set({ A: "b" }).reply.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "not_writable", hint: "save it into another vault" });
    expect(house.rings).toHaveLength(0);
  });

  it("to a vault that is not writable is refused before the vault is touched", async () => {
    const house = startHouse({ rules: { writable: false } });
    expect(await codeOf(house.set({ A: "b" }))).toBe("not_writable");
    expect(house.vault.resolves).toBe(0);
    expect(house.journal.events).toMatchObject([{ kind: "refused", code: "not_writable", action: "write" }]);
  });

  it.each([
    ["the reason", { reason: "save hunter2-4711-canary now" }],
    ["the vault", { vault: "hunter2-4711-canary" }],
  ])("whose value stands in %s is refused and logged without it", async (_, call) => {
    const house = startHouse();
    expect(await codeOf(house.set({ A: "hunter2-4711-canary" }, call))).toBe("value_exposed");
    expect(JSON.stringify(house.journal.events)).not.toContain("hunter2");
    expect(house.journal.kinds()).toEqual(["refused"]);
    expect(house.rings).toHaveLength(0);
  });

  it("a short value counts as exposed only as a whole word", async () => {
    const house = startHouse();
    expect(await codeOf(house.set({ PORT: "80" }, { reason: "the server listens on 80, so keep it" }))).toBe(
      "value_exposed",
    );
    void house.set({ PORT: "80" }, { reason: "the server listens on 8080" });
    await settle();
    expect(house.rings).toHaveLength(1);
  });
});
