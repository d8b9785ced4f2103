import { Agent } from "undici";
import { paper } from "./provider.ts";

/** A definition that costs every process a network library, whether it is used or not. */
export const heavy = { ...paper, Agent };
