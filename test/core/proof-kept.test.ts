import { describe, expect, it } from "vitest";
import { createAuthenticator, recordOf } from "../support/authenticator.ts";
import { codeOf, newGate, settle, valuesOf } from "../support/house.ts";
import { fakeNotes } from "../support/provider-context.ts";
import { enrol, startSigningHouse } from "../support/signing.ts";

const VALUE = { DATABASE_URL: "postgres://hunter2-4711" };
const MINUTE = 60_000;

async function asked(options: Parameters<typeof startSigningHouse>[0] = {}, names: string | string[] = "DATABASE_URL") {
  const house = startSigningHouse(options);
  const call = house.get(names);
  await settle();
  return { ...house, call };
}

describe("a signed approval", () => {
  it("is in the log with its proof, who gave it, and the digest of what was signed", async () => {
    const house = await asked();
    const decision = house.decision();
    expect(await house.send(house.phone.signed(decision))).toBe("taken");
    expect(await valuesOf(house.call)).toEqual(VALUE);
    expect(house.journal.events.find(({ kind }) => kind === "approved")).toMatchObject({
      proof: "passkey",
      approver: `Maria's phone (${house.phone.credentialId})`,
      statement: decision.hashes[0],
    });
    expect(house.card().standing).toMatchObject({ is: "approved", by: "Maria's phone" });
    expect(house.desk.overview().windows).toEqual([expect.objectContaining({ by: "Maria's phone" })]);
  });

  it("may be for the requests of two sessions, once for each", async () => {
    const house = await asked();
    const other = house.get("DATABASE_URL", { session: "session-2" });
    await settle();
    const [first, second] = [house.decision({}, 0), house.decision({}, 1)];
    const both = house.phone.signed({ ...first, hashes: [...first.hashes, ...second.hashes] });
    expect(await house.send(both, {}, 0)).toBe("taken");
    expect(await house.send(both, {}, 1)).toBe("taken");
    expect([await codeOf(house.call), await codeOf(other)]).toEqual(["done", "done"]);
    expect(await codeOf(house.get("DATABASE_URL", { session: "session-2" }))).toBe("done");
  });

  it("is looked at once more before the vault's own people are bothered", async () => {
    const house = await asked();
    await house.sign();
    await house.call.reply;
    let bothered = 0;
    house.vault.prepare = (handles) => {
      bothered += 1;
      return Promise.resolve(handles.map(() => "ready"));
    };
    house.kept.delete(house.phone.credentialId);
    expect(await codeOf(house.get("DATABASE_URL"))).toBe("not_proven");
    expect(bothered).toBe(0);
  });
});

describe("an approver who is removed", () => {
  it("counts no more in the very moment their signature is looked at", async () => {
    const notes = fakeNotes()("approvers");
    let isGoing = false;
    const kept: typeof notes = {
      ...notes,
      get: (key) => {
        const record = notes.get(key);
        if (isGoing) queueMicrotask(() => notes.delete(key));
        return record;
      },
    };
    const house = await asked({ kept });
    await house.sign();
    await house.call.reply;
    isGoing = true;
    expect(await codeOf(house.get("DATABASE_URL"))).toBe("not_proven");
    expect(house.journal.kinds().filter((kind) => kind === "releasing")).toHaveLength(1);
  });

  it("takes along the windows they opened: refused at the next use, ended, and said to be", async () => {
    const house = await asked();
    await house.sign();
    await house.call.reply;
    house.kept.delete(house.phone.credentialId);
    const call = house.get("DATABASE_URL");
    expect(await codeOf(call)).toBe("not_proven");
    expect(house.grants.anyOpen).toBe(false);
    expect(house.card(0).standing).toMatchObject({ is: "approved", ended: "revoked" });
    expect(house.journal.events.find(({ kind }) => kind === "revoked")).toMatchObject({
      names: ["DATABASE_URL"],
      detail: expect.stringContaining("approval does not hold"),
    });
    expect(house.journal.events.filter(({ kind }) => kind === "released")).toHaveLength(1);
  });

  it("is noticed by whoever looks at what is open, before anything is used", async () => {
    const house = await asked();
    await house.sign();
    await house.call.reply;
    expect(house.desk.overview().windows).toHaveLength(1);
    house.kept.delete(house.phone.credentialId);
    expect(house.desk.overview().windows).toEqual([]);
    expect(house.card(0).standing).toMatchObject({ is: "approved", ended: "revoked" });
  });

  it("leaves the windows of the others", async () => {
    const house = await asked();
    const other = createAuthenticator({ origin: house.phone.origin });
    house.kept.put(other.credentialId, recordOf(other, "Tom's phone"));
    await house.send(other.signed(house.decision()));
    await house.call.reply;
    house.kept.delete(house.phone.credentialId);
    expect(house.desk.overview().windows).toEqual([expect.objectContaining({ by: "Tom's phone" })]);
    expect(await codeOf(house.get("DATABASE_URL"))).toBe("done");
  });

  it("ends nothing while it cannot be known who is left, and nothing is used either", async () => {
    const house = await asked();
    await house.sign();
    await house.call.reply;
    const record = house.kept.get(house.phone.credentialId);
    house.kept.put(house.phone.credentialId, { damaged: "hunter2-4711" });
    expect(await codeOf(house.get("DATABASE_URL"))).toBe("approvers_unavailable");
    expect(house.desk.overview().windows).toHaveLength(1);
    house.kept.put(house.phone.credentialId, record);
    expect(await codeOf(house.get("DATABASE_URL"))).toBe("done");
  });
});

