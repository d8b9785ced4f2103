import { pause } from "../core/clock.ts";
import { VaultError } from "../core/errors.ts";
import { connectTo } from "./connect.ts";
import type { Place } from "./place.ts";
import { PROTOCOL, type Reply } from "./protocol.ts";
import { bounded, reporter } from "./report.ts";
import type { Seat, SeatOptions } from "./seat.ts";
import { formKey, type Page } from "./shapes.ts";
import { isSilence, silent, type Wire, wireOver } from "./wire.ts";

/** For how long a host may take to say hello, ms. */
export const HELLO_MS = 2_000;
/** For how long it may take to open its page, ms. */
const OPEN_MS = 8_000;
/** For how long a tunnel may take; it has a deadline of its own before that, ms. */
const SETTLE_MS = 20_000;
/** How often a host is asked whether it still answers, and how often it may be silent. */
const PULSE_MS = 5_000;
const MOST_MISSED = 2;

/**
 * Joins whoever hosts; undefined when nobody can be reached. Throws `page_unavailable` when it is one with whom there is
 * no sharing: of another version, or not ours.
 */
export async function joinDesk(place: Place, options: SeatOptions): Promise<Seat | undefined> {
  const { own, clock, onPage, onFault } = options;
  const socket = await connectTo(place);
  if (!socket) return undefined;
  const over = new AbortController();
  let page: Page | undefined;
  let shared: ReadonlySet<string> = new Set();
  let settle: () => void = () => {};
  let settling = Promise.resolve();
  const learn = (now: Page): void => {
    if (!now.isSettled && (page?.isSettled ?? true)) settling = new Promise((resolve) => (settle = resolve));
    if (now.isSettled) settle();
    page = now;
    onPage(now);
  };

  const wire: Wire = wireOver(
    socket,
    {
      calls: {
        card: ({ token }) => own.card(token),
        statement: ({ token, approval }) => own.statement(token, approval),
        answer: ({ token, answer, by }) => own.answer(token, answer, by),
        revoke: ({ token }) => own.revoke(token),
        changed: async ({ token, version }, signal) => {
          await own.changed(token, version, signal);
          return {};
        },
        endApproval: async ({ approval }) => {
          const ended = await own.endApproval(approval);
          // Before the answer: whoever looks next sees what has ended.
          await report.now();
          return ended;
        },
        pairing: ({ token, step }) => own.pairing(token, step),
      },
      news: { page: learn },
    },
    clock,
  );
  const end = async (): Promise<void> => {
    await wire.ended;
    over.abort();
    settle();
  };
  void end();

  const hello = await greet(wire, "session");
  if (!hello) return undefined;
  if (hello.page) learn(hello.page);
  const report = reporter(own, clock, (overview) => wire.tell("overview", bounded(overview)), over.signal);
  report.keepOn().catch(onFault);
  watchPulse(wire, options, over.signal);

  let isClosed = false;
  return {
    is: "guest",
    heritage: () => ({ formKey: hello.formKey, ...(page && { port: portOf(page) }) }),
    open: async () => {
      // In this order: the page has to know the request before anybody gets its link.
      await report.now();
      const opened = await wire.call("open", {}, { withinMs: OPEN_MS });
      shared = new Set(opened.shared);
      learn(opened.page);
    },
    settled: async () => {
      let enough = (): void => {};
      const late = new Promise<void>((resolve) => (enough = clock.after(SETTLE_MS, resolve)));
      await Promise.race([settling, late]);
      enough();
    },
    resume: () => Promise.resolve(),
    isShared: (token) => shared.has(token),
    lost: wire.ended.then(() => (isClosed ? new Promise<void>(() => {}) : undefined)),
    isLost: () => wire.isOver() && !isClosed,
    close: () => {
      isClosed = true;
      wire.end();
      return Promise.resolve();
    },
  };
}

/** Says hello. Undefined when the other side ends or stays silent; throws `page_unavailable` when it is of another version. */
export async function greet(wire: Wire, as: "session" | "visitor"): Promise<Reply<"hello"> | undefined> {
  try {
    const hello = await wire.call("hello", { hub: PROTOCOL, as }, { withinMs: HELLO_MS });
    if (hello.hub !== PROTOCOL) throw otherVersion();
    // Whoever hosts after it would seal the forms with that.
    if (as === "session" && !formKey.safeParse(hello.formKey).success) throw silent();
    return hello;
  } catch (error) {
    wire.end();
    if (isSilence(error)) return undefined;
    throw error;
  }
}

/** The one who hosts and the one who asks do not understand each other. */
export function otherVersion(): VaultError {
  return new VaultError("page_unavailable", "the approval page is hosted by another version of agent-vault", {
    hint: "close the clients that run the other version, or update agent-vault, to have one page for all",
  });
}

/** A host that hangs keeps its lock: only its silence tells. */
function watchPulse(wire: Wire, { clock }: SeatOptions, signal: AbortSignal): void {
  const beat = async (): Promise<void> => {
    for (let missed = 0; missed < MOST_MISSED && !signal.aborted;) {
      await pause(clock, missed === 0 ? PULSE_MS : 0, signal);
      const isThere = await wire.call("ping", {}, { withinMs: PULSE_MS }).then(Boolean, () => false);
      missed = isThere ? 0 : missed + 1;
    }
    wire.end();
  };
  void beat();
}

function portOf({ local }: Page): number {
  const { port } = new URL(local);
  return port === "" ? 80 : Number(port);
}
