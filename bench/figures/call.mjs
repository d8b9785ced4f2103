import { assertValue, openWindow, read } from "../house.mjs";
import { inTurns, median, timed } from "../measure.mjs";
import { p50p95, row } from "../table.mjs";

const MOST = 3;
const BLOCK = 100;

/** One get_secret after the other inside an open window, each durable in the log before its value is read. */
export async function call({ street, pick }) {
  const house = street.build();
  const ours = house.ours();
  await ours.initialize();
  await openWindow(ours);
  const bare = house.bare();
  await bare.initialize();

  const servers = [ours, bare].map((server) => ({ server, times: [], last: undefined }));
  const block = (each) =>
    timed(BLOCK, async () => {
      each.last = await each.server.call("get_secret", read("API_KEY"));
    });
  // Until the compiler has seen enough of both.
  await inTurns(pick(10, 1), servers, block);
  await inTurns(pick(30, 2), servers, async (each) => each.times.push(...(await block(each))));
  assertValue(servers[0].last);
  await Promise.all([ours.stop(), bare.stop()]);

  const [our, their] = servers.map(({ times }) => times);
  const ratio = median(our) / median(their);
  return [
    row("get_secret inside a window, one after the other, p50 (p95)", {
      ours: p50p95(our),
      bare: p50p95(their),
      ratio,
      target: `ratio at most ${MOST}`,
      met: ratio <= MOST,
    }),
  ];
}