describe("somebody who is enrolled while a request waits", () => {
  it("has to sign for it: the card says so, anew, and the waiting call is told", async () => {
    const house = await asked({ isEnrolled: false });
    const before = house.card();
    expect(before.offer).not.toHaveProperty("proof");
    expect(house.call.waits.at(-1)?.linkApproves).toBe(true);
    enrol(house);
    const after = house.card();
    expect(after.offer.proof).toBe("passkey");
    expect(after.revision).toBe(before.revision + 1);
    expect(house.call.waits.at(-1)?.linkApproves).toBe(false);
    expect(await house.send("link", { revision: before.revision })).toBe("not taken");
    expect(await house.send("link")).toBe("not_proven");
    expect(await house.sign()).toBe("taken");
    expect(await valuesOf(house.call)).toEqual(VALUE);
  });

  it("has to sign for it for good: gone again, the link does not come back", async () => {
    const house = await asked({ isEnrolled: false });
    enrol(house);
    house.card();
    house.kept.delete(house.phone.credentialId);
    expect(await house.send("link")).toBe("not_proven");
    expect(house.card().standing.is).toBe("waiting");
  });

  it("changes nothing where the rules take the link whoever is enrolled", async () => {
    const house = await asked({ isEnrolled: false, rules: { ttlMs: 10 * MINUTE, require: "link" } });
    enrol(house);
    expect(await house.send("link")).toBe("taken");
    expect(await valuesOf(house.call)).toEqual(VALUE);
    expect(await codeOf(house.get("DATABASE_URL"))).toBe("done");
  });

  it("does not open the link's way by being unreadable", async () => {
    const house = await asked({ isEnrolled: false });
    house.kept.put("damaged", { v: 99 });
    expect(await house.send("link")).toBe("approvers_unavailable");
    expect(await house.deny(), "a no needs nobody").toBe(true);
  });
});

describe("while a yes is being written", () => {
  it.each([
    ["a no", (house: Awaited<ReturnType<typeof asked>>) => house.deny(), "denied"],
    ["a stop of the user", (house: Awaited<ReturnType<typeof asked>>) => house.call.cancel("user-cancel"), "withdrawn"],
    ["the end of the session", (house: Awaited<ReturnType<typeof asked>>) => house.desk.close("over"), "cancelled"],
    [
      "a clock that is set back",
      (house: Awaited<ReturnType<typeof asked>>) => house.clock.setWall(house.clock.now() - 5_000),
      "expired",
    ],
  ])("%s counts, and the log says that the yes came to nothing", async (_, happens, standing) => {
    const house = await asked();
    const gate = newGate();
    const reached = newGate();
    house.journal.before = () => {
      reached.open();
      return gate.opened;
    };
    const answer = house.sign();
    await reached.opened;
    await Promise.resolve(happens(house));
    gate.open();
    expect(await answer).toBe("not taken");
    expect(house.card().standing.is).toBe(standing);
    expect(house.grants.anyOpen).toBe(false);
    expect(house.journal.kinds()).toEqual(expect.arrayContaining(["approved", "revoked", standing]));
    expect(house.journal.kinds()).not.toContain("releasing");
  });

  it("a log that fails leaves it waiting, for a signature made anew", async () => {
    const house = await asked();
    house.journal.away = true;
    expect(await house.sign()).toBe("audit_unavailable");
    house.journal.away = false;
    expect(house.card().standing.is).toBe("waiting");
    house.clock.advance(1_000);
    expect(await house.sign()).toBe("taken");
    expect(await valuesOf(house.call)).toEqual(VALUE);
  });
});
