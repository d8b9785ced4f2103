// Requests of which nobody knows whether they arrived.
import { expect, it } from "vitest";
import { createLedger, scopeOf } from "../../../src/providers/twelveport/ledger.ts";
import { ask, handlesOf, never, preparing, refusal, type Scene, scene, settle, until } from "./support.ts";

const PASSWORD = "hunter2-4711";

async function guarded(): Promise<Scene & { readonly id: string; readonly waiting: (text: string) => void }> {
  const made = await scene();
  const { id } = made.fake.add({ name: "db", password: PASSWORD, way: "approvers" });
  const waiting = (text: string): void => {
    if (text.includes("12Port's approvers: ")) made.fake.approve("db");
  };
  return { ...made, id, waiting };
}

/** Breaks the line when a request is submitted: before it is taken in, or when it was. */
function breakAt({ fake }: Scene, when: "before" | "after"): void {
  fake.watch = (operation, now) => {
    if (operation !== "createRequest" || now !== when) return;
    fake.watch = () => {};
    throw new Error("the line breaks");
  };
}

it("a request whose answer was lost is found, and not submitted again", async () => {
  const made = await guarded();
  const { fake, clock, open, waiting } = made;
  const provider = await open();
  breakAt(made, "after");
  const error = await refusal(settle(clock, ask(provider, "db")));
  expect(error).toMatchObject({
    code: "provider_unavailable",
    message: expect.stringMatching(/^asset "db": .* broke the connection off$/) as string,
  });
  expect(await settle(clock, ask(provider, "db", { waiting }))).toEqual([PASSWORD]);
  expect(fake.requests).toHaveLength(1);
});

it.each(["redirect", "deep", "page", "huge", "gateway"] as const)(
  "one that was taken and whose answer is odd (%s) is found as well",
  async (oddity) => {
    const { fake, clock, open, waiting } = await guarded();
    const provider = await open();
    fake.watch = (operation, when) => {
      if (operation === "createRequest" && when === "after") fake.break(oddity);
    };
    expect(await refusal(settle(clock, ask(provider, "db")))).toMatchObject({ code: "provider_unavailable" });
    fake.watch = () => {};
    fake.mend();
    expect(await settle(clock, ask(provider, "db", { waiting }))).toEqual([PASSWORD]);
    expect(fake.requests).toHaveLength(1);
  },
);

it("one that was lost itself is looked for for half a minute, and then submitted again", async () => {
  const made = await guarded();
  const { fake, clock, open, waiting } = made;
  const provider = await open();
  breakAt(made, "before");
  await refusal(settle(clock, ask(provider, "db")));
  expect(fake.requests).toHaveLength(0);
  const from = clock.now();
  expect(await settle(clock, ask(provider, "db", { waiting }))).toEqual([PASSWORD]);
  expect(fake.requests).toHaveLength(1);
  expect(clock.now() - from).toBeGreaterThanOrEqual(30_000);
});

it("one that nobody waits for any more is not sent, nor noted, while the way to send it is still looked up", async () => {
  const { fake, clock, notes, open, id } = await guarded();
  const provider = await open();
  const handles = await handlesOf(provider, "db");
  expect(await provider.read(handles, never)).toMatchObject([{ code: "upstream_required" }]);
  // What is known of the server's document is too old by now.
  clock.advance(11 * 60_000);
  let answer = (): void => {};
  let isAsked = false;
  fake.watch = async (operation, when) => {
    if (operation !== "document" || when !== "before") return;
    isAsked = true;
    await new Promise<void>((resolve) => (answer = resolve));
  };
  const stop = new AbortController();
  const leaving = refusal(provider.prepare?.(handles, preparing({ signal: stop.signal })) ?? Promise.resolve());
  await until(() => isAsked);
  stop.abort();
  expect((await leaving).code).toBe("cancelled");
  answer();
  await until(() => fake.busy() === 0);
  // Whatever was to be sent after that answer has been sent before this one comes back.
  for (let calls = 0; calls < 3; calls++) await provider.resolve(["db"], never);
  expect(fake.calls.createRequest).toBe(0);
  expect(notes(scopeOf(fake.origin, "acme", undefined)).get(id)).toBeUndefined();
});

it("one that was refused is not looked for: the next call submits at once", async () => {
  const { fake, clock, open, waiting } = await guarded();
  const provider = await open();
  fake.watch = (operation, when) => {
    if (operation === "createRequest" && when === "before") fake.break("insufficient");
  };
  const error = await refusal(settle(clock, ask(provider, "db")));
  expect(error).toMatchObject({
    code: "provider_forbidden",
    message: expect.stringMatching(/^asset "db": /) as string,
  });
  fake.watch = () => {};
  fake.mend();
  const from = clock.now();
  expect(await settle(clock, ask(provider, "db", { waiting }))).toEqual([PASSWORD]);
  expect(clock.now() - from).toBeLessThan(30_000);
  expect(fake.requests).toHaveLength(1);
});

it("one that another process is submitting is left to it for a minute", async () => {
  const { fake, clock, notes, open, id, waiting } = await guarded();
  const other = createLedger(notes(scopeOf(fake.origin, "acme", undefined)), clock);
  other.claim(id, clock.now() + 3_600_000);
  const told: string[] = [];
  const from = clock.now();
  const tell = (text: string): void => {
    told.push(text);
    waiting(text);
  };
  expect(await settle(clock, ask(await open(), "db", { waiting: tell }))).toEqual([PASSWORD]);
  expect(clock.now() - from).toBeGreaterThanOrEqual(60_000);
  expect(told[0]).toBe("waiting for an earlier request to show up in 12Port: db");
  expect(fake.requests).toHaveLength(1);
});

it("one that another process has submitted in the meantime is joined", async () => {
  const { fake, clock, notes, open, id, waiting } = await guarded();
  const other = createLedger(notes(scopeOf(fake.origin, "acme", undefined)), clock);
  const claimed = other.claim(id, clock.now() + 3_600_000);
  const theirs = await open();
  const asking = settle(clock, ask(theirs, "db", { waiting }));
  clock.advance(4_000);
  if (claimed) other.drop(claimed);
  expect(await asking).toEqual([PASSWORD]);
  expect(fake.requests).toHaveLength(1);
});
