import { lstat } from "node:fs/promises";
import { nearestWord } from "../core/near.ts";
import { VaultError, type ExitStatus } from "../core/errors.ts";
import type { EventKind } from "../core/event.ts";
import { clip, quoted, visible, visibleProse } from "../core/text.ts";
import type { Context, LoggedEvent, LogFilters } from "./command.ts";
import { parseTime } from "./time.ts";

/** Every kind of event; the compiler sees to it that none is missing. */
export const EVENT_KINDS: Readonly<Record<EventKind, true>> = {
  started: true,
  stopped: true,
  requested: true,
  approved: true,
  covered: true,
  denied: true,
  returned: true,
  expired: true,
  withdrawn: true,
  cancelled: true,
  refused: true,
  upstream_waiting: true,
  releasing: true,
  released: true,
  failed: true,
  unknown_outcome: true,
  revoked: true,
  window_ended: true,
  listed: true,
  approver_added: true,
  approver_removed: true,
  channel_failed: true,
  tunnel_failed: true,
  log_gap: true,
};

const DEFAULT_LIMIT = 100;

/** Shows the log on `out`: a table, or one JSON object per line. Reads only; makes no database where there is none. */
export async function audit(context: Context): Promise<ExitStatus> {
  const filters = readFilters(context);
  const loaded = await context.load();
  // With a broken configuration nobody knows which log is meant; without one it is the log in the state folder.
  if (!loaded.ok && loaded.error.code !== "config_missing") throw loaded.error;
  const file = loaded.ok ? loaded.config.database : loaded.database;
  if (context.options["path"] === true) {
    context.out(`${file}\n`);
    return 0;
  }
  if ((await lstat(file).catch(() => undefined)) === undefined) {
    context.err(`nothing is logged yet: ${visible(file)} is made when an agent first asks for a secret\n`);
    return 0;
  }
  const events = context.services.readEvents({ file, filters }).toReversed();
  if (context.options["json"] === true) for (const event of events) context.out(`${jsonLine(event)}\n`);
  else if (events.length > 0) context.out(table(events));
  else context.err("nothing in the log matches\n");
  if (events.length === filters.limit && context.options["limit"] === undefined) {
    context.err(`these are the newest ${filters.limit}; --limit shows more\n`);
  }
  return 0;
}

function readFilters({ options, services }: Context): LogFilters {
  const now = services.clock.now();
  const text = (name: string): string | undefined => {
    const value = options[name];
    return typeof value === "string" ? value : undefined;
  };
  const [since, until] = [parseTime("since", text("since"), now), parseTime("until", text("until"), now)];
  const [vault, name, kind] = [text("vault"), text("name"), readKind(text("kind"))];
  return {
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
    ...(vault === undefined ? {} : { vault }),
    ...(name === undefined ? {} : { name }),
    ...(kind === undefined ? {} : { kind }),
    limit: readLimit(text("limit")),
  };
}

function isKind(word: string): word is EventKind {
  return Object.hasOwn(EVENT_KINDS, word);
}

function readKind(word: string | undefined): EventKind | undefined {
  if (word === undefined || isKind(word)) return word;
  const near = nearestWord(word, Object.keys(EVENT_KINDS));
  const hint = near === undefined ? `there are ${Object.keys(EVENT_KINDS).join(", ")}` : `did you mean ${near}?`;
  throw new VaultError("usage", `--kind does not know ${quoted(word)}`, { hint });
}

function readLimit(text: string | undefined): number {
  if (text === undefined) return DEFAULT_LIMIT;
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new VaultError("usage", "--limit is not a count", { hint: "write --limit 500" });
}

/** Events as the person reads them, one line each under a heading. */
export function table(events: readonly LoggedEvent[]): string {
  const rows = [["TIME", "WHAT", "SECRETS", "CLIENT", "MORE"], ...events.map(row)];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((cells) => widthOf(cells[column] ?? ""))));
  const lines = rows.map((cells) =>
    cells
      .map((cell, i) => cell + " ".repeat((widths?.[i] ?? 0) - widthOf(cell)))
      .join("  ")
      .trimEnd(),
  );
  return `${lines.join("\n")}\n`;
}

function row(event: LoggedEvent): string[] {
  return [timeText(event.at), kindText(event), secretsText(event), clientText(event), moreText(event)];
}

function kindText({ kind, action, count }: LoggedEvent): string {
  const what = action === "write" ? `${kind} (write)` : kind;
  return count === undefined || count === 1 ? what : `${what} x${count}`;
}

function secretsText({ vault, names = [] }: LoggedEvent): string {
  if (vault === undefined) return "";
  const [first, ...rest] = names;
  if (first === undefined) return visible(vault);
  return `${visible(vault)}/${clip(visible(first), 40)}${rest.length === 0 ? "" : ` +${rest.length}`}`;
}

function clientText({ requester }: LoggedEvent): string {
  return requester === undefined ? "" : clip(visible(requester.claims.client), 24);
}

function moreText({ kind, approver, basis, scope, until, code, detail, reason }: LoggedEvent): string {
  return [
    approver === undefined ? undefined : `${kind === "approved" ? "signed by " : ""}${nameOf(approver)}`,
    basis === "window" ? "inside a window" : undefined,
    until === undefined ? undefined : `${scope === "vault" ? "whole vault " : ""}until ${timeText(until)}`,
    code,
    detail === undefined ? undefined : clip(visibleProse(detail), 120),
    reason === undefined ? undefined : quoted(visibleProse(reason)),
  ]
    .filter((part) => part !== undefined)
    .join("; ");
}

/** What people call an approver; the id of the credential behind it is for machines, and long. */
function nameOf(approver: string): string {
  return clip(visible(approver.replace(/ \([\w-]+\)$/, "")), 60);
}

/** Local time without a zone, as a person reads a clock. */
function timeText(at: number): string {
  const date = new Date(at);
  const two = (part: number): string => String(part).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

function widthOf(text: string): number {
  return Array.from(text).length;
}

/** JSON leaves some of what a terminal obeys as it is; as an escape it is the same JSON. */
function jsonLine(event: LoggedEvent): string {
  return JSON.stringify(event).replace(
    /[\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
