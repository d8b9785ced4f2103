import { afterEach, expect, it } from "vitest";
import { startInbox } from "../support/inbox.ts";
import { createWeb } from "../../src/web/server.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { FakeFront } from "../support/fake-front.ts";
import { fakeNotes } from "../support/provider-context.ts";
import { NOBODY } from "../support/house.ts";
import { send, textOf } from "../support/web.ts";

const started: Awaited<ReturnType<typeof startInbox>>[] = [];
afterEach(() => Promise.all(started.splice(0).map(({ web }) => web.close())));

it("leads from what was decided to what is open, on a device that is signed in and on no other", async () => {
  const inbox = await startInbox();
  started.push(inbox);
  const { front, clock, get, signIn } = inbox;
  const token = front.add({ standing: { is: "approved", at: clock.now(), until: clock.now() + 900_000 } });
  const cookie = await signIn();
  const own = (await get(`/approve/${token}`, cookie)).text;
  expect(textOf(own)).toContain("See what is open");
  expect(own).toContain('href="/inbox"');
  expect(textOf((await get(`/approve/${token}`)).text)).not.toContain("See what is open");
});

it("says of one that waits behind the others that it waits", async () => {
  const inbox = await startInbox();
  started.push(inbox);
  const { front, get, signIn } = inbox;
  front.waits();
  front.waits({ isBehind: true });
  const text = textOf((await get("/inbox", await signIn())).text);
  expect(text).toContain("1 more of Claude Code waits behind these.");
  expect(text).toContain("Names of agents are what they call themselves.");
});

it.each([
  ["leads to the inbox where that stays", false, 'href="/inbox"', "as soon as an agent asks"],
  ["says where the inbox will be where this page goes", true, "as soon as an agent asks", 'href="/inbox"'],
])("after a pairing %s", async (_, isPassing, there, absent) => {
  const clock = new FakeClock();
  const front = new FakeFront(clock);
  const done = { kind: "add", name: "Maria's phone", stage: "done", expiresAt: clock.now() } as const;
  front.pairing = () => Promise.resolve(done);
  const inbox = { notes: fakeNotes()("inbox"), recent: () => [], isPassing };
  const web = await createWeb({ front, clock, port: 0, approvers: NOBODY, inbox });
  try {
    const { text } = await send(web.port, { path: `/pair/${"p".repeat(22)}` });
    expect(text).toContain(there);
    expect(text).not.toContain(absent);
  } finally {
    await web.close();
  }
});
