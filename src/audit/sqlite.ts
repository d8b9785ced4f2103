import type { VaultError } from "../core/errors.ts";
import type { Event } from "../core/event.ts";
import type { Journal } from "../core/ports.ts";
import { loadDriver } from "../state/driver.ts";
import { closing, faultOf } from "../state/faults.ts";
import type { Fault } from "../state/faults.ts";
import { newAlarm } from "./alarm.ts";
import { openBook } from "./book.ts";
import type { Book } from "./book.ts";
import { AUDIT_LOG, auditFile } from "./file.ts";
import { newInstance } from "./instance.ts";
import { toRow } from "./rows.ts";
import type { Row } from "./rows.ts";

/** The append-only log. Nothing touches the disk before the first event. */
export interface Log extends Journal {
  /** The id this process writes under. It is settled when the log is open. */
  readonly instance: () => string;
  /** Opens the log now, or rejects with the `audit_unavailable` that says why it cannot be. */
  readonly open: () => Promise<void>;
  /**
   * Writes what was noted, in one try of at most 250 ms, and lets go of the file; returns why that failed, if it did.
   * Records that still wait are rejected. Deliveries of this process that have no end are closed as `unknown_outcome`,
   * here or by whoever opens the log next.
   */
  readonly close: () => VaultError | undefined;
}

export interface LogOptions {
  readonly file: string;
  /** A random one where absent. */
  readonly instance?: string;
  /** Epoch ms, for the events the log writes itself. */
  readonly now?: () => number;
  readonly pace?: Partial<Pace>;
  /** Stops the database from growing, as a full disk would. For tests. */
  readonly maxPages?: number;
}

/** How long everything may take, ms. */
interface Pace {
  /** How long the first try may block the event loop while another process holds the lock. */
  readonly firstTryMs: number;
  /** The same for every further try while the log is away, and the pause between two of them. */
  readonly nextTryMs: number;
  readonly pauseMs: number;
  /** The pause while nothing but notes waits. */
  readonly restMs: number;
  /** When a record that could not be written is given up. */
  readonly patienceMs: number;
  /** How long a note waits for a commit to ride on. */
  readonly noteMs: number;
}

const PACE: Pace = { firstTryMs: 250, nextTryMs: 25, pauseMs: 75, restMs: 1_000, patienceMs: 5_000, noteMs: 100 };
const MOST_ROWS_PER_COMMIT = 1_000;
const MOST_NOTES_KEPT = 10_000;

/** Something to write: a record has somebody waiting for it, a note has not. */
interface Entry {
  readonly rows: readonly Row[];
  readonly waiter?: Waiter;
}

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: VaultError) => void;
  readonly giveUpAt: number;
}

/** The log in an SQLite file, opened by its first event. While it cannot be written, `record` rejects. */
export function openLog(options: LogOptions): Log {
  const { file, now = Date.now } = options;
  const pace: Pace = { ...PACE, ...options.pace };
  const instance = options.instance ?? newInstance();
  const alarm = newAlarm(turn);
  let queue: Entry[] = [];
  let book: Book | undefined;
  /** Set while the log is away: not to be tried again before then. */
  let notBefore: number | undefined;
  let notes = 0;
  let forgotten = { count: 0, since: 0 };
  let isClosed = false;

  function record(events: readonly Event[]): Promise<void> {
    if (isClosed) return Promise.reject(closing(auditFile(file)));
    const rows = events.map(toRow);
    return new Promise((resolve, reject) => {
      queue.push({ rows, waiter: { resolve, reject, giveUpAt: performance.now() + pace.patienceMs } });
      alarm.within(notBefore === undefined ? 0 : notBefore - performance.now());
    });
  }

  function note(event: Event): void {
    if (isClosed) return;
    queue.push({ rows: [toRow(event)] });
    notes += 1;
    if (notes > MOST_NOTES_KEPT) forgetOldest();
    if (notBefore === undefined) alarm.within(pace.noteMs);
    else alarm.within(pace.restMs, { keepsProcess: false });
  }

  function forgetOldest(): void {
    const index = queue.findIndex((entry) => !entry.waiter);
    const [oldest] = queue.splice(index, 1);
    notes -= 1;
    const since = forgotten.count === 0 ? Number(oldest?.rows[0]?.[0]) : forgotten.since;
    forgotten = { count: forgotten.count + 1, since };
  }

  /** One try, with all that came in this turn of the event loop. */
  function turn(): void {
    const batch = upTo(MOST_ROWS_PER_COMMIT, queue);
    if (batch.length === 0) return;
    const fault = commit(batch);
    if (fault) return stepAside(fault);
    notBefore = undefined;
    queue = queue.slice(batch.length);
    for (const { waiter } of batch) {
      if (waiter) waiter.resolve();
      else notes -= 1;
    }
    if (queue.length > 0) alarm.within(0);
  }

  function commit(batch: readonly Entry[]): Fault | undefined {
    try {
      const busyMs = notBefore === undefined ? pace.firstTryMs : pace.nextTryMs;
      book ??= openBook({ ...options, driver: loadDriver(AUDIT_LOG), instance, now, busyMs });
      book.write(rowsOf(batch), busyMs);
      forgotten = { count: 0, since: 0 };
      return undefined;
    } catch (error) {
      return faultOf(error, auditFile(file));
    }
  }

  /** Rejects those who waited long enough, or for something that waiting does not mend; keeps the notes. */
  function stepAside({ error, passing }: Fault): void {
    const at = performance.now();
    const isOver = ({ waiter }: Entry): boolean => waiter !== undefined && (!passing || at >= waiter.giveUpAt);
    for (const entry of queue.filter(isOver)) entry.waiter?.reject(error);
    queue = queue.filter((entry) => !isOver(entry));
    notBefore = at + pace.pauseMs;
    if (queue.some((entry) => entry.waiter)) alarm.within(pace.pauseMs);
    else if (queue.length > 0) alarm.within(pace.restMs, { keepsProcess: false });
  }

  function rowsOf(batch: readonly Entry[]): Row[] {
    const rows = batch.flatMap((entry) => entry.rows);
    if (forgotten.count === 0) return rows;
    const { count, since } = forgotten;
    const detail =
      "events that were noted while the log could not be written, and of which there were too many to keep";
    return [toRow({ kind: "log_gap", at: since, count, detail }), ...rows];
  }

  function close(): VaultError | undefined {
    if (isClosed) return undefined;
    isClosed = true;
    alarm.cancel();
    for (const { waiter } of queue) waiter?.reject(closing(auditFile(file)));
    const rows = rowsOf(queue.filter((entry) => !entry.waiter));
    queue = [];
    if (!book && rows.length === 0) return undefined;
    const busyMs = pace.firstTryMs;
    try {
      book ??= openBook({ ...options, driver: loadDriver(AUDIT_LOG), instance, now, busyMs });
      book.end(rows, busyMs);
      return undefined;
    } catch (error) {
      return faultOf(error, auditFile(file)).error;
    }
  }

  return { record, note, instance: () => book?.instance ?? instance, open: () => record([]), close };
}

function upTo(most: number, queue: readonly Entry[]): readonly Entry[] {
  let rows = 0;
  const end = queue.findIndex((entry) => (rows += entry.rows.length) >= most);
  return end === -1 ? queue : queue.slice(0, end + 1);
}
