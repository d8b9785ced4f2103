import { describe, expect, it } from "vitest";
import { VaultError } from "../../src/core/errors.ts";
import { approvedBatch, deliveryLines, errorOf, SECRETS } from "../support/approved-batch.ts";
import { type Call, codeOf, type House, settle, startHouse, valuesOf } from "../support/house.ts";
import { preparingsOf } from "../support/preparings.ts";

const DENIED = new VaultError("upstream_denied", "the approvers of 12Port turned down GUARDED (request 4711)", {
  hint: "another call requests access once more",
});
const BLOCKED = new VaultError("upstream_blocked", "12Port wants a second factor for OTHER");
const NO = { "id:GUARDED": DENIED };

describe("a batch of which the vault refuses a part", () => {
  it("hands out the rest, tells of each refused name, and records as releasing only what is read", async () => {
    const { house, call, first } = await approvedBatch(["PLAIN", "GUARDED", "OTHER"]);
    first.ready(NO);
    expect(await valuesOf(call)).toEqual({ PLAIN: SECRETS.PLAIN, GUARDED: "upstream_denied", OTHER: SECRETS.OTHER });
    const reply = await call.reply;
    const told = reply.is === "done" ? reply.results.map(({ name }) => name) : [];
    expect(told, "in the order asked").toEqual(["PLAIN", "GUARDED", "OTHER"]);
    expect(deliveryLines(house.journal.events)).toEqual([
      ["failed", "id:GUARDED", "upstream_denied"],
      ["releasing", "id:PLAIN", "id:OTHER"],
      ["released", "id:PLAIN", "id:OTHER"],
    ]);
    expect(house.journal.events.find(({ kind }) => kind === "failed")).toMatchObject({
      names: ["GUARDED"],
      detail: DENIED.message,
      approval: expect.any(String),
    });
  });

  it("uses the approval up, as any delivery does", async () => {
    const { house, call, first } = await approvedBatch(["PLAIN", "GUARDED"], { upstream: { cooldownMs: 0 } });
    first.ready(NO);
    expect(await codeOf(call)).toBe("done");
    void house.get(["PLAIN", "GUARDED"]);
    await settle();
    expect(house.rings).toHaveLength(2);
  });

  it("blames nobody else: what was not refused can be had at once, alone and with others", async () => {
    const { house, preparings, call, first } = await approvedBatch(["PLAIN", "GUARDED"]);
    first.ready(NO);
    await call.reply;
    const alone = house.get("PLAIN");
    const others = house.get(["PLAIN", "OTHER"]);
    await settle();
    for (const at of [1, 2]) await house.approve("once", at);
    await settle();
    for (const at of [1, 2]) preparings[at]?.ready();
    expect([await codeOf(alone), await codeOf(others)]).toEqual(["done", "done"]);
  });

  it("remembers the refused one under whatever name it is asked for, and says which of a batch it is", async () => {
    const { house, preparings, call, first } = await approvedBatch(["PLAIN", "GUARDED"]);
    first.ready(NO);
    await call.reply;
    house.clock.advance(60_000);
    const { resolve } = house.vault;
    const byAlias = (names: readonly string[]): ReturnType<typeof resolve> =>
      resolve(names.map((name) => (name === "alias" ? "GUARDED" : name)));
    Object.assign(house.vault, { resolve: byAlias });
    const again = await errorOf(house.get("alias"));
    expect(again.code).toBe("upstream_denied");
    expect(again.message).toMatch(/^the approvers .* \(request 4711\); .* in 240 s at the earliest$/);
    expect(again.hint, "the vault's own word on when is not contradicted").toBe("ask the user what to do instead");
    const batch = await errorOf(house.get(["PLAIN", "GUARDED"]));
    expect(batch.message).toMatch(/^turned down a moment ago: "GUARDED": the approvers .* 240 s at the earliest$/);
    expect(batch.hint).toMatch(/^call again without that/);
    expect([house.rings.length, preparings.length]).toEqual([1, 1]);
  });

  it("serves every call that joined with the same outcome, each with its own lines, and one line for the refusal", async () => {
    const { house, preparings, call, first } = await approvedBatch(["PLAIN", "GUARDED"]);
    const joined = [house.get(["GUARDED", "PLAIN"]), house.get(["PLAIN", "GUARDED"])];
    await settle();
    first.ready(NO);
    for (const each of [call, ...joined])
      expect(await valuesOf(each)).toEqual({ PLAIN: SECRETS.PLAIN, GUARDED: "upstream_denied" });
    expect(preparings).toHaveLength(1);
    expect(deliveryLines(house.journal.events).filter((line) => line[0] === "failed")).toHaveLength(1);
    expect(deliveryLines(house.journal.events).filter((line) => line[0] === "released")).toHaveLength(3);
  });

  it("waits for the next call when nobody is attached, which gets the rest without the vault being asked again", async () => {
    const { house, preparings, call, first } = await approvedBatch(["PLAIN", "GUARDED"], { holdMs: 1_000 });
    first.context.waiting("waiting for the approvers");
    house.clock.advance(1_000);
    expect(await codeOf(call)).toBe("pending");
    first.ready(NO);
    await settle();
    const next = house.get(["PLAIN", "GUARDED"]);
    await settle();
    expect(preparings[1]?.refs).toEqual(["id:PLAIN"]);
    preparings[1]?.ready();
    expect(await valuesOf(next)).toEqual({ PLAIN: SECRETS.PLAIN, GUARDED: "upstream_denied" });
    expect(house.rings).toHaveLength(1);
  });

  it("has a line for each way of refusing; refused whole, it fails, and the approval is used up", async () => {
    const { house, preparings, call, first } = await approvedBatch(["OTHER", "GUARDED"]);
    first.ready({ ...NO, "id:OTHER": BLOCKED });
    const error = await errorOf(call);
    expect(error).toMatchObject({ code: "upstream_blocked", message: '2 of 2 names failed: "OTHER", "GUARDED"' });
    expect(deliveryLines(house.journal.events)).toEqual([
      ["failed", "id:OTHER", "upstream_blocked"],
      ["failed", "id:GUARDED", "upstream_denied"],
    ]);
    expect(house.card().standing).toMatchObject({ is: "approved", ended: "over" });
    expect(house.card().failure).toEqual({
      text: `2 of 2 names failed: "OTHER", "GUARDED"; the first: ${BLOCKED.message}`,
      byVault: true,
    });
    expect([await codeOf(house.get("OTHER")), await codeOf(house.get("GUARDED"))]).toEqual([
      "upstream_blocked",
      "upstream_denied",
    ]);
    expect([house.rings.length, preparings.length, house.vault.reads]).toEqual([1, 1, 0]);
  });

  it("is refused whole in one word where the vault says it of all at once", async () => {
    const { house, call, first } = await approvedBatch(["PLAIN", "GUARDED"]);
    first.fail(DENIED);
    expect(await errorOf(call)).toMatchObject({ code: "upstream_denied", message: DENIED.message });
    expect(deliveryLines(house.journal.events)).toEqual([["failed", "id:PLAIN", "id:GUARDED", "upstream_denied"]]);
    expect(await codeOf(house.get("PLAIN"))).toBe("upstream_denied");
  });

  it("that nothing comes of the rest either is a failure as any: the use is given back", async () => {
    const { house, preparings, call, first } = await approvedBatch(["PLAIN", "GUARDED"]);
    house.vault.fails = new VaultError("provider_unavailable", "12Port does not answer");
    first.ready(NO);
    expect(await codeOf(call)).toBe("provider_unavailable");
    house.vault.fails = undefined;
    const next = house.get(["PLAIN", "GUARDED"]);
    await settle();
    expect(preparings.map(({ refs }) => refs)).toEqual([["id:PLAIN", "id:GUARDED"], ["id:PLAIN"]]);
    preparings[1]?.ready();
    expect(await valuesOf(next)).toEqual({ PLAIN: SECRETS.PLAIN, GUARDED: "upstream_denied" });
    expect(house.rings).toHaveLength(1);
  });

  it("refused at the first look, with people wanted for another at the read: nobody is asked for the first again", async () => {
    for (const cooldownMs of [300_000, 0]) {
      const { house, preparings, call, first } = await approvedBatch(["PLAIN", "GUARDED", "OTHER"], {
        upstream: { cooldownMs },
      });
      let agreed = false;
      house.vault.blocks = (ref) =>
        ref === "id:OTHER" && !agreed ? new VaultError("upstream_required", "its people are needed") : undefined;
      first.ready(NO);
      await settle();
      expect(preparings[1]?.refs).toEqual(["id:PLAIN", "id:OTHER"]);
      agreed = true;
      preparings[1]?.ready();
      expect(await valuesOf(call)).toEqual({ PLAIN: SECRETS.PLAIN, GUARDED: "upstream_denied", OTHER: SECRETS.OTHER });
      expect(deliveryLines(house.journal.events)).toEqual([
        ["failed", "id:GUARDED", "upstream_denied"],
        ["releasing", "id:PLAIN", "id:OTHER"],
        ["failed", "id:PLAIN", "id:OTHER", "upstream_required"],
        ["releasing", "id:PLAIN", "id:OTHER"],
        ["released", "id:PLAIN", "id:OTHER"],
      ]);
    }
  });

  it("people wanted at the read, who then refuse the one: the innocent is read again and handed out", async () => {
    const { house, preparings, call, first } = await approvedBatch(["PLAIN", "GUARDED"]);
    house.vault.blocks = (ref) =>
      ref === "id:GUARDED" ? new VaultError("upstream_required", "its people are needed") : undefined;
    first.ready();
    await settle();
    preparings[1]?.context.waiting("waiting for the approvers");
    preparings[1]?.ready(NO);
    expect(await valuesOf(call)).toEqual({ PLAIN: SECRETS.PLAIN, GUARDED: "upstream_denied" });
    expect(house.vault.reads).toBe(2);
    expect(house.card()).not.toHaveProperty("failure");
  });

  it("tells fields of one secret apart", async () => {
    const house = startHouse({ secrets: { "db#password": "hunter2-4711", "db#username": "maria-0815" } });
    house.vault.hasFields();
    const preparings = preparingsOf(house.vault);
    const call = house.get("db", { fields: ["username", "password"] });
    await settle();
    await house.approve("once");
    await settle();
    preparings[0]?.ready({ "id:db#password": DENIED });
    const reply = await call.reply;
    expect(reply.is === "done" && reply.results.map(({ field, result }) => [field, result])).toMatchObject([
      ["username", expect.anything()],
      ["password", { code: "upstream_denied" }],
    ]);
    expect(house.journal.events.find(({ kind }) => kind === "failed")).toMatchObject({ names: ["db#password"] });
    expect((await errorOf(house.get("db", { fields: ["*"] }))).message).toContain('"db#password"');
  });

  it.each([
    ["revoked", "revoked", (house: House) => void house.desk.revoke(house.tokens[0] ?? "")],
    ["the clock stepped back", "revoked", (house: House) => house.clock.setWall(house.clock.now() - 3_000)],
    ["cancelled", "cancelled", (_: House, call: Call<unknown>) => call.cancel()],
    ["the log went away", "audit_unavailable", (house: House) => void (house.journal.away = true)],
  ] as const)("hands out nothing of the rest when it was %s meanwhile", async (_, code, happens) => {
    const { house, call, first } = await approvedBatch(["PLAIN", "GUARDED"]);
    happens(house, call);
    first.ready(NO);
    expect(await codeOf(call)).toBe(code);
    expect(house.vault.reads).toBe(0);
  });
});
