import { describe, expect, it } from "vitest";
import type { Event } from "../../src/core/event.ts";
import { settle } from "../support/house.ts";
import { loadPatched } from "../support/patched.ts";
import * as real from "../support/signing.ts";

const MINUTE = 60_000;

async function asked(of: typeof real = real, names = ["DATABASE_URL"]) {
  const house = of.startSigningHouse();
  for (const name of names) void house.get(name);
  await settle();
  const refused = (): readonly Event[] => house.journal.events.filter(({ kind }) => kind === "refused");
  const requests = house.journal.events.flatMap(({ kind, request }) => (kind === "requested" && request) || []);
  return { house, refused, requests };
}

/** A yes to a request that is signed for something else. */
function forge({ phone, decision, send }: real.SigningHouse, at = -1): Promise<string> {
  return send(phone.signed(decision({ choice: "once" }, at)), {}, at);
}

describe("a yes whose proof does not hold", () => {
  it("is in the log, with the request it was for and why it does not", async () => {
    const { house, refused, requests } = await asked();
    expect(await forge(house)).toBe("not_proven");
    expect(refused()).toEqual([
      expect.objectContaining({
        request: requests[0],
        session: "session-1",
        vault: "dev",
        names: ["DATABASE_URL"],
        code: "not_proven",
        detail: expect.stringContaining("what was signed is not this request"),
      }),
    ]);
    expect(refused()[0]).not.toHaveProperty("approval");
    expect(JSON.stringify(house.journal.events)).not.toContain(house.tokens[0]);
  });

  it("is in the log when it was given by the link alone, and when nobody can look at it", async () => {
    const { house, refused } = await asked();
    await house.send("link");
    house.kept.put(house.phone.credentialId, { damaged: "hunter2-4711" });
    expect(await house.sign()).toBe("approvers_unavailable");
    expect(refused().map(({ code }) => code)).toEqual(["not_proven", "approvers_unavailable"]);
    expect(refused()[0]?.detail).toContain("has to be signed");
    expect(JSON.stringify(refused())).not.toContain("hunter2");
  });

  it("fills the log no more than once a minute for each request, however often it is tried", async () => {
    const { house, refused, requests } = await asked(real, ["DATABASE_URL", "STRIPE_KEY"]);
    for (let times = 0; times < 100; times++) for (const at of [0, 1]) await forge(house, at);
    expect(refused().map(({ request }) => request)).toEqual(requests);
    house.clock.advance(MINUTE);
    expect(refused().slice(2)).toEqual(
      requests.map((request) => expect.objectContaining({ request, code: "not_proven", count: 99 })),
    );
  });

  it("leaves no line where it holds", async () => {
    const { house, refused } = await asked();
    expect(await house.sign()).toBe("taken");
    expect(refused()).toEqual([]);
  });

  it("would be seen to leave none if nobody wrote it down", async () => {
    const silent = { file: "src/core/approvals.ts", from: "tally.note(", to: "Object(" };
    const { house, refused } = await asked((await loadPatched("test/support/signing.ts", [silent])) as typeof real);
    expect(await forge(house)).not.toBe("taken");
    expect(refused()).toEqual([]);
  });
});
