import { html, type Markup } from "./html.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** "1 secret", "2 secrets". */
export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}

/** A length of time in words, in its two largest units: "15 minutes", "1 hour 30 minutes". */
export function duration(ms: number): string {
  const units = [
    [Math.floor(ms / DAY), "day"],
    [Math.floor((ms % DAY) / HOUR), "hour"],
    [Math.floor((ms % HOUR) / MINUTE), "minute"],
    [Math.ceil((ms % MINUTE) / SECOND), "second"],
  ] as const;
  const first = units.findIndex(([n]) => n > 0);
  if (first === -1) return "a moment";
  return units
    .slice(first, first + 2)
    .filter(([n]) => n > 0)
    .map(([n, unit]) => count(n, unit))
    .join(" ");
}

/** How long something has lasted, no finer than minutes: it is read a while after it was written. */
export function soFar(ms: number): string {
  return ms < MINUTE ? "less than a minute" : duration(ms - (ms % MINUTE));
}

/** What is left, for a clock face: "4:12", "1:04:12". Never negative. */
export function countdown(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / SECOND));
  const two = (n: number): string => String(n).padStart(2, "0");
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** A moment. Its zone is written out because the phone may live in another one; the script turns it into phone time. */
export function moment(at: number, now: number): Markup {
  const date = new Date(at);
  const sameDay = date.toDateString() === new Date(now).toDateString();
  const text = new Intl.DateTimeFormat("en-GB", {
    ...(sameDay ? {} : { day: "numeric", month: "short" }),
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
    timeZoneName: "short",
  }).format(date);
  return html`<time datetime="${date.toISOString()}">${text}</time>`;
}
