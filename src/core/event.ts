import type { Action, Requester } from "./request.ts";

/**
 * Everything the audit log can say. `requested` to `cancelled` are about a request, `upstream_waiting` says that an
 * approved one now waits for the vault's own people, `releasing` to `unknown_outcome` are about one delivery to the agent
 * (or one save to the vault), `approver_added` and `approver_removed` are about who may approve, the rest about windows
 * and the process itself. `refused` with a request says that a yes to it did not count, else that nobody was asked or
 * nothing handed over. `log_gap` says how many events the log had to give up while it could not be written.
 */
export type EventKind =
  | "started"
  | "stopped"
  | "requested"
  | "approved"
  | "covered"
  | "denied"
  | "returned"
  | "expired"
  | "withdrawn"
  | "cancelled"
  | "refused"
  | "upstream_waiting"
  | "releasing"
  | "released"
  | "failed"
  | "unknown_outcome"
  | "revoked"
  | "window_ended"
  | "listed"
  | "approver_added"
  | "approver_removed"
  | "channel_failed"
  | "tunnel_failed"
  | "log_gap";

/** One line of the audit log. The writer adds its instance id. Holds names and reasons, never values or links. */
export interface Event {
  readonly kind: EventKind;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly session?: string;
  readonly request?: string;
  /** Ties `releasing` to its end. */
  readonly release?: string;
  readonly vault?: string;
  readonly provider?: string;
  readonly action?: Action;
  readonly names?: readonly string[];
  /** The immutable addresses behind the names, in the same order. */
  readonly refs?: readonly string[];
  readonly reason?: string;
  readonly requester?: Requester;
  /** The approval this rests on: its id and how it was proven. */
  readonly approval?: string;
  readonly proof?: "link" | "passkey";
  /** Who signed it, or is added or removed: the name and the id of the credential. */
  readonly approver?: string;
  /** Digest of what was signed (see statement.ts). */
  readonly statement?: string;
  /** For `releasing`: whether a person was asked for this very use, or an open window covered it. */
  readonly basis?: "asked" | "window";
  readonly scope?: "secret" | "vault";
  /** End of the window, epoch ms. */
  readonly until?: number;
  readonly code?: string;
  /** What a person wrote or what went wrong, in one line. */
  readonly detail?: string;
  /** How often it happened, where repetitions share one line. */
  readonly count?: number;
}
