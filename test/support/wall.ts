import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { World } from "./agent.ts";

/** Reads the time from a file, so that a test can set the wall clock of one program and of nothing else. */
const PRELOAD = `
  import { readFileSync } from "node:fs";
  const real = Date.now;
  const file = new URL("./offset", import.meta.url);
  Date.now = () => real() + Number(readFileSync(file, "utf8"));
`;

/** The wall clock of programs started with this environment. */
export interface Wall {
  readonly env: { readonly NODE_OPTIONS: string };
  /** Sets it; it goes on from there. Epoch ms. */
  readonly set: (at: number) => void;
}

export function wallOf(world: World): Wall {
  const folder = join(world.project, "clock");
  mkdirSync(folder);
  writeFileSync(join(folder, "preload.mjs"), PRELOAD);
  const set = (at: number): void => writeFileSync(join(folder, "offset"), String(at - Date.now()));
  set(Date.now());
  return { env: { NODE_OPTIONS: `--import=${pathToFileURL(join(folder, "preload.mjs")).href}` }, set };
}
