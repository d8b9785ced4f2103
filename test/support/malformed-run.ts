import { expect } from "vitest";
import { query, type World } from "./agent.ts";
import { malformedLines } from "./malformed.ts";
import { peakMemory, type Raw, startRaw, statusOfAnswer, textOfAnswer } from "./raw.ts";

/** What the program made of many malformed lines. */
export interface Endured {
  readonly lines: number;
  readonly answers: number;
  readonly impure: readonly string[];
  readonly stderr: string;
  readonly peakBytes: number;
  readonly pinged: boolean;
  readonly listed: string;
  readonly exit: unknown;
  readonly rows: number;
  readonly values: number;
}

/** Sends them to the real program in pieces that do not end where lines end, then asks whether it is still there. */
export async function endure(
  world: World,
  options: { lines: number; seed: number; program?: string },
): Promise<Endured> {
  const raw = await startRaw(world, options);
  const before = raw.lines.length;
  await feed(raw, options);
  const ping = await raw.request("ping");
  const listed = await raw.call("list_secrets", {});
  const peakBytes = peakMemory(raw.child.pid);
  const exit = await raw.close();
  return {
    lines: options.lines,
    answers: raw.lines.length - before,
    impure: raw.impure,
    stderr: raw.stderr(),
    peakBytes,
    pinged: ping.result !== undefined && statusOfAnswer(listed) === "ok",
    listed: textOfAnswer(listed),
    exit,
    rows: Number(query(world, "SELECT count(*) AS n FROM event")[0]?.["n"]),
    values: raw.lines.filter((line) => line.includes("hunter2") || line.includes("sent-canary")).length,
  };
}

async function feed(raw: Raw, { lines, seed }: { lines: number; seed: number }): Promise<void> {
  const source = malformedLines(seed);
  let held = Buffer.alloc(0);
  for (let at = 0; at < lines; at++) {
    const next = source.next();
    held = Buffer.concat([held, next.done ? Buffer.alloc(0) : next.value]);
    // Somewhere inside the last line: the rest of it comes with what follows.
    const cut = at % 3 === 0 ? held.length : Math.max(0, held.length - 7);
    await raw.write(held.subarray(0, cut));
    held = held.subarray(cut);
  }
  await raw.write(held);
}

/** The promise, whatever the count. */
export function expectEndured(endured: Endured): void {
  expect(endured).toMatchObject({
    pinged: true,
    listed: "[dev] (writable)\n  - DATABASE_URL\n  - STRIPE_KEY",
    impure: [],
    values: 0,
    exit: { code: 0, signal: null },
  });
  expectQuiet(endured.stderr);
  expect(endured.stderr.split("\n").length, "lines on stderr").toBeLessThan(50 + endured.lines / 500);
  expect(endured.rows, "rows in the log").toBeLessThan(200);
  expect(endured.peakBytes, "peak memory").toBeLessThan(600 * 1024 * 1024);
  expect(endured.answers, "some of it was understood").toBeGreaterThan(endured.lines / 20);
}

/** Nothing but lines of text. */
export function expectQuiet(stderr: string): void {
  expect(stderr.match(/[^\P{C}\n]/u)?.[0]).toBeUndefined();
}
