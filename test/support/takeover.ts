import { expect } from "vitest";
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
  /** Until a page answered again after a kill, ms, sorted. */
  readonly gapsMs: readonly number[];
}

export function expectNothingLost({ gapsMs, kills, served, ...wrongs }: Aftermath): void {
  expect(wrongs).toEqual({ lost: [], unsigned: [], decidedTwice: [], unproven: [] });
  expect(served).toBeGreaterThan(kills);
  expect(gapsMs).toHaveLength(kills);
}

/**
 * Kills the host again and again, at random moments, with a request of each session open and a person who answers some
 * of them meanwhile; then has all that is left answered. Somebody without the passkey tries to approve each one first.
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
  const secrets = Object.fromEntries(Array.from({ length: sessions }, (_, at) => [`KEY_${at}`, `hunter2-4711-${at}`]));
  const desk = newDesk({ secrets, ...(options.program !== undefined && { program: options.program }) });
  const signed = new Set<Call>();
  const served: Call[] = [];
  const unsigned: string[] = [];
  const gapsMs: number[] = [];
  const seats = Array.from({ length: sessions }, () => desk.start());
  const open: Call[] = seats.map((session, at) => session.ask(`KEY_${at}`));
  await Promise.all(open.map(({ link }) => link));

  /** What was answered is asked for anew; the secrets are told apart by seat, so that no two requests are twins. */
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
    const answering = open.filter(() => oneIn(2)).map((call) => answer(desk, call, signed, () => !isOver));
    await moment(below(200));
    const killedAt = performance.now();
    const at = seats.indexOf(host);
    void host.kill();
    const witness = open[(at + 1) % sessions] as Call;
    gapsMs.push(await backAfter(await witness.link, killedAt, giveUpMs));
    await moment(below(200));
    isOver = true;
    await Promise.all(answering);
    seats[at] = desk.start();
    open[at] = seats[at].ask(`KEY_${at}`);
    await open[at].link;
    turnOver();
  }

  const lost: string[] = [];
  await Promise.all(
    open.map(async (call) => {
      const until = performance.now() + giveUpMs;
      await answer(desk, call, signed, () => performance.now() < until);
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
  await desk.close();
  return { kills: rounds, served: served.length, lost, unsigned, gapsMs: gapsMs.toSorted((a, b) => a - b), ...wrongs };
}

/** One who has only the link tries first; then the person signs, again for as long as it is worth it. */
async function answer(desk: Desk, call: Call, signed: Set<Call>, isWorthIt: () => boolean): Promise<void> {
  // What is refused at once has no link.
  const link = await Promise.race([call.link, call.outcome.then(() => undefined)]);
  if (link === undefined) return;
  await desk.approveUnsigned(link);
  do {
    if (call.came !== undefined) return;
    // Before it is sent: the answer to it may be lost on the way.
    if (await desk.sign(link, () => signed.add(call))) return;
    await moment(20);
  } while (isWorthIt());
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
