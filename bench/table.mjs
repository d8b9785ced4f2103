// Rows of the table and how their numbers are written.
import { median, quantile } from "./measure.mjs";

const HEAD = ["figure", "ours", "bare SDK server", "ratio", "target", "met"];
const NONE = "–";

/** One line of the table. What does not apply is left out. */
export function row(figure, { ours, bare = NONE, ratio, target, met }) {
  const verdict = met === undefined ? NONE : met ? "yes" : "**no**";
  return [figure, ours, bare, ratio === undefined ? NONE : ratio.toFixed(2), target ?? NONE, verdict];
}

export function markdown(rows) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  return [line(HEAD), line(HEAD.map(() => "---")), ...rows.map(line)].join("\n");
}

/** Milliseconds with as many digits as mean something. */
export function ms(value) {
  return `${value.toFixed(value < 1 ? 3 : value < 20 ? 2 : 0)} ms`;
}

/** "12 ms (15 ms)": the median and the 95th percentile. */
export function p50p95(times) {
  return `${ms(median(times))} (${ms(quantile(times, 0.95))})`;
}

export function mb(bytes) {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** Grouped digits, the same everywhere: 1,000,000. */
export function count(value) {
  return Math.round(value).toLocaleString("en");
}
