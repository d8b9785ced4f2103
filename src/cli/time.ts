import { VaultError } from "../core/errors.ts";

const UNITS_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const AGO = /^(\d{1,6})\s*([smhd])$/;
const DAY = /^\d{4}-\d{2}-\d{2}$/;
const MOMENT = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:?\d{2})?$/;

/** Epoch ms of a time as people type it: a day or a moment in local time, one with a zone, or how long ago. */
export function parseTime(option: string, text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined;
  const ago = AGO.exec(text.trim());
  if (ago !== null) return now - Number(ago[1]) * (UNITS_MS[ago[2] ?? ""] ?? 0);
  // A day alone would be read as UTC; the person who types it means their own.
  const moment = DAY.test(text.trim()) ? `${text.trim()}T00:00:00` : text.trim().replace(" ", "T");
  const at = MOMENT.test(moment) ? Date.parse(moment) : Number.NaN;
  if (Number.isFinite(at)) return at;
  throw new VaultError("usage", `--${option} is not a time`, {
    hint: `write --${option} 2026-11-20, --${option} 2026-11-20T14:30, or --${option} 12h for twelve hours ago`,
  });
}
