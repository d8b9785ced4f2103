// All SQL of the log: the table, what keeps it append-only, and every statement that touches it.

/** Marks a database as ours, so that no other file is ever taken for the log ("AgVt"). */
export const APPLICATION_ID = 0x41675674;

const LISTED = `CASE
      WHEN kind IN ('approved', 'denied') THEN kind
      WHEN kind = 'releasing' AND basis = 'window' THEN 'auto_approved'
    END`;

/**
 * Numbered, forward only: a database at version n has run the first n. One that has run more than we know is refused.
 * `unended` holds the deliveries that are under way and nothing else, so that closing what a dead process left behind
 * costs the same after a million events as after ten. The triggers stop accidents, not an owner who drops them.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE event (
    seq INTEGER PRIMARY KEY CHECK (seq > 0),
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    session TEXT,
    request TEXT,
    release TEXT,
    vault TEXT,
    provider TEXT,
    action TEXT,
    names TEXT,
    refs TEXT,
    reason TEXT,
    requester TEXT,
    approval TEXT,
    proof TEXT,
    basis TEXT,
    scope TEXT,
    until INTEGER,
    code TEXT,
    detail TEXT,
    count INTEGER,
    instance TEXT NOT NULL,
    timestamp TEXT GENERATED ALWAYS AS (strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000.0, 'unixepoch')) VIRTUAL,
    listed TEXT GENERATED ALWAYS AS (${LISTED}) VIRTUAL
  ) STRICT;

  CREATE TABLE unended (
    release TEXT PRIMARY KEY,
    instance TEXT NOT NULL,
    seq INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE INDEX event_at ON event (at);
  CREATE INDEX event_vault ON event (vault, at) WHERE vault IS NOT NULL;
  CREATE INDEX event_kind ON event (kind, at) WHERE kind NOT IN ('releasing', 'released');
  CREATE INDEX event_request ON event (request) WHERE request IS NOT NULL;
  CREATE INDEX event_listed ON event (timestamp) WHERE listed IS NOT NULL;

  CREATE TRIGGER event_is_never_changed BEFORE UPDATE ON event
  BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
  CREATE TRIGGER event_is_never_deleted BEFORE DELETE ON event
  BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
  CREATE TRIGGER event_is_never_replaced BEFORE INSERT ON event
  WHEN NEW.seq > 0 AND NEW.seq <= (SELECT max(seq) FROM event)
  BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

  CREATE TRIGGER release_begins AFTER INSERT ON event
  WHEN NEW.kind = 'releasing' AND NEW.release IS NOT NULL
  BEGIN INSERT INTO unended VALUES (NEW.release, NEW.instance, NEW.seq) ON CONFLICT DO NOTHING; END;
  CREATE TRIGGER release_ends AFTER INSERT ON event
  WHEN NEW.kind IN ('released', 'failed', 'unknown_outcome') AND NEW.release IS NOT NULL
  BEGIN DELETE FROM unended WHERE release = NEW.release; END;

  CREATE VIEW audit AS
  SELECT
    event.timestamp AS timestamp,
    event.vault || coalesce('/' || item.value, '') AS secret_name,
    event.reason AS reason,
    event.listed AS action,
    strftime('%Y-%m-%dT%H:%M:%fZ', event.until / 1000.0, 'unixepoch') AS ttl_expires_at,
    event.action AS access
  FROM event LEFT JOIN json_each(event.names) AS item
  WHERE event.listed IS NOT NULL;
  `,
  // 2: who signed what.
  `
  ALTER TABLE event ADD COLUMN approver TEXT;
  ALTER TABLE event ADD COLUMN statement TEXT;

  DROP VIEW audit;
  CREATE VIEW audit AS
  SELECT
    event.timestamp AS timestamp,
    event.vault || coalesce('/' || item.value, '') AS secret_name,
    event.reason AS reason,
    event.listed AS action,
    strftime('%Y-%m-%dT%H:%M:%fZ', event.until / 1000.0, 'unixepoch') AS ttl_expires_at,
    event.action AS access,
    event.approver AS approver
  FROM event LEFT JOIN json_each(event.names) AS item
  WHERE event.listed IS NOT NULL;
  `,
];

/** The columns an event fills, in the order in which rows.ts lays them out; `instance` follows them. */
export const EVENT_COLUMNS = [
  "at",
  "kind",
  "session",
  "request",
  "release",
  "vault",
  "provider",
  "action",
  "names",
  "refs",
  "reason",
  "requester",
  "approval",
  "proof",
  "basis",
  "scope",
  "until",
  "code",
  "detail",
  "count",
  "approver",
  "statement",
] as const;

const PLACES = EVENT_COLUMNS.map(() => "?").join(", ");

export const INSERT_EVENT = `INSERT INTO event (${EVENT_COLUMNS.join(", ")}, instance) VALUES (${PLACES}, ?)`;

/** Says of every unended delivery of one instance that its outcome is unknown. Takes `at`, `detail`, `instance`. */
export const CLOSE_RELEASES = `
  INSERT INTO event (
    at, kind, detail, session, request, release, vault, provider, action, names, refs, approval, basis, code, instance
  )
  SELECT
    @at, 'unknown_outcome', @detail, session, request, event.release, vault, provider, action, names, refs, approval,
    basis, code, event.instance
  FROM unended JOIN event ON event.seq = unended.seq
  WHERE unended.instance = @instance
  ORDER BY event.seq`;

/** What each filter adds to the query; every condition names an index or is cheap beside one. */
export const FILTERS = {
  since: "at >= ?",
  until: "at < ?",
  vault: "vault = ?",
  name: "EXISTS (SELECT 1 FROM json_each(event.names) AS item WHERE item.value = ?)",
  request: "request = ?",
  // The second half lets the planner see that the partial index holds every row that is wanted.
  kind: "kind = ? AND kind NOT IN ('releasing', 'released')",
  releaseKind: "kind = ?",
} as const;

/** Newest first. Ends in a parameter for the limit. */
export function selectEvents(conditions: readonly string[]): string {
  const where = conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`;
  return `SELECT seq, instance, ${EVENT_COLUMNS.join(", ")} FROM event ${where} ORDER BY at DESC, seq DESC LIMIT ?`;
}

/** How many events there are (nothing is ever deleted, so the last number is the count) and when the last one was. */
export const SELECT_EXTENT = "SELECT seq AS events, at AS last_at FROM event ORDER BY seq DESC LIMIT 1";
