import { dirname } from "node:path";
import { expect } from "vitest";
import type { OwnFront } from "../../src/core/card.ts";
import { newKey, tokenOf } from "../../src/core/ids.ts";
import { joinDesk } from "../../src/hub/guest.ts";
import { preparePlace } from "../../src/hub/place.ts";
import { systemClock } from "../../src/wall-clock.ts";
import { type Call, type Desk, moment, newDesk, type Session, wrongsIn } from "./desk-sessions.ts";
import { dice } from "./dice.ts";

/** What a series of kills of the host left behind. */
export interface Aftermath {
  readonly kills: number;
  /** Calls of sessions that lived whose value came. */
  readonly served: number;
  /** Calls of sessions that lived for which no value came: must be empty. */
  readonly lost: readonly string[];
  /** Values that came although nobody had signed for them: must be empty. */
  readonly unsigned: readonly string[];
  /** What the log says against the promises: each must be empty. */
  readonly decidedTwice: readonly unknown[];
  readonly unproven: readonly unknown[];
  /** Signatures that were for the requests of several sessions. */
  readonly lists: number;
  /** Until a page answered again after a kill, ms, sorted. */
  readonly gapsMs: readonly number[];
}

export function expectNothingLost({ gapsMs, kills, served, lists, ...wrongs }: Aftermath): void {
  expect(wrongs).toEqual({ lost: [], unsigned: [], decidedTwice: [], unproven: [] });
  expect(served).toBeGreaterThan(kills);
  expect(lists).toBeGreaterThan(0);
  expect(gapsMs).toHaveLength(kills);
}

/**
 * Kills the host again and again, at random moments, with a request of each session open, every two for the same secret,
 * a page for pairing, and a person who answers some of them meanwhile; then has all that is left answered. Somebody without the passkey tries to approve each one first.
 */
export async function killHosts(options: {
  rounds: number;
  sessions: number;
  seed: number;
  program?: string;
  /** How long a call of a session that lives may take to be answered, once its person tries. */
  giveUpMs?: number;
}): Promise<Aftermath> {
  const { rounds, sessions, seed, giveUpMs = 8_000 } = options;
  const { below, oneIn } = dice(seed);
  const nameOf = (at: number): string => `KEY_${at >> 1}`;
  const secrets = Object.fromEntries(
    Array.from({ length: sessions }, (_, at) => [nameOf(at), `hunter2-4711-${at >> 1}`]),
  );
  const desk = newDesk({ secrets, ...(options.program !== undefined && { program: options.program }) });
  const signed = new Set<Call>();
  const served: Call[] = [];
  const unsigned: string[] = [];
  const gapsMs: number[] = [];
  const seats = Array.from({ length: sessions }, () => desk.start());
  const open: Call[] = seats.map((session, at) => session.ask(nameOf(at)));
  await Promise.all(open.map(({ link }) => link));
  const pairing = pairingBeside(dirname(desk.world.database));
  const lost: string[] = [];
  let lists = 0;
  /** One signature is for all that ask for the same at that moment, on whosever page it is given. */
  const signs = ({ name }: Call, requests: number): void => {
    if (requests > 1) lists += 1;
    for (const call of open) if (call.name === name) signed.add(call);
  };

  /** What was answered is asked for anew. */
  const turnOver = (): void => {
    for (const [at, call] of open.entries()) {
      if (call.came === undefined) continue;
      served.push(call);
      if (!signed.has(call)) unsigned.push(call.name);
      open[at] = (seats[at] as Session).ask(call.name);
    }
  };

  for (let round = 0; round < rounds; round++) {
    const host = await desk.host();
    let isOver = false;
    const answering = open.filter(() => oneIn(2)).map((call) => answer(desk, call, signs, () => !isOver));
    await moment(below(200));
    const killedAt = performance.now();
    const at = seats.indexOf(host);
    void host.kill();
    const witness = open[(at + 1) % sessions] as Call;
    const pairingPage = `http://localhost:${desk.port}/pair/${pairing.token}`;
    gapsMs.push(await backAfter((await linkOf(witness)) ?? pairingPage, killedAt, giveUpMs));
    if ((await backAfter(pairingPage, killedAt, giveUpMs)) > giveUpMs) lost.push("the page for pairing");
    await moment(below(200));
    isOver = true;
    await Promise.all(answering);
    seats[at] = desk.start();
    open[at] = seats[at].ask(nameOf(at));
    await open[at].link;
    turnOver();
  }

  await Promise.all(
    open.map(async (call) => {
      const until = performance.now() + giveUpMs;
      await answer(desk, call, signs, () => performance.now() < until);
      const came = await Promise.race([call.outcome, moment(giveUpMs)]);
      if (typeof came === "string") served.push(call);
      else lost.push(call.name);
    }),
  );
  for (const call of served) {
    if (call.came !== secrets[call.name]) lost.push(`${call.name}: ${call.came ?? "nothing"}`);
    if (!signed.has(call)) unsigned.push(call.name);
  }
  const wrongs = wrongsIn(desk.world);
  pairing.close();
  await desk.close();
  gapsMs.sort((a, b) => a - b);
  return { kills: rounds, served: served.length, lost, unsigned, lists, gapsMs, ...wrongs };
}

