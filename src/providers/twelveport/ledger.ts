import { createHash, randomUUID } from "node:crypto";
import { hostname } from "node:os";
import * as z from "zod";
import type { Clock } from "../../core/clock.ts";
import { VaultError } from "../../core/errors.ts";
import type { Notes } from "../../core/ports.ts";

const PROCESS = z.object({ id: z.string(), pid: z.int().positive(), host: z.string() });

/** A process of ours, and the opened vault in it. */
export type Process = z.output<typeof PROCESS>;

/** Any moment that can be written down, epoch ms. */
const TIME = z.number().min(0).max(8.64e15);

const OBSTACLE = z.enum(["Restricted", "MFA", "withheld"]);

/** What no approval helps against: two states of 12Port's own, and access that is called open and yet not given. */
export type Obstacle = z.output<typeof OBSTACLE>;

const RECORD = z.object({
  /**
   * submitting: being sent, so perhaps there. unsure: sent, and what became of it is not known. submitted: there, and
   * not seen in a queue yet. waiting: seen with the vault's people. open: they said yes. rejected: they said no.
   * blocked: no approval helps for now.
   */
  state: z.enum(["submitting", "unsure", "submitted", "waiting", "open", "rejected", "blocked"]),
  by: PROCESS,
  /** When it was submitted, epoch ms. */
  at: TIME,
  /** End of the time that was requested, or of the block, epoch ms. */
  until: TIME,
  /** 12Port's id of the request. */
  request: z.string().optional(),
  /** The action under which it was seen. */
  action: z.string().optional(),
  /** The id that ends it. */
  workflow: z.string().optional(),
  /** Whether the asset was ever read under it. */
  given: z.boolean().optional(),
  /** When its people said no, epoch ms. */
  rejected: TIME.optional(),
  /** What blocks it. */
  obstacle: OBSTACLE.optional(),
});

const STAKE = z.object({ process: PROCESS, until: z.number() });

/** What is known of the request for one asset. */
export type AccessRecord = z.output<typeof RECORD>;

/** A record as it was found: what is put in its place is put there only if it still is this one. */
export interface Noted extends AccessRecord {
  readonly asset: string;
  readonly raw: unknown;
}

/**
 * The requests for assets, shared by all processes of this user and kept over restarts. Every change is made to a
 * record that was seen, by exactly one process; whoever comes second looks again.
 */
export interface Ledger {
  readonly me: Process;
  /**
   * The record of an asset. One whose time is over is dropped first, unless it is waiting: the server's clock decides
   * about that, not ours. Throws where it cannot be understood.
   */
  readonly find: (asset: string) => Noted | undefined;
  /** Everything there is, over or not. */
  readonly all: () => readonly Noted[];
  /** Writes down that this process is about to submit, if nobody else does or has. */
  readonly claim: (asset: string, until: number) => Noted | undefined;
  /** The changed record; undefined when somebody else has changed it meanwhile. */
  readonly change: (noted: Noted, to: Partial<AccessRecord>) => Noted | undefined;
  readonly drop: (noted: Noted) => boolean;
  /** Writes down that no approval helps just now; until when that counts, epoch ms. */
  readonly block: (noted: Noted, obstacle: Obstacle) => number;
  /** Says that this process waits for an asset, or uses it, until then at most. */
  readonly join: (asset: string, until: number) => void;
  /** Takes that back; whether another process that still runs says it. */
  readonly leave: (asset: string) => boolean;
}

/** For how long an asset that is blocked is left alone. */
const BLOCKED_MS = 5 * 60_000;

/**
 * The scope of the notes for what one user of a tenant has requested: a text of its own for each three, whatever is in
 * them, and short enough for any.
 */
export function scopeOf(origin: string, tenant: string, subject: string | undefined): string {
  const whose = JSON.stringify([origin, tenant, subject ?? null]);
  return `12port ${createHash("sha256").update(whose).digest("hex")}`;
}

/** The requests kept in these notes. */
export function createLedger(notes: Notes, clock: Clock): Ledger {
  const me: Process = { id: randomUUID(), pid: process.pid, host: hostname() };
  const change: Ledger["change"] = ({ asset, raw, ...record }, to) => {
    const next: AccessRecord = { ...record, ...to };
    return notes.swap(asset, raw, next) ? { ...next, asset, raw: next } : undefined;
  };
  return {
    me,
    find: (asset) => {
      const raw = notes.get(asset);
      if (raw === undefined) return undefined;
      const noted = parsed(asset, raw);
      if (noted.state === "waiting" || noted.until > clock.now()) return noted;
      notes.swap(asset, raw, undefined);
      return undefined;
    },
    all: () => [...notes.all()].filter(([key]) => !key.includes("/")).map(([asset, raw]) => parsed(asset, raw)),
    claim: (asset, until) => {
      const record: AccessRecord = { state: "submitting", by: me, at: clock.now(), until };
      return notes.add(asset, record) ? { ...record, asset, raw: record } : undefined;
    },
    change,
    drop: ({ asset, raw }) => notes.swap(asset, raw, undefined),
    block: (noted, obstacle) => {
      const until = clock.now() + BLOCKED_MS;
      change(noted, { state: "blocked", obstacle, until });
      return until;
    },
    // Notes of their own, so that coming and going changes no record that somebody is about to change.
    join: (asset, until) => notes.put(`${asset}/${me.id}`, { process: me, until }),
    leave: (asset) => {
      notes.delete(`${asset}/${me.id}`);
      const stakes = [...notes.all()].filter(([key]) => key.startsWith(`${asset}/`));
      const living = stakes.filter(([, raw]) => isHeld(raw, clock.now()));
      for (const stake of stakes) if (!living.includes(stake)) notes.delete(stake[0]);
      return living.length > 0;
    },
  };
}

function isHeld(raw: unknown, now: number): boolean {
  const stake = STAKE.safeParse(raw);
  return stake.success && stake.data.until > now && !isGone(stake.data.process);
}

/** Whether a process is certainly no more. One on another computer never is. */
export function isGone({ pid, host }: Process): boolean {
  if (host !== hostname()) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "ESRCH";
  }
}

function parsed(asset: string, raw: unknown): Noted {
  const read = RECORD.safeParse(raw);
  if (read.success) return { ...read.data, asset, raw };
  // Taking it for none would mean to ask twice.
  throw new VaultError(
    "provider_unavailable",
    `what was noted of the request for 12Port asset ${asset} is not understood`,
    {
      hint: "tell the user to update agent-vault: a newer version has written it",
    },
  );
}
