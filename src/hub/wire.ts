import type { Socket } from "node:net";
import type { Clock } from "../core/clock.ts";
import { VaultError } from "../core/errors.ts";
import { lineCutter, MOST_LINE } from "./lines.ts";
import { type Ask, askIn, type CallName, isCall, isNews, type News, newsIn, type NewsName } from "./protocol.ts";
import { type Reply, takeReply } from "./protocol.ts";
import { failureOf, frame } from "./shapes.ts";

/** What this side answers, and what it takes in. Anything else is no message for it. */
export interface Served {
  readonly calls: { readonly [N in CallName]?: (ask: Ask<N>, signal: AbortSignal) => Promise<Reply<N>> };
  readonly news?: NewsServed;
}

type NewsServed = { readonly [N in NewsName]?: (news: News<N>) => void };

interface Patience {
  /** How long the other side may take; absent: as long as it likes. */
  readonly withinMs?: number;
  /** Aborted when nobody waits for it any more. */
  readonly signal?: AbortSignal;
}

/** A connection between two sessions of one user: calls both ways, one JSON text per line. */
export interface Wire {
  /** Rejects with what the other side says went wrong, or `page_unavailable` when it is gone or does not answer. */
  readonly call: <N extends CallName>(name: N, ask: Ask<N>, patience?: Patience) => Promise<Reply<N>>;
  readonly tell: <N extends NewsName>(name: N, news: News<N>) => void;
  /** Resolves when the connection has ended, from whichever side. */
  readonly ended: Promise<void>;
  readonly isOver: () => boolean;
  readonly end: () => void;
}

interface Pending {
  /** False when that is no reply to this call. */
  readonly take: (value: unknown) => boolean;
  readonly reject: (error: unknown) => void;
}

/** How much may wait to be sent, bytes: a side that reads nothing for so long is given up. */
const MOST_UNSENT = 8_000_000;
/** How many calls of the other side may be under way. */
const MOST_CALLS = 1_024;

/** Speaks over a socket. A side that sends what is no message is cut off, and harms nothing else. */
export function wireOver(socket: Socket, served: Served, clock: Pick<Clock, "after">): Wire {
  const pending = new Map<number, Pending>();
  const underWay = new Map<number, AbortController>();
  let last = 0;
  let isOver = false;

  const send = (message: unknown): void => {
    if (isOver) return;
    const line = JSON.stringify(message);
    // It would be cut off for that; one answer less is better than none any more.
    if (line.length > MOST_LINE) throw tooLong();
    socket.write(`${line}\n`);
    if (socket.writableLength > MOST_UNSENT) cut();
  };
  const cut = (): void => {
    socket.destroy();
    finish();
  };
  let finished: () => void = () => {};
  const ended = new Promise<void>((resolve) => (finished = resolve));
  const finish = (): void => {
    if (isOver) return;
    isOver = true;
    for (const { reject } of pending.values()) reject(silent());
    pending.clear();
    for (const call of underWay.values()) call.abort();
    underWay.clear();
    finished();
  };

  const serve = async <N extends CallName>(
    id: number,
    call: Served["calls"][N],
    ask: Ask<N> | undefined,
  ): Promise<void> => {
    if (!call || ask === undefined || underWay.size >= MOST_CALLS || underWay.has(id)) return cut();
    const stop = new AbortController();
    underWay.set(id, stop);
    try {
      send({ re: id, value: await call(ask, stop.signal) });
    } catch (error) {
      send({ re: id, error: failureOf(error) });
    } finally {
      underWay.delete(id);
    }
  };

  const settle = (id: number, settled: { readonly value: unknown } | { readonly error: VaultError }): void => {
    const waiting = pending.get(id);
    // One that came too late for whoever asked is no fault; one to what was never asked is.
    if (!waiting) return id > last ? cut() : undefined;
    pending.delete(id);
    if ("error" in settled) return waiting.reject(settled.error);
    if (waiting.take(settled.value)) return;
    waiting.reject(silent());
    cut();
  };

  const hear = <N extends NewsName>(listen: NewsServed[N], news: News<N> | undefined): void => {
    if (listen && news !== undefined) listen(news);
    else cut();
  };

  socket.on(
    "data",
    lineCutter({
      line: (line) => {
        if (isOver) return;
        const message = parse(line);
        if (message === undefined) return cut();
        if ("do" in message) {
          const { do: name, id } = message;
          return isCall(name) ? void serve(id, served.calls[name], askIn(name, message.with)).catch(cut) : cut();
        }
        if ("tell" in message) {
          const { tell: name } = message;
          return isNews(name) ? hear(served.news?.[name], newsIn(name, message.with)) : cut();
        }
        if ("stop" in message) return underWay.get(message.stop)?.abort();
        if ("error" in message) {
          const { code, message: text, hint } = message.error;
          return settle(message.re, { error: new VaultError(code, text, hint === undefined ? {} : { hint }) });
        }
        settle(message.re, { value: message.value });
      },
      tooLong: cut,
    }),
  );
  socket.on("error", cut);
  socket.on("close", finish);
  socket.on("end", cut);

  return {
    call: <N extends CallName>(name: N, ask: Ask<N>, { withinMs, signal }: Patience = {}): Promise<Reply<N>> => {
      if (isOver || signal?.aborted) return Promise.reject(silent());
      const id = ++last;
      const settled = new Promise<Reply<N>>((resolve, reject) => {
        pending.set(id, { take: (value) => takeReply(name, value, resolve), reject });
        send({ do: name, id, with: ask });
      });
      const giveUp = (): void => {
        const waiting = pending.get(id);
        if (!waiting) return;
        pending.delete(id);
        send({ stop: id });
        waiting.reject(silent());
      };
      const cancel = withinMs === undefined ? undefined : clock.after(withinMs, giveUp);
      signal?.addEventListener("abort", giveUp, { once: true });
      return settled.finally(() => {
        cancel?.();
        signal?.removeEventListener("abort", giveUp);
      });
    },
    tell: (name, news) => send({ tell: name, with: news }),
    ended,
    isOver: () => isOver,
    end: cut,
  };
}

function parse(line: string) {
  try {
    return frame.safeParse(JSON.parse(line)).data;
  } catch {
    // What is no JSON is no message either.
    return undefined;
  }
}

const SILENCE = Symbol("silence");

/** Nobody answers on the other side. */
export function silent(): VaultError {
  return new VaultError("page_unavailable", "another session of agent-vault, which this needs, does not answer", {
    hint: "try again in a moment; if it lasts, close the clients that hang",
    cause: SILENCE,
  });
}

/** Whether it is the other side that was silent, and not something that it said. */
export function isSilence(error: unknown): boolean {
  return error instanceof VaultError && error.cause === SILENCE;
}

function tooLong(): VaultError {
  return new VaultError("page_unavailable", "there is more to show than sessions can tell each other", {
    hint: "answer some of what waits, or ask for fewer secrets at once",
  });
}
