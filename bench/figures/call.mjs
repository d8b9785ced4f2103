import { assertValue, openWindow, read } from "../house.mjs";
import { inTurns, median, timed } from "../measure.mjs";
import { count, p50p95, row } from "../table.mjs";

const MOST = 3;
const BLOCK = 100;
const WARM = 10;

/**
 * One get_secret after the other inside an open window, each durable in the log before its value is read: the first
 * calls of a session, which is what an agent makes, and those after the compiler has seen a thousand.
 */
export async function call({ street, pick }) {
  const house = street.build();
  const [fresh, warm] = [[], []];
  for (let session = 0; session < pick(10, 1); session++) {
    const servers = [await begin(house.ours(), openWindow), await begin(house.bare(), async () => {})];
    await inTurns(1, servers, async (each) => each.fresh.push(...(await block(each))));
    fresh.push(servers.map((each) => each.fresh));
    // One session goes on; the others would only repeat it.
    if (session === 0) {
      await inTurns(pick(WARM, 1), servers, block);
      await inTurns(pick(30, 2), servers, async (each) => each.warm.push(...(await block(each))));
      warm.push(servers.map((each) => each.warm));
    }
    assertValue(servers[0].last);
    await Promise.all(servers.map(({ server }) => server.stop()));
  }
  return [
    line(`the first ${BLOCK} calls of a session`, fresh),
    line(`after ${count(pick(WARM, 1) * BLOCK)} calls`, warm),
  ];
}

async function begin(server, prepare) {
  await server.initialize();
  await prepare(server);
  return { server, fresh: [], warm: [], last: undefined };
}

function block(each) {
  return timed(BLOCK, async () => {
    each.last = await each.server.call("get_secret", read("API_KEY"));
  });
}

function line(which, sessions) {
  const [ours, bare] = [0, 1].map((at) => sessions.flatMap((each) => each[at]));
  const ratio = median(ours) / median(bare);
  return row(`get_secret inside a window, ${which}, p50 (p95)`, {
    ours: p50p95(ours),
    bare: p50p95(bare),
    ratio,
    target: `ratio at most ${MOST}`,
    met: ratio <= MOST,
  });
}
