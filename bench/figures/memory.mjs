import { assertValue, openWindow, read } from "../house.mjs";
import { inTurns, median } from "../measure.mjs";
import { memoryOf } from "../memory.mjs";
import { count, mb, row } from "../table.mjs";

const MOST_AT_START = 15e6;
const MOST_LATER = 30e6;

/** What the process takes once it is initialized, and after many calls inside a window (one after the other). */
export async function memory({ street, pick }) {
  const calls = pick(10_000, 50);
  const house = street.build();
  const programs = [
    { open: house.ours, prepare: openWindow, check: assertValue, seen: [] },
    { open: house.bare, prepare: async () => {}, check: () => {}, seen: [] },
  ];
  await inTurns(pick(5, 1), programs, async ({ open, prepare, check, seen }) => {
    const server = open();
    await server.initialize();
    const atStart = memoryOf(server.pid);
    await prepare(server);
    for (let i = 0; i < calls; i++) check(await server.call("get_secret", read("API_KEY")));
    seen.push({ atStart, later: memoryOf(server.pid) });
    await server.stop();
  });

  const line = (figure, moment, kind, most) => {
    const [ours, bare] = programs.map(({ seen }) => median(seen.map((each) => each[moment][kind])));
    const more = ours - bare;
    return row(`memory ${figure}, ${kind.toUpperCase()}`, {
      ours: Number.isNaN(ours) ? "not told by this system" : `${mb(ours)} (${more < 0 ? "" : "+"}${mb(more)})`,
      bare: Number.isNaN(bare) ? undefined : mb(bare),
      ratio: Number.isNaN(ours) ? undefined : ours / bare,
      target: `at most ${mb(most)} more`,
      met: Number.isNaN(ours) ? undefined : more <= most,
    });
  };
  const later = `after ${count(calls)} calls`;
  return [
    line("at start", "atStart", "rss", MOST_AT_START),
    line("at start", "atStart", "pss", MOST_AT_START),
    line(later, "later", "rss", MOST_LATER),
    line(later, "later", "pss", MOST_LATER),
  ];
}
