import type { PublicKeyCredentialRequestOptionsJSON } from "@simplewebauthn/server";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { openRemoval } from "../../src/approvers/removal.ts";
import { openApprovers } from "../../src/approvers/store.ts";
import { openNotes } from "../../src/state/notes.ts";
import { createAuthenticator, enrolled } from "../support/authenticator.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { FakeJournal } from "../support/house.ts";
import { loadPatched } from "../support/patched.ts";

const PAGE = "https://desk.example.org";

type Opened = Pick<typeof import("../../src/approvers/removal.ts"), "openRemoval">;

/** Two who are enrolled remove each other at the same time, each from a process of its own. Who is left, and how it ended. */
async function bothRemove({ openRemoval: open }: Opened): Promise<{ left: number; stages: string[] }> {
  const folder = mkdtempSync(join(tmpdir(), "agent-vault-removals-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const clock = new FakeClock();
  const [maria, tablet] = [createAuthenticator({ origin: PAGE }), createAuthenticator({ origin: PAGE })];
  const processes = [maria, tablet].map(() => openNotes(folder));
  onTestFinished(() => processes.forEach((notes) => notes.close()));
  const [notes] = processes;
  if (!notes) throw new Error("no notes");
  for (const [phone, name] of [[maria, "Maria's phone"] as const, [tablet, "Tablet"] as const])
    enrolled(phone, name, { notes: notes.of("approvers"), clock });

  let met = 0;
  let meet = (): void => {};
  const together = new Promise<void>((resolve) => (meet = resolve));
  const remove = async (phone: typeof maria, by: typeof maria, own: typeof notes): Promise<string> => {
    const journal = new FakeJournal();
    // Both are in the log, and neither is done, when both go on.
    journal.before = () => {
      if (++met === 2) meet();
      return together;
    };
    const store = openApprovers({ notes: own.of("approvers"), clock });
    const target = store.all().find(({ id }) => id === phone.credentialId);
    if (!target) throw new Error("nobody to remove");
    const removal = open(target, { store, journal, clock, lastOne: "" });
    const begun = await removal.step(removal.token, { do: "begin", device: "d", origin: PAGE });
    const response = by.sign(begun?.options as PublicKeyCredentialRequestOptionsJSON);
    const view = await removal.step(removal.token, { do: "finish", device: "d", origin: PAGE, response });
    const said = journal.events.map(({ kind, detail }) => (detail === "it could not be removed" ? "taken back" : kind));
    return `${view?.stage}: ${said.join(", ")}`;
  };
  const [one = notes, other = notes] = processes;
  const stages = await Promise.all([remove(maria, tablet, one), remove(tablet, maria, other)]);
  return { left: openApprovers({ notes: notes.of("approvers"), clock }).all().length, stages: stages.toSorted() };
}

describe("two approvers who remove each other at once", () => {
  it("do not both go, and the log says which of them stayed", async () => {
    expect(await bothRemove({ openRemoval })).toEqual({
      left: 1,
      stages: ["done: approver_removed", "failed: approver_removed, taken back"],
    });
  });

  it("would both go if who signed were not looked for in the very moment", async () => {
    const twin = (await loadPatched("src/approvers/removal.ts", [
      {
        file: "src/approvers/removal.ts",
        from: "store.remove(approver.id, signature.by.id)",
        to: "store.remove(approver.id)",
      },
    ])) as Opened;
    expect(await bothRemove(twin)).toMatchObject({ left: 0 });
  });
});

describe("who signed for a removal", () => {
  it.each([
    ["of another, and stays", ["a", "b"], "a", "b", true],
    ["of another, and is gone", ["a"], "a", "b", false],
    ["of itself as the last", ["a"], "a", "a", true],
    ["of itself beside another", ["a", "b"], "a", "a", false],
    ["of nobody", ["b"], "a", "b", false],
  ])("%s", (_, there, id, by, done) => {
    const folder = mkdtempSync(join(tmpdir(), "agent-vault-removals-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const notes = openNotes(folder);
    onTestFinished(() => notes.close());
    const scope = notes.of("approvers");
    for (const key of there) scope.put(key, {});
    const store = openApprovers({ notes: scope, clock: new FakeClock() });
    expect(store.remove(id, by)).toBe(done);
    expect([...scope.all().keys()]).toEqual(there.filter((key) => !(done && key === id)));
  });
});
