import type { Event } from "../core/event.ts";
import type { Requester } from "../core/request.ts";
import { clip } from "../core/text.ts";
import type { EVENT_COLUMNS } from "./schema.ts";

/** One event as the log holds it: a number and the process that wrote it come with it. */
export type StoredEvent = Event & { readonly seq: number; readonly instance: string };

/** The values of one event in the order of `EVENT_COLUMNS`. */
export type Row = readonly (string | number | null)[];

/** What a query gives back. */
export type Stored = Readonly<Record<(typeof EVENT_COLUMNS)[number], string | number | null>> & {
  readonly seq: number;
  readonly instance: string;
};

const PROSE = 4_000;
const LINE = 1_000;
const ID = 200;
const MOST_NAMES = 1_000;
const MOST_ROOTS = 50;

/**
 * Lays an event out for the table. Every text is bounded and every number made whole, so that no event, however odd,
 * can make the database refuse a row and hold up those behind it.
 */
export function toRow(event: Event): Row {
  return [
    whole(event.at) ?? 0,
    event.kind,
    text(event.session, ID),
    text(event.request, ID),
    text(event.release, ID),
    text(event.vault, LINE),
    text(event.provider, ID),
    text(event.action, ID),
    list(event.names),
    list(event.refs),
    text(event.reason, PROSE),
    event.requester === undefined ? null : JSON.stringify(bounded(event.requester)),
    text(event.approval, ID),
    text(event.proof, ID),
    text(event.basis, ID),
    text(event.scope, ID),
    whole(event.until),
    text(event.code, ID),
    text(event.detail, PROSE),
    whole(event.count),
    text(event.approver, LINE),
    text(event.statement, ID),
  ];
}

/** Reads an event back. Columns that are empty are absent. */
export function fromRow(row: Stored): StoredEvent {
  const event: Record<string, unknown> = {};
  for (const [column, value] of Object.entries(row)) {
    if (value !== null) event[column] = JSON_COLUMNS.has(column) ? JSON.parse(String(value)) : value;
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the inverse of toRow; what others wrote is shown as is
  return event as unknown as StoredEvent;
}

const JSON_COLUMNS: ReadonlySet<string> = new Set(["names", "refs", "requester"]);

function text(value: string | undefined, max: number): string | null {
  return value === undefined ? null : cut(value, max);
}

function cut(value: string, max: number): string {
  // Two code units make at most one character, so a megabyte is not taken apart to keep a thousand of it.
  return value.length <= max ? value : clip(value.slice(0, 2 * max + 2), max);
}

function list(values: readonly string[] | undefined): string | null {
  if (values === undefined) return null;
  return JSON.stringify(values.slice(0, MOST_NAMES).map((value) => cut(value, LINE)));
}

function bounded({ claims, facts }: Requester): Requester {
  return {
    claims: {
      client: cut(claims.client, LINE),
      ...(claims.roots && { roots: claims.roots.slice(0, MOST_ROOTS).map((root) => cut(root, LINE)) }),
      ...(claims.folder !== undefined && { folder: cut(claims.folder, LINE) }),
      ...(claims.process !== undefined && { process: cut(claims.process, LINE) }),
    },
    facts: {
      user: cut(facts.user, LINE),
      host: cut(facts.host, LINE),
      ...(facts.folder !== undefined && { folder: cut(facts.folder, LINE) }),
      ...(facts.process !== undefined && { process: cut(facts.process, LINE) }),
    },
  };
}

function whole(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? Math.round(value) : null;
}
