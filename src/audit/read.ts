import { statSync } from "node:fs";
import { VaultError } from "../core/errors.ts";
import type { EventKind } from "../core/event.ts";
import { loadDriver } from "../state/driver.ts";
import type { Connection } from "../state/driver.ts";
import { faultOf } from "../state/faults.ts";
import { identify } from "../state/place.ts";
import { AUDIT_LOG, auditFile } from "./file.ts";
import { fromRow } from "./rows.ts";
import type { Stored, StoredEvent } from "./rows.ts";
import { FILTERS, MIGRATIONS, SELECT_EXTENT, selectEvents } from "./schema.ts";

/** Which events are wanted; all conditions hold at once. */
export interface EventFilters {
  /** Epoch ms, inclusive. */
  readonly since?: number;
  /** Epoch ms, exclusive. */
  readonly until?: number;
  readonly vault?: string;
  /** One of the names of the event, exactly as it is logged. */
  readonly name?: string;
  readonly kind?: EventKind;
  readonly request?: string;
  readonly limit: number;
}

/** What `doctor` says of the log without writing to it. */
export type LogState =
  | { readonly exists: false }
  | { readonly exists: true; readonly events: number; readonly lastAt?: number; readonly bytes: number };

const RELEASES: readonly (EventKind | undefined)[] = ["releasing", "released"];

/** The events that match, newest first. Works beside writers; throws `audit_unavailable` where there is no log. */
export function readEvents({ file, filters }: { file: string; filters: EventFilters }): readonly StoredEvent[] {
  const wanted: (readonly [condition: string, value: string | number | undefined])[] = [
    [FILTERS.since, filters.since],
    [FILTERS.until, filters.until],
    [FILTERS.vault, filters.vault],
    [FILTERS.name, filters.name],
    [FILTERS.request, filters.request],
    [RELEASES.includes(filters.kind) ? FILTERS.releaseKind : FILTERS.kind, filters.kind],
  ];
  const set = wanted.filter(([, value]) => value !== undefined);
  const query = selectEvents(set.map(([condition]) => condition));
  return reading(file, (db) => {
    const values = set.map(([, value]) => value);
    return db
      .prepare<unknown[], Stored>(query)
      .all(...values, Math.max(0, filters.limit))
      .map(fromRow);
  });
}

/** How large the log is and when it was last written. Throws `audit_unavailable` when it cannot be read. */
export function inspectLog({ file }: { file: string }): LogState {
  if (!identify(file)) return { exists: false };
  return reading(file, (db) => {
    const extent = db.prepare<[], { events: number; last_at: number }>(SELECT_EXTENT).get();
    const bytes = statSync(file).size;
    return { exists: true, events: extent?.events ?? 0, bytes, ...(extent && { lastAt: extent.last_at }) };
  });
}

function reading<T>(file: string, query: (db: Connection) => T): T {
  if (!identify(file)) {
    throw new VaultError("audit_unavailable", `there is no audit log at ${file} yet`, {
      hint: "it is made when an agent first asks for a secret",
    });
  }
  let db: Connection | undefined;
  try {
    db = new (loadDriver(AUDIT_LOG))(file, { readonly: true, fileMustExist: true });
    const version = Number(db.pragma("user_version", { simple: true }));
    if (version !== MIGRATIONS.length) throw otherVersion(file, version);
    return query(db);
  } catch (error) {
    throw faultOf(error, auditFile(file)).error;
  } finally {
    db?.close();
  }
}

function otherVersion(file: string, version: number): VaultError {
  if (version > MIGRATIONS.length) {
    return new VaultError("audit_unavailable", `the audit log ${file} was written by a newer agent-vault`, {
      hint: "update agent-vault",
    });
  }
  return new VaultError("audit_unavailable", `${file} holds no audit log of this agent-vault yet`, {
    hint: "it is made, or brought up to date, when an agent next asks for a secret",
  });
}
