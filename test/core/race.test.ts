import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { requestKey } from "../../src/core/request.ts";
import { codeOf, type House, settle, startHouse } from "../support/house.ts";

/** Everything that can happen to a request at about the same time. */
const MOVES = {
  approve: (house: House) => house.approve("window", 0),
  approveOnce: (house: House) => house.approve("once", 0),
  deny: (house: House) => house.deny(0),
  again: (house: House) =>
    house.desk.answer(house.tokens[0] ?? "", { verdict: "again", note: "no" }, { proof: "link" }),
  revoke: (house: House) => Promise.resolve(house.desk.revoke(house.tokens[0] ?? "")),
  expire: (house: House) => Promise.resolve(house.clock.advance(15 * 60_000)),
  clockBack: (house: House) => Promise.resolve(house.clock.setWall(house.clock.now() - 5_000)),
  logAway: (house: House) => Promise.resolve(void (house.journal.away = true)),
  logBack: (house: House) => Promise.resolve(void (house.journal.away = false)),
  turn: () => settle(),
} as const;
type Move = keyof typeof MOVES;

const ENDS = ["approved", "denied", "returned", "expired", "withdrawn", "cancelled"];

/** Plays moves against one waiting call, each in its place between the steps of writing the log, and checks what came of it. */
export async function play(moves: readonly Move[], breakIt?: (house: House) => void): Promise<void> {
  const house = startHouse({ rules: { ttlMs: 60_000 } });
  breakIt?.(house);
  // Each durable write takes a turn, so that every move can fall before, into and after it.
  house.journal.before = () => new Promise((resolve) => setImmediate(resolve));
  const call = house.get("DATABASE_URL");
  await settle();
  const running = moves.map(async (move, at) => {
    for (let step = 0; step < at % 3; step++) await Promise.resolve();
    await Promise.resolve(MOVES[move](house)).catch(() => {});
  });
  await Promise.all(running);
  house.journal.away = false;
  await settle();
  house.desk.close("over");
  const code = await codeOf(call);

  // A yes that was overtaken by another answer while it was being written is in the log, and so is that it came to nothing.
  const overtaken = house.journal.events.filter(({ kind, detail }) => kind === "revoked" && detail !== undefined);
  const ends = house.journal.kinds().filter((kind) => ENDS.includes(kind));
  for (const { detail } of overtaken)
    if (detail?.endsWith("before it was in force")) ends.splice(ends.indexOf("approved"), 1);
  const released = house.journal.kinds().filter((kind) => kind === "released").length;
  expect(ends, `one outcome after ${moves.join(", ")}`).toHaveLength(1);
  expect(code === "done" ? 1 : 0, "released exactly what was answered").toBe(released);
  if (released > 0) expect(ends).toEqual(["approved"]);
  if (code === "done")
    expect(house.journal.kinds().indexOf("releasing")).toBeGreaterThan(house.journal.kinds().indexOf("approved"));
}

const anyMoves = fc.array(fc.constantFrom(...(Object.keys(MOVES) as Move[])), { minLength: 1, maxLength: 8 });

describe("approve, deny, send back, revoke, expiry and a failing log at the same moment", () => {
  it("leave one outcome, and never a value without a yes", async () => {
    const numRuns = Number(process.env["RACES"] ?? 10_000);
    await fc.assert(
      fc.asyncProperty(anyMoves, (moves) => play(moves)),
      { numRuns },
    );
  });

  it("would be seen to leave two outcomes if the desk forgot that a request has ended", async () => {
    const forgetful = (house: House): void => {
      const answer = house.desk.answer.bind(house.desk);
      const key = requestKey({ session: "session-1", vault: "dev", action: "read", items: [{ name: "DATABASE_URL" }] });
      house.desk.answer = (...args) => {
        const ticket = house.desk.find(key);
        if (ticket) Object.defineProperty(ticket, "isOpen", { value: true }); // planted
        return answer(...args);
      };
    };
    await expect(fc.assert(fc.asyncProperty(anyMoves, (moves) => play(moves, forgetful)))).rejects.toThrow(
      "Property failed",
    );
  });
});
