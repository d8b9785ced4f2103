// Clocks that are set while something waits: this computer's, and that of a process that left a note.
import { expect, it } from "vitest";
import type { Notes, Provider } from "../../../src/core/ports.ts";
import { scopeOf } from "../../../src/providers/twelveport/ledger.ts";
import { ask, refusal, type Scene, scene, settle, until } from "./support.ts";

const PASSWORD = "hunter2-4711";
const HOUR_MS = 60 * 60_000;

interface Guarded extends Scene {
  readonly id: string;
  readonly own: Notes;
  /** Sets this computer's clock, and not the server's. */
  readonly setAhead: (ms: number) => void;
}

async function guarded(): Promise<Guarded> {
  let aheadMs = 0;
  const made: Scene = await scene({ now: () => made.clock.now() - aheadMs });
  const { id } = made.fake.add({ name: "db", password: PASSWORD, way: "approvers" });
  const setAhead = (ms: number): void => {
    made.clock.setWall(made.clock.now() + ms);
    aheadMs += ms;
  };
  return { ...made, id, own: made.notes(scopeOf(made.fake.origin, "acme", undefined)), setAhead };
}

/** Asks, and leaves when the vault's people are waited for. */
async function leaveWaiting({ clock }: Scene, provider: Provider): Promise<void> {
  const stop = new AbortController();
  const waiting = (text: string): void => void (text.includes("approvers: ") && stop.abort());
  await refusal(settle(clock, ask(provider, "db", { waiting, signal: stop.signal })));
}

it("a clock that is set two hours ahead makes nobody ask twice: the server's tells when a request is over", async () => {
  const made = await guarded();
  const { fake, clock, open } = made;
  let polls = 0;
  fake.watch = (operation, when) => {
    if (operation !== "requestStatus" || when !== "after" || fake.requests.length === 0) return;
    polls++;
    if (polls === 20) made.setAhead(2 * HOUR_MS);
    if (polls === 40) fake.approve("db");
  };
  expect(await settle(clock, ask(await open(), "db"))).toEqual([PASSWORD]);
  expect(polls).toBeGreaterThanOrEqual(40);
  expect(fake.requests).toHaveLength(1);
});

it("nor does one that is set between two processes", async () => {
  const made = await guarded();
  const { fake, clock, open } = made;
  await leaveWaiting(made, await open());
  made.setAhead(2 * HOUR_MS);
  const waiting = (text: string): void => void (text.includes("approvers: ") && fake.approve("db"));
  expect(await settle(clock, ask(await open(), "db", { waiting }))).toEqual([PASSWORD]);
  expect(fake.requests).toHaveLength(1);
});

it("what an earlier process left is asked about once and requested anew when it is over for the server as well", async () => {
  const made = await guarded();
  const { fake, clock, open } = made;
  await leaveWaiting(made, await open());
  clock.advance(2 * HOUR_MS);
  fake.reject("db");
  const before = fake.calls.requestStatus;
  let looks = 0;
  fake.watch = (operation) => {
    if (operation === "createRequest") looks = fake.calls.requestStatus - before;
  };
  const waiting = (text: string): void => void (text.includes("approvers: ") && fake.approve("db"));
  expect(await settle(clock, ask(await open(), "db", { waiting }))).toEqual([PASSWORD]);
  expect([fake.requests.length, looks]).toEqual([2, 1]);
});

it("a note from the future is not waited for until it is the past", async () => {
  const { fake, clock, open, own, id } = await guarded();
  const at = clock.now() + 2 * HOUR_MS;
  // Of a process that lives and is not ours.
  const by = { id: "another", pid: process.pid, host: (await import("node:os")).hostname() };
  own.put(id, { state: "submitting", by, at, until: at + HOUR_MS });
  const from = clock.now();
  const waiting = (text: string): void => void (text.includes("approvers: ") && fake.approve("db"));
  expect(await settle(clock, ask(await open(), "db", { waiting }))).toEqual([PASSWORD]);
  expect(clock.now() - from).toBeLessThan(2 * 60_000);
  expect(fake.requests).toHaveLength(1);
});

it.each([0, 4, 8])(
  "a request whose sender was killed is found in a queue that lags by %i looks, and not submitted again",
  async (lag) => {
    const made = await guarded();
    const { fake, clock, open, own, id } = made;
    Object.assign(fake.assets[0] ?? {}, { lag });
    const first = await open();
    let hasArrived = false;
    fake.watch = async (operation, when) => {
      if (operation !== "createRequest" || when !== "after") return;
      hasArrived = true;
      await new Promise(() => {});
    };
    const lost = refusal(ask(first, "db"));
    await until(() => hasArrived);
    fake.watch = () => {};
    const noted = own.get(id) as { by: object };
    await first.close?.();
    await lost;
    // As a kill leaves it: whoever closes in order still notes what it knows.
    own.put(id, { ...noted, by: { ...noted.by, id: "killed", pid: 2 ** 22 + 1 } });
    const waiting = (text: string): void => void (text.includes("approvers: ") && fake.approve("db"));
    expect(await settle(clock, ask(await open(), "db", { waiting }))).toEqual([PASSWORD]);
    expect(fake.requests).toHaveLength(1);
  },
);
