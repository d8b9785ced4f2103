import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { World } from "./agent.ts";
import { hooked } from "./hooked.ts";

/** Reads the time from a file, so that a test can set the wall clock of one program and of nothing else. */
const PRELOAD = `
  import { readFileSync } from "node:fs";
  const real = Date.now;
  const file = new URL("./offset", import.meta.url);
  Date.now = () => real() + Number(readFileSync(file, "utf8"));
`;

/** The wall clock of programs that are started from this file. */
export interface Wall {
  readonly program: string;
  /** Sets it; it goes on from there. Epoch ms. */
  readonly set: (at: number) => void;
}

export function wallOf(world: World, program?: string): Wall {
  const folder = join(world.project, "clock");
  mkdirSync(folder);
  writeFileSync(join(folder, "preload.mjs"), PRELOAD);
  const set = (at: number): void => writeFileSync(join(folder, "offset"), String(at - Date.now()));
  set(Date.now());
  return { program: hooked(folder, join(folder, "preload.mjs"), program), set };
}
