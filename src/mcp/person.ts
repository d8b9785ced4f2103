import type { Server } from "@modelcontextprotocol/sdk/server/index.js";
import type { Clock } from "../core/clock.ts";
import type { Wait, Waiter } from "../core/ports.ts";
import { holdOf, isStop, limitLearned } from "./clients.ts";
import { whatIsAsked } from "./reply.ts";

const HEARTBEAT_MS = 10_000;
/** An answer faster than this was no person: unattended clients decline by themselves. */
const BLINK_MS = 1_500;

export interface Session {
  readonly server: Server;
  readonly clock: Clock;
  /** From `approval.waitSeconds`; undefined: whatever the client bears. */
  readonly waitMs: number | undefined;
  /** Learned from the client's own time-outs, ms. */
  limitMs: number | undefined;
  /** Requests whose dialog a person has already closed: it is not put up again. */
  readonly dialogsClosed: Set<string>;
  /** Requests whose dialog is up at this moment. */
  readonly dialogsOpen: Set<string>;
  /** Whether our first request to the client is used up: many clients cannot cancel one whose id is 0. */
  firstIdUsed: boolean;
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
export function waiterFor(session: Session, call: Call): { waiter: Waiter; done: () => void } {
  const { clock } = session;
  const started = clock.mono();
  const over = new AbortController();
  let last: Wait | undefined;
  let beats = 0;
  let stopBeat = (): void => {};

  const beat = (): void => {
    stopBeat();
    if (!last || !call.progress || over.signal.aborted) return;
    // A client that has gone away is noticed elsewhere; a lost progress message is no reason to fail.
    void call.progress(++beats, progressText(last, clock.now())).catch(() => {});
    stopBeat = clock.after(HEARTBEAT_MS, beat);
  };
  call.signal.addEventListener(
    "abort",
    () => {
      const learned = limitLearned(clock.mono() - started, call.signal.reason);
      if (learned !== undefined) session.limitMs = Math.min(learned, session.limitMs ?? learned);
    },
    { once: true },
  );

  const waiter: Waiter = {
    signal: call.signal,
    holdMs: holdMs(session, call),
    isStop,
    waiting: (wait) => {
      last = wait;
      beat();
      if (wait.linkIsFinal && !over.signal.aborted) void showDialog(session, wait, over.signal).catch(() => {});
    },
  };
  const done = (): void => {
    stopBeat();
    over.abort();
  };
  return { waiter, done };
}

function holdMs(session: Session, call: Call): number | undefined {
  if (session.waitMs !== undefined) return session.waitMs;
  const client = session.server.getClientVersion()?.name ?? "";
  const hold = holdOf(client, call.progress !== undefined);
  if (session.limitMs === undefined) return hold;
  return Math.min(session.limitMs, hold ?? session.limitMs);
}

function progressText(wait: Wait, now: number): string {
  const left = leftText(wait.expiresAt - now);
  const place = wait.link ? ` Approve or deny at ${wait.link.public ?? wait.link.local}` : "";
  const trouble = wait.troubles.length > 0 ? ` (${wait.troubles.join("; ")})` : "";
  return `Waiting for you to approve ${whatIsAsked(wait)}, ${left} left.${place}${trouble}`;
}

function leftText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** URL elicitation where the client declares it, else a form without fields as a bell. Whatever it answers is no decision. */
async function showDialog(session: Session, wait: Wait, over: AbortSignal): Promise<void> {
  const able = session.server.getClientCapabilities()?.elicitation;
  if (!able || !wait.link || session.dialogsClosed.has(wait.request) || session.dialogsOpen.has(wait.request)) return;
  const url = wait.link.public ?? wait.link.local;
  const what = `agent-vault: approve or deny ${whatIsAsked(wait)}.`;
  const elicitationId = wait.request;
  session.dialogsOpen.add(wait.request);
  const shown = session.clock.mono();
  if (!session.firstIdUsed) void session.server.ping().catch(() => {});
  session.firstIdUsed = true;
  try {
    const options = { signal: over, timeout: Math.max(1_000, wait.expiresAt - session.clock.now()) };
    const answer = able.url
      ? await session.server.elicitInput({ mode: "url", message: what, url, elicitationId }, options)
      : await session.server.elicitInput(
          { mode: "form", message: `${what} Open ${url}`, requestedSchema: { type: "object", properties: {} } },
          options,
        );
    if (answer.action === "accept" || session.clock.mono() - shown > BLINK_MS) session.dialogsClosed.add(wait.request);
    if (answer.action === "accept" && able.url) completeWhenOver(session, elicitationId, over);
  } finally {
    session.dialogsOpen.delete(wait.request);
  }
}

function completeWhenOver(session: Session, elicitationId: string, over: AbortSignal): void {
  const complete = (): void =>
    void session.server
      .createElicitationCompletionNotifier(elicitationId)()
      .catch(() => {});
  if (over.aborted) complete();
  else over.addEventListener("abort", complete, { once: true });
}
