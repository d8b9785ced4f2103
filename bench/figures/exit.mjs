import { openWindow } from "../house.mjs";
import { inTurns, median } from "../measure.mjs";
import { ms, p50p95, row } from "../table.mjs";

const MOST_MS = 60;

/** From the end of stdin to the end of the process: with the page and the log open, and without a single call. */
export async function exit({ street, pick }) {
  const house = street.build();
  const lives = [
    { open: house.ours, live: openWindow, times: [] },
    { open: house.ours, live: async () => {}, times: [] },
    { open: house.bare, live: async () => {}, times: [] },
  ];
  await inTurns(pick(20, 1), lives, async ({ open, live, times }) => {
    const server = open();
    await server.initialize();
    await live(server);
    times.push(await server.stop());
  });
  const [used, unused, bare] = lives.map(({ times }) => times);
  const line = (figure, ours) =>
    row(`stdin end to exit, ${figure}, p50 (p95)`, {
      ours: p50p95(ours),
      bare: p50p95(bare),
      ratio: median(ours) / median(bare),
      target: `p50 at most ${ms(MOST_MS)}`,
      met: median(ours) <= MOST_MS,
    });
  return [line("page and log open", used), line("never called", unused)];
}
