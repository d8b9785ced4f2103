import { afterEach, expect, it } from "vitest";
import { startInbox } from "../support/inbox.ts";
import { textOf } from "../support/web.ts";

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
