import type { Server } from "@modelcontextprotocol/sdk/server/index.js";
import type { Clock } from "../core/clock.ts";
import type { Upstream } from "../core/card.ts";
import type { Wait, Waiter } from "../core/ports.ts";
import { holdOf, isStop, limitLearned } from "./clients.ts";
import type { Dialogs } from "./dialog.ts";
import { behindText, lastingText, whatIsAsked } from "./reply.ts";

const HEARTBEAT_MS = 10_000;

export interface Session {
  readonly server: Server;
  readonly clock: Clock;
  /** From `approval.waitSeconds`; undefined: whatever the client bears. */
  waitMs: number | undefined;
  /** Learned from the client's own time-outs, ms. */
  limitMs: number | undefined;
  readonly dialogs: Dialogs;
}

/** What the protocol tells about one tool call. */
export interface Call {
  readonly signal: AbortSignal;
  /** Sends a progress message; undefined when the client gave no token. */
  readonly progress: ((count: number, message: string) => Promise<void>) | undefined;
}

/**
 * Makes one tool call wait: keeps the client alive with progress, puts the link before the person where the client
 * shows it to them (progress, elicitation), and learns how long the client waits. What a dialog answers decides
 * nothing. Call `done` when the call is over: it takes the dialog off the screen.
 */
export function waiterFor(session: Session, call: Call): { waiter: Waiter; done: (how: { settled: boolean }) => void } {
  const { clock } = session;
  const started = clock.mono();
  // Made when a dialog is put up: most calls never wait, and most clients have none.
  let dialogOver: AbortController | undefined;
  let isOver = false;
  let last: Wait | undefined;
  let beats = 0;
  let told = "";
  let answered = false;
  let settled = false;

  const textOf = (wait: Wait): string => {
    if (wait.upstream) return upstreamText(wait.upstream, clock.now());
    return answered ? "A person has answered; the vault is at work." : progressText(wait, clock.now());
  };
  const tell = (text: string): void => {
    told = text;
    // A client that has gone away is noticed elsewhere; a lost progress message is no reason to fail.
    if (call.progress) void call.progress(++beats, told).catch(() => {});
  };
  const putUpDialog = (wait: Wait): void => {
    if (!session.dialogs.possible || !wait.linkIsFinal || answered || wait.upstream) return;
    dialogOver ??= new AbortController();
    void session.dialogs.show(wait, { over: dialogOver.signal, isSettled: () => settled });
  };
  const beat = (): void => {
    if (isOver) return;
    tell(last ? textOf(last) : "The vault is at work.");
    if (last) putUpDialog(last);
    stopBeat = clock.after(HEARTBEAT_MS, beat);
  };
  let stopBeat = clock.after(HEARTBEAT_MS, beat);
  call.signal.addEventListener(
    "abort",
    () => {
      if (isStop(call.signal.reason)) return;
      const learned = limitLearned(clock.mono() - started, call.signal.reason);
      if (learned !== undefined) session.limitMs = Math.min(learned, session.limitMs ?? learned);
    },
    { once: true },
  );

  const waiter: Waiter = {
    signal: call.signal,
    // Its client counts from the beginning of the call, whoever is being waited for.
    get holdMs() {
      const hold = holdMs(session, call);
      return hold === undefined ? undefined : Math.max(0, hold - (clock.mono() - started));
    },
    isStop,
    waiting: (wait) => {
      last = wait;
      // Told at once is what changes for the person: where to answer, what does not work on the way there, and for whom
      // it waits after that.
      const text = textOf(wait);
      if ((wait.link || wait.upstream || wait.behind > 0) && text !== told) tell(text);
      putUpDialog(wait);
    },
    // The client is still kept alive, but nobody is asked any more.
    answered: () => {
      answered = true;
      settled = true;
      dialogOver?.abort();
    },
  };
  const done = (how: { settled: boolean }): void => {
    stopBeat();
    settled = how.settled;
    isOver = true;
    dialogOver?.abort();
  };
  return { waiter, done };
}

/** How long this client bears a call, ms from its beginning; undefined: as long as it likes. */
function holdMs(session: Session, call: Call): number | undefined {
  if (session.waitMs !== undefined) return session.waitMs;
  const client = session.server.getClientVersion()?.name ?? "";
  const hold = holdOf(client, call.progress !== undefined);
  if (session.limitMs === undefined) return hold;
  return Math.min(session.limitMs, hold ?? session.limitMs);
}

function progressText(wait: Wait, now: number): string {
  const left = leftText((wait.expiresAt ?? now) - now);
  if (wait.behind > 0) return `Waiting for its turn: ${behindText(wait.behind)} (${whatIsAsked(wait)}), ${left} left.`;
  const place = wait.link ? ` Approve or deny at ${wait.link.public ?? wait.link.local}` : "";
  const trouble = wait.troubles.length > 0 ? ` (${wait.troubles.join("; ")})` : "";
  return `Waiting for you to approve ${whatIsAsked(wait)}, ${left} left.${place}${trouble}`;
}

function upstreamText({ text, since }: Upstream, now: number): string {
  return `A person approved; ${text}, for ${lastingText(now - since)}.`;
}

function leftText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
