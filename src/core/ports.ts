import type { Upstream } from "./card.ts";
import type { VaultError } from "./errors.ts";
import type { Event } from "./event.ts";
import type { Rules } from "./policy.ts";
import type { Action, Handle, Plan, Requester } from "./request.ts";
import type { Secret } from "./secret.ts";

/** What the audit log offers the core. */
export interface Journal {
  /**
   * Resolves once the events are durable. Rejects with `audit_unavailable` when they could not be made so in time;
   * then none of them was written.
   */
  readonly record: (events: readonly Event[]) => Promise<void>;
  /** Takes an event along with the next commit, a moment later at most. Kept and retried while the log is away. */
  readonly note: (event: Event) => void;
}

/** One outcome per asked name, in the same order: a batch never hides which of its parts failed. */
export type Each<T> = readonly (T | VaultError)[];

/** The code that talks to one kind of secret store. Members it cannot honour it leaves out. */
export interface Provider {
  /** Every name there is, in the vault's order; never a value. Throws `VaultError`. */
  readonly list?: (signal: AbortSignal) => Promise<readonly string[]>;
  /**
   * The immutable address of each name: the name itself or the vault's own reference. Where a secret has fields it is the
   * one field a person would mean, else `ambiguous` with the fields there are. Never fetches a value to find it, if the
   * vault allows that.
   */
  readonly resolve: (names: readonly string[], signal: AbortSignal) => Promise<Each<Handle>>;
  /** A handle for each of the wanted fields of one secret, in that order; `["*"]`: every one. Throws when any is missing. */
  readonly fields?: (name: string, wanted: readonly string[], signal: AbortSignal) => Promise<readonly Handle[]>;
  /**
   * The vault's own conditions for handing out what a person has approved here: its approvers, a check-out. Resolves when
   * `read` may be tried, at once where there is nothing to do; may take days; releases nothing. Each handle is "ready" or
   * an `upstream_denied` or `upstream_blocked` of its own: the others of a batch are read all the same. Called before each
   * read, and once more after one that answered `upstream_required`; never twice at a time for the same request. When the
   * signal aborts nobody waits any more: what was asked for upstream stays known and is taken up again by the next call.
   */
  readonly prepare?: (handles: readonly Handle[], context: PrepareContext) => Promise<Each<"ready">>;
  /** Fetches by handle, never by name; `conflict` when what the handle named is no longer there. */
  readonly read: (handles: readonly Handle[], signal: AbortSignal) => Promise<Each<Secret>>;
  /** What writing each name would do. Writes nothing. Refuses names and values that the vault cannot hold. */
  readonly planWrite?: (entries: readonly Entry[], signal: AbortSignal) => Promise<Each<Plan>>;
  /** Does what was planned, or `conflict` when the vault changed in the meantime. */
  readonly write?: (entries: readonly PlannedEntry[], signal: AbortSignal) => Promise<Each<Saved>>;
  /** Whether the vault can be reached and used; reads no secret. Lines a person understands, how it stands first; or throws. */
  readonly check?: (signal: AbortSignal) => Promise<readonly string[]>;
  /** Told when a permission over this vault has ended; `isOpen` says which refs are still permitted. Never throws. */
  readonly ended?: (isOpen: (ref: string) => boolean) => void;
  /** The process is going away: gives back upstream what should not stay taken. Never rejects; cut off after a second. */
  readonly close?: () => Promise<void>;
}

/** What `prepare` is given. */
export interface PrepareContext {
  /** The agent's reason and who asks, for the people of the vault; already visible and bounded. */
  readonly reason: string;
  readonly requester: Requester;
  readonly signal: AbortSignal;
  /** Says who is being waited for. Called when waiting begins and whenever the text changes. */
  readonly waiting: (text: string) => void;
}

/**
 * What must outlive the process: small records by key, shared by all processes of this user. Durable when a call
 * returns; throws `provider_unavailable` when they cannot be kept. Never holds a value or a token.
 */
export interface Notes {
  /** What was put there: JSON. */
  readonly get: (key: string) => unknown;
  /** Every record there is. */
  readonly all: () => ReadonlyMap<string, unknown>;
  readonly put: (key: string, record: unknown) => void;
  /** Puts it only where there is none; false when there was. Of several processes exactly one gets true. */
  readonly add: (key: string, record: unknown) => boolean;
  /**
   * Puts `to` in the place of `from`, or nothing where it is undefined, if the record is still what `get` gave as `from`;
   * false when it is not. Of several processes exactly one gets true.
   */
  readonly swap: (key: string, from: unknown, to: unknown) => boolean;
  readonly delete: (key: string) => void;
  /**
   * Deletes it if that is fine with all records there are at that moment; false, and nothing deleted, when it is not or
   * there is none. No process changes any of them in between. `mayGo` is not to throw or to use the notes.
   */
  readonly deleteIf: (key: string, mayGo: (all: ReadonlyMap<string, unknown>) => boolean) => boolean;
}

export interface Entry {
  readonly name: string;
  readonly value: Secret;
}

export interface PlannedEntry {
  readonly plan: Plan;
  readonly value: Secret;
}

