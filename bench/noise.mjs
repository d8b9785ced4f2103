// How quiet the machine is while it is measured.
import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { median, quantile } from "./measure.mjs";

const SPINS = 5;
const SYNCS = 200;

/** Times a fixed piece of work whenever asked; on a quiet machine it always takes the same. */
export function watchNoise() {
  const spins = [];
  return {
    listen: () => {
      for (let i = 0; i < SPINS; i++) spins.push(spin());
    },
    spread: () => {
      const best = Math.min(...spins);
      return { typical: median(spins) / best, worst: quantile(spins, 0.95) / best };
    },
  };
}

/** What the disk asks for making 4 KB durable, ms: most of a call with a durable log is this. */
export function syncCost(folder) {
  const file = join(folder, "sync");
  const fd = openSync(file, "w");
  const block = Buffer.alloc(4096, 1);
  const times = [];
  for (let i = 0; i < SYNCS; i++) {
    writeSync(fd, block);
    const from = performance.now();
    fdatasyncSync(fd);
    times.push(performance.now() - from);
  }
  closeSync(fd);
  rmSync(file);
  return { p50: median(times), p95: quantile(times, 0.95) };
}

function spin() {
  const from = performance.now();
  let x = 1;
  for (let i = 0; i < 5_000_000; i++) x = Math.imul(x, 1_664_525) + 1_013_904_223;
  // The result has to matter, or the loop would be thrown away.
  return performance.now() - from + (x === 0 ? 1 : 0);
}
