import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { linksIn } from "../client.mjs";
import { assertValue, read } from "../house.mjs";
import { median } from "../measure.mjs";
import { look } from "../person.mjs";
import { ms, p50p95, row } from "../table.mjs";

const MOST_MS = 5;

/** From the tap on Approve to the value in the agent's hands, with the SDK's own client as the agent. */
export async function approve({ street, pick }) {
  const names = Array.from({ length: pick(200, 3) }, (_, i) => `KEY_${i}`);
  const { cwd, env } = street.build({ names });
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [street.program],
    cwd,
    env,
    stderr: "pipe",
  });
  const links = linksIn(transport.stderr);
  const client = new Client({ name: "bench", version: "1.0.0" });
  await client.connect(transport);
  const times = [];
  try {
    for (const name of names) {
      const result = client.callTool({ name: "get_secret", arguments: read(name) });
      const page = await look(await links.next());
      const from = performance.now();
      const [value] = await Promise.all([
        result.then((value) => {
          times.push(performance.now() - from);
          return value;
        }),
        page.tapApprove(),
      ]);
      assertValue(value, name);
    }
  } finally {
    await client.close();
  }
  return [
    row("approve tap to tool result, p50 (p95)", {
      ours: p50p95(times),
      target: `p50 at most ${ms(MOST_MS)}`,
      met: median(times) <= MOST_MS,
    }),
  ];
}
