import { REASON, openWindow } from "../house.mjs";
import { within } from "../client.mjs";
import { countEvents } from "../log.mjs";
import { median } from "../measure.mjs";
import { memoryOf } from "../memory.mjs";
import { count, mb, ms, row } from "../table.mjs";

const MOST_MS = 2_000;
const MOST_BYTES = 150e6;
const LONGEST_MS = 120_000;
const NAMES = 101;

/**
 * Many requests that wait for a person at once, sent in one burst. One is accepted when it is in the log and its client
 * has been told, by progress, under which link it waits, or that it waits behind others for its turn. The page and the
 * log were open before.
 */
export async function pending({ street, pick }) {
  const wanted = pick(5_000, 50);
  const runs = [];
  for (let run = 0; run < pick(3, 1); run++) runs.push(await burst(street, wanted));
  const took = median(runs.map((run) => run.took));
  const more = median(runs.map((run) => run.more));
  return [
    row(`${count(wanted)} requests pending, until all are accepted`, {
      ours: ms(took),
      target: `at most ${ms(MOST_MS)}`,
      met: took <= MOST_MS,
    }),
    row(`${count(wanted)} requests pending, memory`, {
      ours: `+${mb(more)} RSS`,
      target: `at most ${mb(MOST_BYTES)} more`,
      met: Number.isNaN(more) ? undefined : more <= MOST_BYTES,
    }),
  ];
}

async function burst(street, wanted) {
  const names = Array.from({ length: NAMES }, (_, i) => `KEY_${i}`);
  const house = street.build({ names: ["API_KEY", ...names], approval: { maxWaiting: wanted + 1 } });
  const server = house.ours();
  await server.initialize();
  await openWindow(server);
  const before = memoryOf(server.pid).rss;

  const accepted = new Set();
  const all = new Promise((resolve) => {
    server.onProgress(({ progressToken, message }) => {
      if (/\/approve\/|for its turn/.test(message)) accepted.add(progressToken);
      if (accepted.size === wanted) resolve();
    });
  });
  const asks = pairs(names)
    .slice(0, wanted)
    .map((two) => ({ vault: "dev", names: two, reason: REASON }));
  const from = performance.now();
  server.calls("get_secrets", asks, { token: true });
  await within(LONGEST_MS, all, `only some of ${wanted} requests were accepted`);
  await within(LONGEST_MS, logged(house.database, wanted + 1), `only some of ${wanted} requests were logged`);
  const took = performance.now() - from;
  const more = memoryOf(server.pid).rss - before;
  await server.stop();

  const told = countEvents(house.database, ["requested", "cancelled"]);
  if (told.requested !== wanted + 1 || told.cancelled !== wanted)
    throw new Error(`the log has ${told.requested} requests and ${told.cancelled} ends of ${wanted + 1}`);
  return { took, more };
}

async function logged(database, wanted) {
  while (countEvents(database, ["requested"]).requested < wanted) await new Promise((again) => setTimeout(again, 5));
}

/** Every two of them once: as many different requests as wanted without as many names. */
function pairs(names) {
  return names.flatMap((one, at) => names.slice(at + 1).map((other) => [one, other]));
}
