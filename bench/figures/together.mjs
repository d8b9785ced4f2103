import { assertValue, openWindow, read } from "../house.mjs";
import { inTurns, median, quantile } from "../measure.mjs";
import { count, ms, row } from "../table.mjs";

const AT_ONCE = 64;
const LEAST = 4_000;

/** 64 calls sent at once inside an open window, again as soon as all are answered. */
export async function together({ street, pick }) {
  const house = street.build();
  const ours = house.ours();
  await ours.initialize();
  await openWindow(ours);
  const bare = house.bare();
  await bare.initialize();

  const servers = [ours, bare].map((server) => ({ server, times: [], last: [] }));
  const asks = Array.from({ length: AT_ONCE }, () => read("API_KEY"));
  const batch = async (each) => {
    const from = performance.now();
    each.last = await Promise.all(each.server.calls("get_secret", asks));
    return performance.now() - from;
  };
  await inTurns(pick(30, 2), servers, batch);
  await inTurns(pick(100, 3), servers, async (each) => each.times.push(await batch(each)));
  for (const result of servers[0].last) assertValue(result);
  await Promise.all([ours.stop(), bare.stop()]);

  const [our, their] = servers.map(({ times }) => times);
  const rate = (times) => (1000 * AT_ONCE) / median(times);
  const written = (times) => `${count(rate(times))}/s (batch p95 ${ms(quantile(times, 0.95))})`;
  return [
    row(`${AT_ONCE} calls at once inside a window, calls per second`, {
      ours: written(our),
      bare: written(their),
      ratio: rate(our) / rate(their),
      target: `at least ${count(LEAST)}/s`,
      met: rate(our) >= LEAST,
    }),
  ];
}
