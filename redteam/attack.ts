import type { Plant } from "../test/support/patched.ts";
import type { World, WorldOptions } from "./world.ts";

/** Where an attack is tried: how a yes is proven, and who the agent is to the broker. Written as `minAssurance` is. */
export const LEVELS = ["link/same-user", "passkey/same-user", "link/other-user", "passkey/other-user"] as const;
export type Level = (typeof LEVELS)[number];

/** What came of an attack. "noticed": it works, and the log or a person's channel says so. */
export type Outcome = "stopped" | "noticed" | "not stopped";

/** What an attacker has in the end, measured by whoever runs the attack and not by the attack itself. */
export interface Gain {
  /** What they got, in words; absent: nothing. */
  readonly got?: string;
  /** Where a person can see it; looked at only when something was got. */
  readonly seen?: string;
}

/** One attack: how it goes, and what has to come of it at each level where it says something. */
export interface Attack {
  readonly id: string;
  /** What the agent does, for the table. */
  readonly title: string;
  /** Part of the table it stands in. */
  readonly about: About;
  readonly expected: Readonly<Partial<Record<Level, Outcome>>>;
  /** What stops it, or why nothing does: one sentence. */
  readonly why: string;
  readonly world?: WorldOptions;
  readonly run: (world: World) => Promise<Gain>;
  /** A weakened program with which the same attack works, so that "stopped" says something. Tried at the first level. */
  readonly control?: readonly Plant[];
  /** Also tried by `npm test`. */
  readonly isLight?: true;
  /** What has to be there; the attack is left out, with these words, where it is not. */
  readonly needs?: () => string | undefined;
}

/** Parts of the table, in their order. */
export const ABOUT = {
  page: "The page, over the network",
  browser: "The page, from a hostile web page",
  inbox: "The inbox",
  tools: "The tools, over MCP",
  signature: "The signature of a passkey",
  files: "Files: secrets, state, configuration, program",
  process: "The running process",
  desk: "The desk of several sessions, and the broker's socket",
  commands: "The commands, from a shell",
} as const;
export type About = keyof typeof ABOUT;

/** Nothing was got. */
export const NOTHING: Gain = {};
