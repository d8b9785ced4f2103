import { median, timed } from "../measure.mjs";
import { count, ms, p50p95, row } from "../table.mjs";

const MOST_MS = 10;

/** list_secrets over many names: the first page, and how much of it the model has to read. */
export async function list({ street, pick }) {
  const wanted = pick(10_000, 300);
  const names = Array.from({ length: wanted }, (_, i) => `SERVICE_${i}_TOKEN`);
  const house = street.build({ names });
  const server = house.ours();
  await server.initialize();
  let page = "";
  const once = async () => {
    const result = await server.call("list_secrets", {});
    page = result.content[0].text;
  };
  await timed(pick(30, 2), once);
  const times = await timed(pick(300, 5), once);
  const cursor = /cursor ([\w-]+)$/.exec(page)?.[1];
  if (!page.includes("SERVICE_0_TOKEN") || cursor === undefined) throw new Error(`instead of a page came: ${page}`);
  await server.stop();
  const shown = page.split("\n").filter((line) => line.includes("SERVICE_")).length;
  return [
    row(`list_secrets with ${count(wanted)} names, p50 (p95)`, {
      ours: p50p95(times),
      target: `p50 at most ${ms(MOST_MS)}`,
      met: median(times) <= MOST_MS,
    }),
    row("size of that answer", {
      ours: `${count(Buffer.byteLength(page))} bytes, ${count(shown)} names, then a cursor`,
      target: "paged",
      met: shown < wanted,
    }),
  ];
}
