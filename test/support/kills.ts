import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { expect } from "vitest";
import { PROGRAM, query, type World } from "./agent.ts";
import { approve } from "./person.ts";

/** One server process that was asked for a value again and again inside a window, and killed at a random moment. */
interface Life {
  readonly child: ChildProcess;
  /** The reasons of the calls whose value came back: each is unique. */
  readonly served: string[];
  readonly ready: Promise<void>;
}

/** What a series of kills left behind. */
export interface Wreckage {
  readonly kills: number;
  readonly served: number;
  /** Calls whose value reached the client without a durable `releasing` line: must be empty. */
  readonly unrecorded: readonly string[];
  /** Deliveries that a living process was still at when a later one called them unknown: must be empty. */
  readonly wronglyClosed: readonly unknown[];
  /** Deliveries of dead processes that nobody has closed although another one started since: must be empty. */
  readonly leftOpen: readonly unknown[];
  readonly integrity: unknown;
}

/** The promise, whatever the count. */
export function expectNothingLost(wreckage: Wreckage): void {
  expect(wreckage.served).toBeGreaterThan(wreckage.kills);
  const sound = { unrecorded: [], wronglyClosed: [], leftOpen: [], integrity: [{ integrity_check: "ok" }] };
  expect(wreckage).toMatchObject(sound);
}

/** Kills servers that share one log, `processes` at a time, and looks at what is left. */
export async function killServers(
  world: World,
  options: { rounds: number; processes: number; program?: string },
): Promise<Wreckage> {
  const served: string[] = [];
  for (let round = 0; round < options.rounds; round++) {
    const lives = Array.from({ length: options.processes }, (_, at) => live(world, `${round}.${at}`, options.program));
    await Promise.all(lives.map(({ ready }) => ready));
    // Not one after the other: while one dies the other is at work.
    await Promise.all(lives.map((each) => kill(each, Math.random() * 120)));
    for (const each of lives) served.push(...each.served);
  }
  // One more opens the log, closes what the dead left open, and goes in good order.
  const last = live(world, "last");
  await last.ready;
  last.child.stdin?.end();
  await once(last.child, "exit");
  served.push(...last.served);
  return inspect(world, served, options.rounds * options.processes);
}

async function kill({ child }: Life, afterMs: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, afterMs));
  const gone = once(child.stdout ?? child, "close");
  child.kill("SIGKILL");
  await gone;
}

function live(world: World, id: string, program = PROGRAM): Life {
  const child = spawn(process.execPath, [program], { cwd: world.project, env: world.env, stdio: "pipe" });
  const served: string[] = [];
  const send = (message: object): void => void child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
  child.stdin.on("error", () => {}); // It may be dead already.
  const ask = (call: number): void => {
    const args = { vault: "dev", name: "DATABASE_URL", reason: `${id}/${call}` };
    send({ id: call, method: "tools/call", params: { name: "get_secret", arguments: args } });
  };
  child.stderr.on("data", (chunk: Buffer) => {
    const link = /http:\S+approve\/[\w-]+/.exec(chunk.toString("utf8"))?.[0];
    if (link !== undefined) void approve(link).catch(() => {});
  });
  const ready = new Promise<void>((resolve) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      const { id: call, result } = JSON.parse(line) as { id: number; result?: { content?: { text: string }[] } };
      if (call === 0) {
        send({ method: "notifications/initialized" });
        ask(1);
        return;
      }
      if (result?.content?.[0]?.text.startsWith("postgres://")) {
        served.push(`${id}/${call}`);
        resolve();
      }
      ask(call + 1);
    });
  });
  const clientInfo = { name: "raw", version: "1" };
  send({ id: 0, method: "initialize", params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo } });
  return { child, served, ready };
}

function inspect(world: World, served: readonly string[], kills: number): Wreckage {
  const recorded = new Set(
    query(world, "SELECT reason FROM event WHERE kind = 'releasing'").map(({ reason }) => reason),
  );
  return {
    kills,
    served: served.length,
    unrecorded: served.filter((reason) => !recorded.has(reason)),
    wronglyClosed: query(
      world,
      `SELECT u.release FROM event u JOIN event e ON e.release = u.release AND e.kind IN ('released', 'failed')
       WHERE u.kind = 'unknown_outcome'`,
    ),
    leftOpen: query(
      world,
      `SELECT b.release FROM event b WHERE b.kind = 'releasing' AND NOT EXISTS
         (SELECT 1 FROM event e WHERE e.release = b.release AND e.kind IN ('released', 'failed', 'unknown_outcome'))`,
    ),
    integrity: query(world, "PRAGMA integrity_check"),
  };
}
