import { inTurns, median } from "../measure.mjs";
import { p50p95, row } from "../table.mjs";

const MOST = 0.65;

/** From spawn to the answer to `initialize`. */
export async function start({ street, pick }) {
  const house = street.build();
  const programs = [house.ours, house.bare].map((open) => ({ open, times: [] }));
  // The first start of a program reads it from the disk.
  await inTurns(1, programs, ({ open }) => startOnce(open));
  await inTurns(pick(30, 1), programs, async ({ open, times }) => times.push(await startOnce(open)));
  const [ours, bare] = programs.map(({ times }) => times);
  const ratio = median(ours) / median(bare);
  return [
    row("spawn to initialize response, p50 (p95)", {
      ours: p50p95(ours),
      bare: p50p95(bare),
      ratio,
      target: `ratio at most ${MOST}`,
      met: ratio <= MOST,
    }),
  ];
}

async function startOnce(open) {
  const from = performance.now();
  const server = open();
  await server.initialize();
  const took = performance.now() - from;
  await server.stop();
  return took;
}
