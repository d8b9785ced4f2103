// What is printed, and the page made of it.
import { cpus, release, totalmem, type } from "node:os";
import { markdown, ms } from "./table.mjs";

/** `run`: the table with what is needed to judge it. `document`: docs/benchmarks.md. */
export function report({ table, noise, sync, quick }) {
  const facts = [
    `${new Date().toISOString().slice(0, 10)}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GB, Node ${process.versions.node}, ${type()} ${release().split(".").slice(0, 2).join(".")}.`,
    `Making 4 KB durable on its disk took ${ms(sync.p50)} (p95 ${ms(sync.p95)}).`,
    `A fixed piece of work took ${noise.typical.toFixed(2)} times its best time in the median, ${noise.worst.toFixed(2)} times at p95: so noisy was the machine.`,
  ];
  const warning = quick ? "\n\nA quick run: these figures mean nothing." : "";
  const run = `${markdown(table)}\n\n${facts.join("\n")}${warning}`;
  return { run, document: `${HEAD}\n${markdown(table)}\n\n${facts.join("\n")}\n${TAIL}` };
}

const HEAD = `<!-- Written by npm run bench -- --write. Do not edit. -->
# How fast, how small

What agent-vault costs beside the least an MCP server can be: a server of the MCP SDK, run from its unbundled
node_modules, with two tools that always answer the same (\`bench/bare-server.mjs\`). Both are measured in the same run
and in turns, so that whatever else the machine does hits both; ratios hold on other machines, milliseconds do not.
`;

const TAIL = `
## What is measured

- Both servers are real processes, spoken to over stdio. The client is raw JSON-RPC (\`bench/client.mjs\`), because the
  SDK's own costs as much as what is measured; only the approvals are asked for by the SDK's client.
- **spawn to initialize response** begins before the process exists.
- **get_secret inside a window**: one call after the other. Each includes the check of the window, the event
  \`releasing\` made durable (\`synchronous=FULL\`) and the value read afresh from the env file. The bare server does
  none of that: it returns a constant, and once it is compiled it does so in less time than a disk needs for one durable
  write. This ratio therefore says as much about the disk as about us. An agent makes tens of calls in a session, so the
  first hundred of ten sessions are shown beside those of a session that has gone on.
- **with 1,000,000 events**: the log is filled with the program's own schema and rows, as if sessions had asked, been
  approved or denied and read for a year. The target is the spread between two servers whose logs are empty.
- **64 calls at once** are written in one go, and again when all are answered.
- **approve tap to tool result**: from the POST of the page's form until the agent's call has its value.
- **memory**: RSS counts shared pages in full, PSS by the process's part of them; median of five runs.
- **requests pending**: different requests, sent in one burst with \`approval.maxWaiting\` raised. One is accepted when
  it is durable in the log and its client has been told where it waits. Afterwards the log must hold the beginning and
  the end of every one.

Repeat it with \`npm run bench\`; \`-- --only start\` measures one figure, \`-- --program FILE\` another build.
`;