/** One who has only the link tries first; then the person signs, again for as long as it is worth it. */
async function answer(
  desk: Desk,
  call: Call,
  signs: (call: Call, requests: number) => void,
  isWorthIt: () => boolean,
): Promise<void> {
  const link = await linkOf(call);
  if (link === undefined) return;
  await desk.approveUnsigned(link);
  do {
    if (call.came !== undefined) return;
    // Before it is sent: the answer to it may be lost on the way.
    if (await desk.sign(link, (requests) => signs(call, requests))) return;
    await moment(20);
  } while (isWorthIt());
}

/**
 * What is refused at once has no link, nor has what a killed process did not come to say, or what was answered on the page
 * of another before it was said.
 */
function linkOf({ link, outcome, gone }: Call): Promise<string | undefined> {
  return Promise.race([link, Promise.race([outcome, gone]).then(() => undefined)]);
}

async function backAfter(link: string, from: number, giveUpMs: number): Promise<number> {
  for (;;) {
    const isBack = await fetch(link).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isBack || performance.now() - from > giveUpMs) return performance.now() - from;
    await moment(3);
  }
}

/** The page of a command for pairing: it joins whoever hosts, again and again, and never hosts itself. */
function pairingBeside(folder: string): { readonly token: string; readonly close: () => void } {
  const key = newKey();
  const token = tokenOf(key);
  const never = (): Promise<void> => new Promise(() => {});
  const own: OwnFront = {
    card: () => Promise.resolve(undefined),
    decision: () => Promise.resolve(undefined),
    statement: () => Promise.resolve(undefined),
    answer: () => Promise.resolve(false),
    revoke: () => Promise.resolve(false),
    changed: never,
    overview: () => Promise.resolve({ waiting: [], windows: [], kept: [key], version: 1 }),
    overviewChanged: never,
    endApproval: () => Promise.resolve(false),
    pairing: (asked) => {
      const view = { kind: "add", name: "phone", stage: "ready", expiresAt: Date.now() + 60_000 } as const;
      return Promise.resolve(asked === token ? view : undefined);
    },
  };
  const over = new AbortController();
  let leave = (): void => {};
  const keepOn = async (): Promise<void> => {
    const options = { folder, clock: systemClock, own, startDoor: notHere, onFault: () => {}, onPage: () => {} };
    while (!over.signal.aborted) {
      const seat = await joinDesk(preparePlace(folder), options).catch(() => undefined);
      leave = () => void seat?.close();
      if (seat && !over.signal.aborted) await seat.lost;
      else await moment(5);
    }
    leave();
  };
  void keepOn();
  return {
    token,
    close: () => {
      over.abort();
      leave();
    },
  };
}

function notHere(): never {
  throw new TypeError("a page for pairing hosts nothing in this test");
}
