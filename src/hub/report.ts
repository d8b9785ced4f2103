import type { Front } from "../core/card.ts";
import { type Clock, pause } from "../core/clock.ts";
import type { Overview } from "../core/overview.ts";
import { MOST_LINE } from "./lines.ts";

/** Changes that come closer together are told at once, ms. */
const GATHER_MS = 25;
const FEW_NAMES = 5;
/** What an overview may have at most when it travels: lines, and keys besides. */
export const MOST_LINES = 2_000;
export const MOST_KEPT = 5_000;

/** Tells what waits and what is open in a session, now and at each change until the signal aborts. */
export function reporter(own: Front, clock: Clock, tell: (overview: Overview) => void, signal: AbortSignal) {
  let told = -1;
  const now = async (): Promise<void> => {
    const overview = await own.overview();
    // Two looks at once may come back in either order.
    if (signal.aborted || overview.version <= told) return;
    told = overview.version;
    tell(brief(overview));
  };
  const keepOn = async (): Promise<void> => {
    while (!signal.aborted) {
      await now();
      await own.overviewChanged(told, signal);
      await pause(clock, GATHER_MS, signal);
    }
  };
  return { now, keepOn };
}

/** As it may travel: of thousands that wait the first have a line, the others at least a page. */
export function bounded({ waiting, windows, kept = [], version }: Overview): Overview {
  const more = waiting.slice(MOST_LINES).flatMap(({ key }) => key ?? []);
  return {
    waiting: waiting.slice(0, MOST_LINES),
    windows: windows.slice(0, MOST_LINES),
    kept: [...kept, ...more].slice(-MOST_KEPT),
    version,
  };
}

/** As it fits into one line: hundreds of batches of long names say of each what they begin with. */
function brief(overview: Overview): Overview {
  if (JSON.stringify(overview).length <= MOST_LINE / 2) return overview;
  const cut = <T extends { readonly names: readonly string[] }>(line: T): T => ({
    ...line,
    names: line.names.slice(0, FEW_NAMES),
  });
  return { ...overview, waiting: overview.waiting.map(cut), windows: overview.windows.map(cut) };
}
