import { assertValue, openWindow, read } from "../house.mjs";
import { inTurns, median, quantile, timed } from "../measure.mjs";
import { fillLog } from "../million.mjs";
import { count, p50p95, row } from "../table.mjs";

const BLOCK = 25;

/**
 * The same call with a full log, beside two servers whose logs are empty. What those two differ by from block to block
 * is the noise; the full log costs nothing when it lies within.
 */
export async function rows({ street, pick, say }) {
  const wanted = pick(1_000_000, 2_000);
  const full = street.build();
  const took = await fillLog(full.database, wanted);
  say(`${count(wanted)} events written in ${took.toFixed(1)} s`);

  const servers = [];
  for (const house of [street.build(), street.build(), full]) {
    const server = house.ours();
    await server.initialize();
    await openWindow(server);
    servers.push({ server, times: [], blocks: [] });
  }
  const block = async ({ server }) => {
    let last;
    const times = await timed(BLOCK, async () => {
      last = await server.call("get_secret", read("API_KEY"));
    });
    assertValue(last);
    return times;
  };
  await inTurns(pick(20, 1), servers, block);
  await inTurns(pick(80, 3), servers, async (each) => {
    const times = await block(each);
    each.times.push(...times);
    each.blocks.push(median(times));
  });
  await Promise.all(servers.map(({ server }) => server.stop()));

  const [empty, second, million] = servers;
  const beside = (one) => one.blocks.map((value, at) => value / empty.blocks[at]);
  const noise = beside(second);
  const most = quantile(noise, 0.95);
  const ratio = median(beside(million));
  return [
    row(`the same with ${count(wanted)} events in the log, beside an empty log`, {
      ours: p50p95(million.times),
      bare: `empty log: ${p50p95(empty.times)}`,
      ratio,
      target: `within noise: two empty logs ${quantile(noise, 0.05).toFixed(2)} to ${most.toFixed(2)}`,
      met: ratio <= most,
    }),
  ];
}
