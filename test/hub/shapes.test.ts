import { expect, it } from "vitest";
import type * as z from "zod";
import type { Answer, AnswerBy, Approval, Card } from "../../src/core/card.ts";
import type { Overview } from "../../src/core/overview.ts";
import type { PairingStep, PairingView } from "../../src/core/pairing.ts";
import type { Statement } from "../../src/core/statement.ts";
import type * as shapes from "../../src/hub/shapes.ts";
import { card } from "../../src/hub/shapes.ts";
import { settle, startHouse } from "../support/house.ts";

type Deep<T> = T extends object ? { [K in keyof T]-?: Deep<T[K]> } : T;
type Same<A, B> = [Deep<A>] extends [Deep<B>] ? ([Deep<B>] extends [Deep<A>] ? true : false) : false;
type Travels<Shape extends z.ZodType, T> = Same<z.output<Shape>, T>;

// Does not compile as soon as the core has more in these, or something else, than travels.
const complete: readonly [
  Travels<typeof shapes.card, Card>,
  Travels<typeof shapes.approval, Approval>,
  Travels<typeof shapes.answer, Answer>,
  Travels<typeof shapes.statement, Statement>,
  Travels<typeof shapes.answerBy, AnswerBy>,
  Travels<typeof shapes.overview, Overview>,
  Travels<typeof shapes.pairingStep, PairingStep>,
  Travels<typeof shapes.pairingView, PairingView>,
] = [true, true, true, true, true, true, true, true];

it("everything a card has travels, and nothing else does", async () => {
  expect(complete).not.toContain(false);
  const house = startHouse({ rules: { ttlMs: 60_000 } });
  void house.set({ TOKEN: "a value of more than 24 characters" });
  await settle();
  const shown = house.card();
  expect(card.parse(JSON.parse(JSON.stringify(shown)))).toEqual(shown);
  expect(card.safeParse({ ...shown, value: "hunter2-4711" }).success).toBe(false);
});
