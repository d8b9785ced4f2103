import { expect, it } from "vitest";
import { Tally } from "../../src/core/tally.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { FakeJournal } from "../support/house.ts";

function start() {
  const [clock, journal] = [new FakeClock(), new FakeJournal()];
  const tally = new Tally(journal, clock);
  const refuse = (about: object): void => tally.note({ kind: "refused", at: clock.now(), session: "one", ...about });
  return { clock, journal, tally, refuse };
}

it("counts vaults that do not exist as one kind, however many names an agent makes up", () => {
  const { journal, tally, refuse } = start();
  for (let at = 0; at < 10_000; at++) refuse({ code: "vault_not_found", vault: `vault ${at}` });
  tally.flush();
  expect(journal.events).toMatchObject([{ code: "vault_not_found", vault: "vault 0" }, { count: 9_999 }]);
  expect(journal.events[1]).not.toHaveProperty("vault");
});

it("says in the line for many only what holds for all of them", () => {
  const { journal, tally, refuse } = start();
  for (let at = 0; at < 1_000; at++)
    refuse({ code: at % 2 ? "denied" : "conflict", vault: `vault ${at}`, action: "read" });
  tally.flush();
  const many = journal.events.filter(({ count }) => count !== undefined);
  expect(many).toHaveLength(1);
  expect(many[0]).toMatchObject({ kind: "refused", session: "one", action: "read", count: 799 });
  expect(many[0]).not.toHaveProperty("vault");
  expect(many[0]).not.toHaveProperty("code");
});