export interface Saved {
  readonly saved: true;
}

/** A named entry of the configuration: one provider with its rules. */
export interface Vault {
  readonly name: string;
  /** The provider's type, as written in the configuration. */
  readonly provider: string;
  readonly rules: Rules;
  /** Whether its kind can be written to at all, known without opening it. */
  readonly canWrite: boolean;
  /** Connects on first use. Rejects with the `VaultError` that explains why this vault cannot be used. */
  readonly open: () => Promise<Provider>;
}

/** Where a person can open the page of a request. */
export interface Link {
  /** Works in a browser on this machine. */
  readonly local: string;
  /** Works from anywhere; absent until (and unless) a tunnel is up. */
  readonly public?: string;
  /** Why there is no public link although one was configured: one sentence with the remedy. */
  readonly trouble?: string;
}

/** The page and the tunnel in front of the desk. Nothing is opened before the first `open`. */
export interface Door {
  /** Resolves when the page answers on this machine; throws `page_unavailable`. Calling it again is free. */
  readonly open: () => Promise<void>;
  /** Resolves when the tunnel is up or has failed; never rejects. */
  readonly settled: () => Promise<void>;
  /** The links to one request's page as things stand now. */
  readonly link: (token: string) => Link;
  /**
   * Whether a person was told already of the same request in another session, with which this one shares its card.
   * Absent: no session shares anything.
   */
  readonly isShared?: (token: string) => boolean;
}

/** What a channel may tell a person's device. Names travel only where the configuration says so. */
export interface Notice {
  readonly vault: string;
  readonly action: Action;
  readonly count: number;
  readonly link: Link;
  /** Epoch ms. */
  readonly expiresAt: number;
}

/** Something a person should know, in words that may lie on a lock screen: no names, no link. */
export interface News {
  readonly title: string;
  readonly text: string;
}

/** A way to tell a person that a request waits. It rings; it carries no verdict back. */
export interface Channel {
  /** How messages name it: "ntfy", "browser". */
  readonly name: string;
  /** True when it needs only the local link, so that ringing need not wait for the tunnel. */
  readonly local?: boolean;
  /**
   * Resolves when handed over; rejects with one line that a person understands and that holds no link or token. May take
   * a while, so nothing waits for it. The signal aborts when the request no longer waits: what has not rung by then stays
   * silent, without an error.
   */
  readonly ring: (notice: Notice, signal: AbortSignal) => Promise<void>;
  /** Tells of something that needs no answer; resolves and rejects as `ring` does. Absent: this way is for requests alone. */
  readonly tell?: (news: News, signal: AbortSignal) => Promise<void>;
}

/** What makes the page reachable from outside this machine. */
export interface Tunnel {
  /** How messages name it: "ngrok". */
  readonly name: string;
  /**
   * Connects to the page on `127.0.0.1:port`. Rejects within its own deadline with a `tunnel_unavailable` whose message
   * and hint are one sentence each. `lost` is called once if the connection later ends by itself.
   */
  readonly open: (port: number, lost: (why: VaultError) => void, signal: AbortSignal) => Promise<OpenTunnel>;
}

export interface OpenTunnel {
  /** Origin of the public address, without a path: `https://name.example`. */
  readonly origin: string;
  readonly close: () => Promise<void>;
}

/** One tool call that waits at the desk. */
export interface Waiter {
  /** Aborted when the client gives up or the user stops the agent. */
  readonly signal: AbortSignal;
  /** How long this client can still be kept waiting, ms from when this is read; undefined: until the request ends. */
  readonly holdMs: number | undefined;
  /** Whether an abort with this reason is an unmistakable stop by the user, and not a time-out. */
  readonly isStop: (reason: unknown) => boolean;
  /** Told how things stand when waiting begins and at every change. */
  readonly waiting: (wait: Wait) => void;
  /** Told when a person has answered: what is left is the vault's work. */
  readonly answered: () => void;
}

/** What is known while a person, or after that the vault's own people, are being waited for. */
export interface Wait {
  /** Id of the request, for the log and for telling one wait from another; it opens nothing. */
  readonly request: string;
  readonly vault: string;
  readonly action: Action;
  readonly names: readonly string[];
  /** Absent until the page is open. */
  readonly link?: Link;
  /** True where whoever has the link could approve: then it is for people only (law 4). */
  readonly linkApproves: boolean;
  /** How many requests of the same client are before it and have to be answered first; 0: it is before a person. */
  readonly behind: number;
  /** False while a tunnel is still being opened, so that the link may yet become a better one. */
  readonly linkIsFinal: boolean;
  /** Set until every channel was handed the message or is known to have failed. */
  readonly stillRinging?: true;
  /** Channels that were handed the message. */
  readonly rang: readonly string[];
  /** What did not work on the way to the person, one sentence each, with the remedy. */
  readonly troubles: readonly string[];
  /** When the request ends unanswered, epoch ms; absent once it is approved. */
  readonly expiresAt?: number;
  /** Set once a person has approved and the vault's own people are asked. */
  readonly upstream?: Upstream;
}
